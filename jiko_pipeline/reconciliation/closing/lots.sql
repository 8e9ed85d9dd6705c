-- Amortised cost by lot, in whole cents, for every pocket-day of closing_day, as closing_carried: what was carried
-- at the previous close and is carried at this one, what was bought, what left (at this day's amortised cost), and
-- what accreted. carried_after = carried_before + bought + accreted - relieved holds exactly, lot by lot, whatever
-- the rounding, because all of it is read off one function of (quantity left, day).
-- Relief is first in first out, in closed form: a lot covers an interval of the CUSIP's cumulative purchases, and
-- what is left of it is the part beyond the CUSIP's cumulative sales and maturities. A pocket that did not open
-- within the data starts with one average lot a CUSIP at the historical cost of its first position (LOT_UNKNOWN).
-- Accretion is straight-line from settlement to maturity; a bill whose maturity is not known stays at cost.
-- Parameter: customer_id.
create or replace temp table closing_carried as
with origin as (
    select
        life.pocket_id,
        life.first_document_date as start_date,
        coalesce(
            pocket.opened_on > calendar.previous_fed_business_day and pocket.opened_on <= life.first_document_date, false
        ) as opens_empty
    from (
        select scope_pocket_id as pocket_id, min(scope_date) as first_document_date
        from raw.delivery
        where customer_id = $customer_id
            and scope_pocket_id <> ''
            and document_kind in ('BROKERAGE_STATEMENT', 'POSITION')
        group by scope_pocket_id
    ) as life
    join core.calendar as calendar on calendar.business_date = life.first_document_date
    left join core.pocket as pocket on pocket.customer_id = $customer_id and pocket.pocket_id = life.pocket_id
),
booked as (
    select * from closing_flow where cusip is not null and quantity is not null
),
bill as (
    select cusip, coalesce(max(listed_maturity), max(traded_maturity)) as maturity_date
    from (
        select cusip, maturity_date as listed_maturity, cast(null as date) as traded_maturity from core.security
        union all
        select cusip, null, maturity_date from booked
    )
    group by cusip
),
acquisition as (
    select
        position.pocket_id, position.cusip, origin.start_date as acquired_on, origin.start_date as accretes_from,
        timestamp '0001-01-01 00:00:00' as traded_at_utc, '' as trade_id,
        position.quantity,
        cast(cast(coalesce(position.historical_cost, position.market_value) as decimal(24, 2)) * 100 as hugeint) as cost_cents,
        cast(cast(position.face_amount as decimal(24, 2)) * 100 as hugeint) as face_cents
    from origin
    join core.position_daily as position
        on position.customer_id = $customer_id
        and position.pocket_id = origin.pocket_id
        and position.business_date = origin.start_date
    where not origin.opens_empty and position.quantity > 0
    union all
    select
        booked.pocket_id, booked.cusip, booked.effective_on, coalesce(booked.settlement_date, booked.trade_date),
        booked.traded_at_utc, booked.trade_id,
        booked.quantity,
        cast(cast(booked.notional as decimal(24, 2)) * 100 as hugeint),
        cast(cast(booked.face_amount as decimal(24, 2)) * 100 as hugeint)
    from booked
    join origin on origin.pocket_id = booked.pocket_id
    where booked.direction = 1
        and booked.quantity > 0
        and (origin.opens_empty or booked.effective_on > origin.start_date)
),
lot as (
    select
        acquisition.*,
        bill.maturity_date,
        row_number() over (order by pocket_id, acquisition.cusip, acquired_on, traded_at_utc, trade_id) as lot_no,
        sum(quantity) over cumulative - quantity as covers_from,
        sum(quantity) over cumulative as covers_to
    from acquisition
    left join bill on bill.cusip = acquisition.cusip
    window cumulative as (
        partition by pocket_id, acquisition.cusip
        order by acquired_on, traded_at_utc, trade_id
        rows between unbounded preceding and current row
    )
),
relief_of_day as (
    select booked.pocket_id, booked.cusip, booked.effective_on, sum(booked.quantity) as quantity
    from booked
    join origin on origin.pocket_id = booked.pocket_id
    where booked.direction = -1 and (origin.opens_empty or booked.effective_on > origin.start_date)
    group by booked.pocket_id, booked.cusip, booked.effective_on
),
relief as (
    select pocket_id, cusip, effective_on,
        sum(quantity) over (partition by pocket_id, cusip order by effective_on) as relieved_to
    from relief_of_day
),
ended as (
    select lot.lot_no, min(relief.effective_on) as exhausted_on
    from lot
    join relief
        on relief.pocket_id = lot.pocket_id and relief.cusip = lot.cusip and relief.relieved_to >= lot.covers_to
    group by lot.lot_no
),
lot_day as (
    select
        day.business_date, day.previous_bd, lot.*,
        lot.acquired_on > day.previous_bd as is_new
    from closing_day as day
    join lot on lot.pocket_id = day.pocket_id and lot.acquired_on <= day.business_date
    left join ended on ended.lot_no = lot.lot_no
    where ended.exhausted_on is null or ended.exhausted_on > day.previous_bd or lot.acquired_on > day.previous_bd
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
    asof left join relief as before
        on before.pocket_id = lot_day.pocket_id and before.cusip = lot_day.cusip
        and lot_day.previous_bd >= before.effective_on
    asof left join relief as after
        on after.pocket_id = lot_day.pocket_id and after.cusip = lot_day.cusip
        and lot_day.business_date >= after.effective_on
),
valued as (
    select
        *,
        closing_carried_cents(quantity_before, quantity, cost_cents, face_cents, elapsed_before, term) as before_then,
        closing_carried_cents(quantity_before, quantity, cost_cents, face_cents, elapsed_after, term) as before_now,
        closing_carried_cents(quantity_after, quantity, cost_cents, face_cents, elapsed_after, term) as after_now
    from left_over
)
select
    pocket_id,
    business_date,
    sum(case when is_new then 0 else before_then end) as carried_before,
    sum(after_now) as carried_after,
    sum(case when is_new then cost_cents else 0 end) as bought,
    sum(before_now - case when is_new then cost_cents else before_then end) as accreted,
    sum(before_now - after_now) as relieved
from valued
group by pocket_id, business_date
