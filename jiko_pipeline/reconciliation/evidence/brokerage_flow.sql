-- brokerage_flow: entries of the brokerage statements in the time that judging looks at.
select fact.* exclude (customer_id, legal_entity_id)
from core.brokerage_flow as fact
where fact.customer_id = getvariable('customer_id')
  and fact.business_date between getvariable('history_first') and getvariable('following_last')
