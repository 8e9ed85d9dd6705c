-- security_price: end-of-day prices in the time that judging looks at.
select fact.* exclude (customer_id, legal_entity_id)
from core.security_price as fact
where fact.customer_id = getvariable('customer_id')
  and fact.price_date between getvariable('history_first') and getvariable('following_last')
