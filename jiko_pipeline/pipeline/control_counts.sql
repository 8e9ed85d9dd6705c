-- Results by control, status and reason. Parameters: customer, first day, last day.
select control_id, status, reason, count(*)
from recon.result
where customer_id = $1 and business_date between $2 and $3
group by control_id, status, reason
order by control_id, status, reason
