-- trade: trades as the API states them, by trade date.
select fact.* exclude (customer_id, legal_entity_id)
from core.trade as fact
where fact.customer_id = getvariable('customer_id')
  and fact.trade_date between getvariable('history_first') and getvariable('following_last')
