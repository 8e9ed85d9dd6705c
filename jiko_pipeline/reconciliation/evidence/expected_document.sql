-- expected_document: the documents that the calendar expects for each judged pocket-day. Statements, positions
-- and trade reports belong to the pocket; prices and listings cover the customer, the listings every calendar day
-- since the previous business day, as far as the warehouse reaches back. scope_pocket_id and scope_date say which
-- delivery would satisfy the expectation.
with own_kind as (
    select * from (
        values
            ('BANK_STATEMENT'),
            ('BROKERAGE_STATEMENT'),
            ('POSITION'),
            ('TRADE_REPORT_CSV'),
            ('TRADE_REPORT_KYRIBA_CSV')
    ) as kinds (document_kind)
),
common_kind as (
    select * from (
        values
            ('SECURITY_PRICE', false),
            ('API_TRANSACTIONS', true),
            ('API_TRADES', true)
    ) as kinds (document_kind, is_daily)
),
reach as (
    select document_kind, min(scope_date) as first_scope_date
    from raw.delivery
    where customer_id = getvariable('customer_id')
    group by document_kind
),
living as (
    select judged_day.pocket_id, judged_day.business_date, judged_day.previous_bd
    from judged_day
    join pocket on pocket.pocket_id = judged_day.pocket_id
    where pocket.opened_on is not null or judged_day.business_date >= pocket.first_document_date
)
select
    living.pocket_id,
    living.business_date,
    own_kind.document_kind,
    living.pocket_id as scope_pocket_id,
    living.business_date as scope_date
from living
cross join own_kind
union all
select
    living.pocket_id,
    living.business_date,
    common_kind.document_kind,
    '' as scope_pocket_id,
    day.business_date as scope_date
from living
cross join common_kind
join calendar as day
    on day.business_date <= living.business_date
    and day.business_date > living.previous_bd
left join reach on reach.document_kind = common_kind.document_kind
where day.business_date = living.business_date
   or (common_kind.is_daily and day.business_date >= reach.first_scope_date)
