-- Number of documents and rows in quarantine now. Parameter: customer.
select count(*)
from staging.quarantine
where customer_id = $1 and known_to_utc is null
