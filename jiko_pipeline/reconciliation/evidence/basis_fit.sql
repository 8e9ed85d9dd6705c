-- basis_fit: for each day and each way in which the bank may book, whether the day's facts satisfy the identities of
-- K31 to K35, K20 and K38 that rest on it. A row a pocket, day, part of the basis and choice of that part:
-- LEDGER (position date, cash date, closing value and gain, which the identities tie together; contradictory ones are
-- not offered; an economic gain is to the cent that of the bills as they are printed, one that is left over makes the
-- statement foot to the cent), UNIT, FEE (on days with a fee only) and MARK (of the customer, pocket ''; on days on
-- which the two choices are told apart only). is_confirmed: the choice is that of the confirmed basis; null when none is confirmed.
with ledger as (
    select pos_basis, cash_basis, close_basis, gain_basis
    from (values ('TRADE'), ('BOOK'), ('SETTLE')) as one (pos_basis)
    cross join (values ('TRADE'), ('BOOK'), ('SETTLE')) as two (cash_basis)
    cross join (values ('MV'), ('MV+CASH'), ('MV+CASH+PEND')) as three (close_basis)
    cross join (values ('ECONOMIC'), ('PLUG')) as four (gain_basis)
    where case close_basis
        when 'MV' then gain_basis = 'PLUG' and pos_basis = cash_basis
        when 'MV+CASH' then pos_basis = cash_basis
        else (pos_basis, cash_basis) in (('TRADE', 'SETTLE'), ('TRADE', 'BOOK'), ('BOOK', 'SETTLE'))
    end
),
booked_on as (
    select
        business_date as on_date,
        case when is_fed_business_day then business_date else next_bd end as business_date
    from calendar
),
listed as (
    select distinct business_date
    from delivery
    where is_current and document_kind = 'API_TRADES'
),
movement as (
    select
        pocket_id, trade_id, cusip, trade_date, book_date, settlement_date, face_amount, notional,
        case
            when activity = 'BUY' or activity like '%TRANSFER%IN' then 1
            when activity in ('SELL', 'MATURITY') or activity like '%TRANSFER%OUT' then -1
            else 0
        end as direction,
        activity like '%TRANSFER%' as is_in_kind
    from trade
),
dated as (
    select movement.*, 'TRADE' as date_basis, trade_date as on_date from movement
    union all
    select movement.*, 'BOOK' as date_basis, book_date as on_date from movement
    union all
    select movement.*, 'SETTLE' as date_basis, settlement_date as on_date from movement
),
flow as (
    select dated.*, booked_on.business_date
    from dated
    join booked_on on booked_on.on_date = dated.on_date
),
put_in as (
    select
        pocket_id, business_date, date_basis,
        sum(direction * notional) as all_money,
        coalesce(sum(direction * notional) filter (where is_in_kind), 0) as in_kind
    from flow
    group by pocket_id, business_date, date_basis
),
held as (
    select pocket_id, business_date, count(*) as bills
    from position_daily
    group by pocket_id, business_date
),
day as (
    select
        today.pocket_id,
        today.business_date,
        today.market_value,
        today.market_value - before.market_value as value_change,
        today.cash_balance,
        today.cash_balance - before.cash_balance as cash_change,
        today.additions - today.subtractions as added,
        today.fees,
        today.gains,
        today.opening_value,
        today.closing_value,
        coalesce(held.bills, 0) as bills,
        coalesce(held.bills, 0) + coalesce(held_before.bills, 0) as bills_of_both
    from brokerage_daily as today
    join calendar on calendar.business_date = today.business_date and calendar.is_fed_business_day
    join brokerage_daily as before
        on before.pocket_id = today.pocket_id and before.business_date = calendar.previous_bd
    join listed on listed.business_date = today.business_date
    left join held on held.pocket_id = today.pocket_id and held.business_date = today.business_date
    left join held as held_before
        on held_before.pocket_id = today.pocket_id and held_before.business_date = calendar.previous_bd
    where today.cash_balance is not null
      and before.cash_balance is not null
      and today.market_value is not null
      and before.market_value is not null
      and today.closing_value is not null
),
pending as (
    select
        day.pocket_id, day.business_date,
        sum(-movement.direction * movement.notional) as money
    from day
    join movement
        on movement.pocket_id = day.pocket_id
        and movement.trade_date <= day.business_date
        and (movement.settlement_date is null or movement.settlement_date > day.business_date)
    where not movement.is_in_kind
    group by day.pocket_id, day.business_date
),
roll as (
    select pocket_id, business_date, date_basis, cusip, face_amount as face
    from position_daily
    cross join (values ('TRADE'), ('BOOK'), ('SETTLE')) as one (date_basis)
    union all
    select position_daily.pocket_id, calendar.next_bd, date_basis, position_daily.cusip, -position_daily.face_amount
    from position_daily
    join calendar on calendar.business_date = position_daily.business_date
    cross join (values ('TRADE'), ('BOOK'), ('SETTLE')) as one (date_basis)
    union all
    select pocket_id, business_date, date_basis, cusip, -direction * face_amount
    from flow
),
unrolled as (
    select distinct pocket_id, business_date, date_basis
    from (
        select pocket_id, business_date, date_basis, cusip
        from roll
        group by pocket_id, business_date, date_basis, cusip
        having sum(face) <> 0
    )
),
ledger_fit as (
    select
        day.pocket_id,
        day.business_date,
        ledger.*,
        unrolled.pocket_id is null
            and abs(
                day.gains - (
                    day.value_change - coalesce(by_position.all_money, 0)
                    - case when ledger.close_basis = 'MV' then day.cash_change else 0 end
                )
            ) <= 0.005 * day.bills_of_both + 0.01
            and day.cash_change = day.added - day.fees - coalesce(by_cash.all_money, 0)
            and abs(
                day.closing_value - (
                    day.market_value
                    + case when ledger.close_basis = 'MV' then 0 else day.cash_balance end
                    + case when ledger.close_basis = 'MV+CASH+PEND' then coalesce(pending.money, 0) else 0 end
                )
            ) <= 0.01 * day.bills
            and case ledger.gain_basis
                when 'ECONOMIC' then day.gains = day.value_change - coalesce(by_position.all_money, 0)
                else day.opening_value + day.added + day.gains - day.fees = day.closing_value
            end as agrees
    from day
    cross join ledger
    left join put_in as by_position
        on by_position.pocket_id = day.pocket_id
        and by_position.business_date = day.business_date
        and by_position.date_basis = ledger.pos_basis
    left join put_in as by_cash
        on by_cash.pocket_id = day.pocket_id
        and by_cash.business_date = day.business_date
        and by_cash.date_basis = ledger.cash_basis
    left join unrolled
        on unrolled.pocket_id = day.pocket_id
        and unrolled.business_date = day.business_date
        and unrolled.date_basis = ledger.pos_basis
    left join pending on pending.pocket_id = day.pocket_id and pending.business_date = day.business_date
),
unit_fit as (
    select trade.pocket_id, booked_on.business_date, factor, bool_and(
        abs(trade.notional - mv_of(trade.quantity * bill_face, trade.price)) <= 0.01
    ) as agrees
    from trade
    join booked_on on booked_on.on_date = trade.trade_date
    cross join (values ('1', 100), ('0.01', 1), ('10', 1000)) as one (factor, bill_face)
    where trade.quantity is not null and trade.price is not null and trade.notional is not null
    group by trade.pocket_id, booked_on.business_date, factor
),
-- both legs of every sweep from the brokerage account's view, and the fee once for each path it may take
leg as (
    select pocket_id, business_date, coalesce(end_to_end_id, '') as sweep, 'BANK_LEG' as side, -signed_amount as amount
    from bank_transaction
    where category in ('SWEEP_OUT', 'SWEEP_IN')
    union all
    select pocket_id, business_date, coalesce(end_to_end_id, ''), flow, -signed_amount
    from brokerage_flow
    where flow in ('ADDITION', 'SUBTRACTION', 'FEE')
    union all
    select pocket_id, business_date, '', 'IN_KIND', in_kind
    from put_in
    where date_basis = 'TRADE' and in_kind <> 0
),
path_leg as (
    select leg.*, path, calendar.bd_idx
    from leg
    join calendar on calendar.business_date = leg.business_date
    cross join (values ('BROKERAGE'), ('BANK')) as one (path)
    where leg.side <> 'FEE' or path = 'BANK'
),
fee_day as (
    select brokerage_daily.pocket_id, brokerage_daily.business_date, calendar.bd_idx, path
    from brokerage_daily
    join calendar on calendar.business_date = brokerage_daily.business_date
    join bank_daily
        on bank_daily.pocket_id = brokerage_daily.pocket_id
        and bank_daily.business_date = brokerage_daily.business_date
    cross join (values ('BROKERAGE'), ('BANK')) as one (path)
    where brokerage_daily.fees <> 0
),
path_total as (
    select pocket_id, business_date, path, sum(amount) as difference
    from path_leg
    group by pocket_id, business_date, path
),
-- sweeps of the day whose legs, five business days around it, do not come to nothing
one_sided as (
    select distinct pocket_id, business_date, path
    from (
        select fee_day.pocket_id, fee_day.business_date, fee_day.path, near.sweep
        from fee_day
        join path_leg as here
            on here.pocket_id = fee_day.pocket_id
            and here.business_date = fee_day.business_date
            and here.path = fee_day.path
        join path_leg as near
            on near.pocket_id = here.pocket_id
            and near.path = here.path
            and near.sweep = here.sweep
            and near.bd_idx between fee_day.bd_idx - 5 and fee_day.bd_idx + 5
        group by fee_day.pocket_id, fee_day.business_date, fee_day.path, near.sweep, here.side, here.amount
        having sum(near.amount) <> 0
    )
),
fee_fit as (
    select
        fee_day.pocket_id, fee_day.business_date, fee_day.path,
        coalesce(path_total.difference, 0) = 0 or one_sided.pocket_id is null as agrees
    from fee_day
    left join path_total
        on path_total.pocket_id = fee_day.pocket_id
        and path_total.business_date = fee_day.business_date
        and path_total.path = fee_day.path
    left join one_sided
        on one_sided.pocket_id = fee_day.pocket_id
        and one_sided.business_date = fee_day.business_date
        and one_sided.path = fee_day.path
),
maturity as (
    select cusip, max(maturity_date) as maturity_date
    from (
        select cusip, maturity_date from security
        union all
        select cusip, maturity_date from trade
    )
    group by cusip
),
quote as (
    select cusip, business_date, min(price) as price
    from position_daily
    group by cusip, business_date
),
-- the implied discount rate of a bill, once for each settlement date that its mark may assume
implied as (
    select
        quote.cusip, quote.business_date, calendar.previous_bd,
        days_between(quote.business_date, maturity.maturity_date) as days_left,
        (100 - cast(quote.price as double)) * 360
            / nullif(days_between(quote.business_date, maturity.maturity_date), 0) as rate_same_day,
        (100 - cast(quote.price as double)) * 360
            / nullif(days_between(calendar.next_bd, maturity.maturity_date), 0) as rate_next_day
    from quote
    join calendar on calendar.business_date = quote.business_date
    join maturity on maturity.cusip = quote.cusip
),
-- by how much the rates of the bills jump, in percent, under the one and the other
jump as (
    select
        today.business_date,
        avg(abs(today.rate_same_day - before.rate_same_day)) as same_day,
        avg(abs(today.rate_next_day - before.rate_next_day)) as next_day
    from implied as today
    join implied as before on before.cusip = today.cusip and before.business_date = today.previous_bd
    where today.days_left between 5 and 120
    group by today.business_date
),
mark_fit as (
    select business_date, 'T0' as mark, same_day < next_day as agrees from jump where abs(same_day - next_day) >= 0.04
    union all
    select business_date, 'T1' as mark, next_day < same_day as agrees from jump where abs(same_day - next_day) >= 0.04
),
fit as (
    select
        pocket_id, business_date, 'LEDGER' as part,
        pos_basis || ' ' || cash_basis || ' ' || close_basis || ' ' || gain_basis as choice, agrees
    from ledger_fit
    union all
    select pocket_id, business_date, 'UNIT', factor, agrees from unit_fit
    union all
    select pocket_id, business_date, 'FEE', path, agrees from fee_fit
    union all
    select '', business_date, 'MARK', mark, agrees from mark_fit
)
select
    fit.pocket_id,
    fit.business_date,
    fit.part,
    fit.choice,
    coalesce(fit.agrees, false) as agrees,
    fit.choice = case fit.part
        when 'LEDGER'
            then basis.pos_basis || ' ' || basis.cash_basis || ' ' || basis.close_basis || ' ' || basis.gain_basis
        when 'UNIT' then case basis.quantity_factor when 1 then '1' when 0.01 then '0.01' when 10 then '10' end
        when 'FEE' then basis.fee_path
        else basis.mark_settlement
    end as is_confirmed
from fit
left join basis on basis.business_date = fit.business_date
