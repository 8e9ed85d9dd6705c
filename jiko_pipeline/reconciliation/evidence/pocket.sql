-- pocket: every pocket that the customer lists or that a statement speaks of, with the days of its life.
-- first_document_date is the day of its first brokerage statement or position summary in the whole warehouse.
with listed as (
    select pocket_id, opened_on, closed_on
    from core.pocket
    where customer_id = getvariable('customer_id')
),
documented as (
    select
        scope_pocket_id as pocket_id,
        min(scope_date) filter (where document_kind in ('BROKERAGE_STATEMENT', 'POSITION')) as first_document_date
    from raw.delivery
    where customer_id = getvariable('customer_id')
      and scope_pocket_id <> ''
      and document_kind in ('BANK_STATEMENT', 'BROKERAGE_STATEMENT', 'POSITION')
    group by scope_pocket_id
)
select
    coalesce(listed.pocket_id, documented.pocket_id) as pocket_id,
    listed.opened_on,
    listed.closed_on,
    documented.first_document_date
from listed
full join documented on documented.pocket_id = listed.pocket_id
