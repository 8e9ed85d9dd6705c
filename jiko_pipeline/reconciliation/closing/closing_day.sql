-- closing_day: the judged pocket-days of one customer from a day on, with the run that judged them last.
-- Parameters: customer_id, first.
create or replace temp table closing_day as
select
    result.pocket_id,
    result.business_date,
    calendar.previous_fed_business_day as previous_bd,
    max(result.run_id) as run_id
from recon.result as result
join core.calendar as calendar on calendar.business_date = result.business_date
where result.customer_id = $customer_id and result.pocket_id <> '' and result.business_date >= $first
group by result.pocket_id, result.business_date, calendar.previous_fed_business_day
