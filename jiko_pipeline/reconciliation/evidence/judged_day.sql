-- judged_day: the pocket-days that a run over a window judges: the Fed business days of the window, those of
-- the five business days before and after it that have landed (late matches reach so far), and the next landed
-- one after it, of the customer and of each pocket (chains reach over gaps). So the results of a day end up the
-- same in whatever order windows were landed. A pocket that opened since the previous business day starts at
-- zero; any other pocket's first documented day is a baseline.
with window_edge as (
    select
        min(bd_idx) filter (where is_fed_business_day) as first_idx,
        max(bd_idx) as last_idx
    from core.calendar
    where business_date between getvariable('window_first') and getvariable('window_last')
),
business_day as (
    select business_date, bd_idx, previous_fed_business_day as previous_bd
    from core.calendar
    where is_fed_business_day
),
own_next as (
    select scope_pocket_id as pocket_id, min(scope_date) as business_date
    from raw.delivery
    where customer_id = getvariable('customer_id')
      and scope_pocket_id <> ''
      and scope_date > getvariable('window_last')
      and document_kind in ('BANK_STATEMENT', 'BROKERAGE_STATEMENT', 'POSITION')
    group by scope_pocket_id
),
common_day as (
    select business_date from business_day
    where business_date between getvariable('window_first') and getvariable('window_last')
    union
    select landed_day.business_date
    from landed_day
    cross join window_edge
    where (
            landed_day.business_date < getvariable('window_first')
            and landed_day.bd_idx >= coalesce(window_edge.first_idx, window_edge.last_idx + 1) - 5
        )
        or (
            landed_day.business_date > getvariable('window_last')
            and landed_day.bd_idx <= window_edge.last_idx + 5
        )
    union
    select min(business_date) from landed_day
    where business_date > getvariable('window_last')
    having min(business_date) is not null
),
candidate as (
    select pocket.pocket_id, common_day.business_date from pocket cross join common_day
    union
    select pocket_id, business_date from own_next
)
select
    candidate.pocket_id,
    candidate.business_date,
    business_day.bd_idx,
    business_day.previous_bd,
    candidate.business_date is not distinct from pocket.first_document_date
        and not coalesce(
            pocket.opened_on > business_day.previous_bd and pocket.opened_on <= candidate.business_date, false
        ) as is_first
from candidate
join business_day on business_day.business_date = candidate.business_date
join pocket on pocket.pocket_id = candidate.pocket_id
where (pocket.opened_on is null or candidate.business_date >= pocket.opened_on)
  and (pocket.closed_on is null or candidate.business_date <= pocket.closed_on)
