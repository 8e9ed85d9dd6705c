-- delivery: what arrived for each pocket and day in the time that judging looks at.
select
    document_kind,
    scope_pocket_id as pocket_id,
    scope_date as business_date,
    finality,
    outcome,
    is_current,
    known_from_utc
from raw.delivery
where customer_id = getvariable('customer_id')
  and scope_date between getvariable('history_first') - 14 and getvariable('following_last')
