-- Business dates with a daily close. Parameter: customer.
select distinct business_date
from mart.daily_close
where customer_id = $1
order by business_date
