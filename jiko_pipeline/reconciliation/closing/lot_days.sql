-- closing_lot_day: each lot on each pocket-day of closing_day on which something of it was held, came or left, in whole
-- cents: its amortised cost at the previous close (before_then), what of that is held before this day's relief is worth
-- this day (before_now), and what is left (after_now); straight-line, and with the prefix effective_ at a constant rate
-- compounded daily. historical_left is the part of the cost that first in first out leaves, historical_relieved the
-- part that it takes off. carried_after = carried_before + bought + accreted - relieved holds exactly, lot by lot,
-- whatever the rounding, because all of it is read off one function of (quantity left, day).
-- Accretion runs from settlement to maturity; a bill whose maturity is not known stays at cost.
create or replace temp table closing_lot_day as
with lot_day as (
    select
        day.business_date, day.previous_bd, lot.*,
        lot.acquired_on > day.previous_bd as is_new
    from closing_day as day
    join closing_lot as lot on lot.pocket_id = day.pocket_id and lot.acquired_on <= day.business_date
    where lot.exhausted_on is null or lot.exhausted_on > day.previous_bd or lot.acquired_on > day.previous_bd
),
left_over as (
    select
        lot_day.*,
        case when is_new then quantity
            else greatest(0, covers_to - greatest(covers_from, coalesce(before.relieved_to, 0))) end as quantity_before,
        greatest(0, covers_to - greatest(covers_from, coalesce(after.relieved_to, 0))) as quantity_after,
        coalesce(date_diff('day', accretes_from, maturity_date), 0) as term,
        greatest(0, coalesce(date_diff('day', accretes_from, least(previous_bd, maturity_date)), 0)) as elapsed_before,
        greatest(0, coalesce(date_diff('day', accretes_from, least(business_date, maturity_date)), 0)) as elapsed_after
    from lot_day
    asof left join closing_relief as before
        on before.pocket_id = lot_day.pocket_id and before.cusip = lot_day.cusip
        and lot_day.previous_bd >= before.effective_on
    asof left join closing_relief as after
        on after.pocket_id = lot_day.pocket_id and after.cusip = lot_day.cusip
        and lot_day.business_date >= after.effective_on
)
select
    *,
    closing_carried_cents(quantity_before, quantity, cost_cents, face_cents, elapsed_before, term) as before_then,
    closing_carried_cents(quantity_before, quantity, cost_cents, face_cents, elapsed_after, term) as before_now,
    closing_carried_cents(quantity_after, quantity, cost_cents, face_cents, elapsed_after, term) as after_now,
    closing_effective_cents(quantity_before, quantity, cost_cents, face_cents, elapsed_before, term)
        as effective_before_then,
    closing_effective_cents(quantity_before, quantity, cost_cents, face_cents, elapsed_after, term)
        as effective_before_now,
    closing_effective_cents(quantity_after, quantity, cost_cents, face_cents, elapsed_after, term)
        as effective_after_now,
    closing_carried_cents(quantity_after, quantity, cost_cents, face_cents, 0, 0) as historical_left,
    closing_carried_cents(quantity_before, quantity, cost_cents, face_cents, 0, 0)
        - closing_carried_cents(quantity_after, quantity, cost_cents, face_cents, 0, 0) as historical_relieved
from left_over
