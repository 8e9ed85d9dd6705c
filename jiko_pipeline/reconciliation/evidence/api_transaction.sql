-- api_transaction: movements as the API states them, by the business day they belong to.
select fact.* exclude (customer_id, legal_entity_id)
from core.api_transaction as fact
where fact.customer_id = getvariable('customer_id')
  and fact.business_date between getvariable('history_first') and getvariable('following_last')
