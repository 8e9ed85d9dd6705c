-- Number of pocket-days that may not be booked. Parameter: customer.
select count(*)
from mart.daily_close
where customer_id = $1 and not ready_to_book
