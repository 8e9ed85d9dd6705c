-- One row a pocket: days closed, days ready, value of the last day, breaks, what is left unexplained.
-- Parameters: customer, first day, last day.
with closed as (
    select *
    from mart.daily_close
    where customer_id = $1 and business_date between $2 and $3
),
open_break as (
    select pocket_id, count(*) as number
    from recon.break
    where customer_id = $1 and status = 'OPEN' and business_date <= $3
    group by pocket_id
),
last_day as (
    select pocket_id, max(business_date) as last_date
    from closed
    group by pocket_id
)
select
    closed.pocket_id,
    coalesce(pocket.pocket_name, closed.pocket_id) as pocket_name,
    pocket.deposit_strategy_id as strategy,
    count(*) as days,
    count(*) filter (where closed.ready_to_book) as ready_days,
    last_day.last_date,
    max(closed.closing_value) filter (where closed.business_date = last_day.last_date) as closing_value,
    sum(closed.controls_broken)::bigint as breaks,
    coalesce(max(open_break.number), 0)::bigint as open_breaks_so_far,
    sum(abs(closed.unexplained)) as unexplained,
    count(closed.unexplained) as days_with_bridge
from closed
join last_day using (pocket_id)
left join open_break on open_break.pocket_id = closed.pocket_id
left join core.pocket as pocket
    on pocket.customer_id = closed.customer_id and pocket.pocket_id = closed.pocket_id
group by closed.pocket_id, pocket.pocket_name, pocket.deposit_strategy_id, last_day.last_date
order by pocket_name, closed.pocket_id
