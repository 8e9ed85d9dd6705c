-- The last business date on which every pocket is ready to book; null when there is none. Parameter: customer.
with days as (
    select business_date, bool_and(ready_to_book) as all_ready
    from mart.daily_close
    where customer_id = $1
    group by business_date
)
select max(business_date) filter (where all_ready)
from days
