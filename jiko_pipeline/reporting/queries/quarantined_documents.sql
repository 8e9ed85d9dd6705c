-- Documents and rows in quarantine now, of days in a range, with the reason.
-- Parameters: customer, first day, last day.
select document_kind, scope_pocket_id, scope_date, message
from staging.quarantine
where customer_id = $1 and scope_date between $2 and $3 and known_to_utc is null
order by scope_date, document_kind, scope_pocket_id
