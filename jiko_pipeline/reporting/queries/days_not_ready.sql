-- Days that may not be booked, with the reasons. Parameters: customer, first day, last day.
select pocket_id, business_date, not_ready_reasons
from mart.daily_close
where customer_id = $1 and business_date between $2 and $3 and not ready_to_book
order by pocket_id, business_date
