-- closing_lot: every lot of one customer, and the day on which it is used up (null while something is left of it).
-- Relief is first in first out, in closed form: a lot covers an interval of the CUSIP's cumulative purchases, and
-- what is left of it is the part beyond the CUSIP's cumulative sales and maturities. A pocket that did not open
-- within the data starts with one average lot a CUSIP at the historical cost of its first position (LOT_UNKNOWN).
-- A lot that was bought is named by its trade, one of the take-on by its CUSIP.
-- Parameter: customer_id.
create or replace temp table closing_lot as
with booked as (
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
        cast(cast(position.face_amount as decimal(24, 2)) * 100 as hugeint) as face_cents,
        'LOT_UNKNOWN' as lot_source
    from closing_origin as origin
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
        cast(cast(booked.face_amount as decimal(24, 2)) * 100 as hugeint),
        case when booked.is_in_kind then 'TRANSFER' else 'PURCHASE' end
    from booked
    join closing_origin as origin on origin.pocket_id = booked.pocket_id
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
ended as (
    select lot.lot_no, min(relief.effective_on) as exhausted_on
    from lot
    join closing_relief as relief
        on relief.pocket_id = lot.pocket_id and relief.cusip = lot.cusip and relief.relieved_to >= lot.covers_to
    group by lot.lot_no
)
select lot.*, ended.exhausted_on
from lot
left join ended on ended.lot_no = lot.lot_no
