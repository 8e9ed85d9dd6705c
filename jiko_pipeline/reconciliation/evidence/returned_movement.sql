-- returned_movement: movements that may have been sent back by a return in sight: 90 days before the time that judging
-- looks at, and it.
select
    fact.activity_id,
    fact.transaction_id,
    fact.pocket_id,
    fact.transaction_type,
    fact.signed_amount,
    fact.business_date,
    fact.settled_at_utc
from core.api_transaction as fact
where fact.customer_id = getvariable('customer_id')
  and fact.business_date between getvariable('history_first') - 90 and getvariable('following_last')
