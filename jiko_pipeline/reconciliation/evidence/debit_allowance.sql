-- debit_allowance: which companies may debit the customer and how much at a time, as the list stands now.
select lower(company_id) as company_id, limit_amount
from core.debit_allowance
where customer_id = getvariable('customer_id')
  and known_to_utc is null
