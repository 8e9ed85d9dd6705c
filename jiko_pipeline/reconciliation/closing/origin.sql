-- closing_origin: where the lots of each pocket of one customer begin: with nothing, where the pocket opened within
-- the data, else with the first position that is documented.
-- Parameter: customer_id.
create or replace temp table closing_origin as
select
    life.pocket_id,
    life.first_document_date as start_date,
    coalesce(
        pocket.opened_on > calendar.previous_fed_business_day and pocket.opened_on <= life.first_document_date, false
    ) as opens_empty
from (
    select scope_pocket_id as pocket_id, min(scope_date) as first_document_date
    from raw.delivery
    where customer_id = $customer_id
        and scope_pocket_id <> ''
        and document_kind in ('BROKERAGE_STATEMENT', 'POSITION')
    group by scope_pocket_id
) as life
join core.calendar as calendar on calendar.business_date = life.first_document_date
left join core.pocket as pocket on pocket.customer_id = $customer_id and pocket.pocket_id = life.pocket_id
