-- closing_carried: amortised cost (straight-line, in whole cents) by pocket-day and CUSIP: what was carried at the
-- previous close and is carried at this one, what was bought, what accreted, and what left at this day's amortised
-- cost; the accretion at the effective rate; and how many bills are left.
create or replace temp table closing_carried as
select
    pocket_id,
    business_date,
    cusip,
    sum(quantity_after) as quantity_left,
    sum(case when is_new then 0 else before_then end) as carried_before,
    sum(after_now) as carried_after,
    sum(case when is_new then cost_cents else 0 end) as bought,
    sum(before_now - case when is_new then cost_cents else before_then end) as accreted,
    sum(before_now - after_now) as relieved,
    sum(effective_after_now) as effective_carried_after,
    sum(effective_before_now - case when is_new then cost_cents else effective_before_then end) as effective_accreted,
    sum(historical_left) as historical_left,
    sum(historical_relieved) as historical_relieved
from closing_lot_day
group by pocket_id, business_date, cusip
