-- What the close of one customer works on: the judged pocket-days from a day on (closing_day) and every trade with
-- the day on which the confirmed basis counts it (closing_flow; direction 1 brings bills in, -1 takes them out).
-- closing_carried_cents(left, quantity, cost, face, elapsed, term): amortised cost of the part of a lot that is left,
-- straight-line after `elapsed` of `term` days, in integers, rounded half up.
-- Parameters: customer_id, first.
create or replace temp macro closing_carried_cents(left_quantity, quantity, cost, face, elapsed, term) as
    case
        when term <= 0 then (2 * left_quantity::hugeint * cost + quantity) // (2 * quantity::hugeint)
        else (2 * left_quantity::hugeint * (cost * (term - elapsed) + face * elapsed) + quantity::hugeint * term)
            // (2 * quantity::hugeint * term)
    end;

create or replace temp macro closing_money(cents) as
    cast(cast(coalesce(cents, 0) as decimal(30, 0)) * 0.01 as decimal(38, 2));

create or replace temp table closing_day as
select
    result.pocket_id,
    result.business_date,
    calendar.previous_fed_business_day as previous_bd,
    max(result.legal_entity_id) as legal_entity_id,
    max(result.run_id) as run_id
from recon.result as result
join core.calendar as calendar on calendar.business_date = result.business_date
where result.customer_id = $customer_id and result.business_date >= $first
group by result.pocket_id, result.business_date, calendar.previous_fed_business_day;

create or replace temp table closing_flow as
with basis as (
    select effective_from, pos_basis from recon.basis where customer_id = $customer_id
)
select
    trade.pocket_id, trade.trade_id, trade.activity, trade.cusip, trade.quantity, trade.face_amount, trade.notional,
    trade.traded_at_utc, trade.trade_date, trade.settlement_date, trade.maturity_date,
    case
        when trade.activity = 'BUY' or trade.activity like '%TRANSFER%IN' then 1
        when trade.activity in ('SELL', 'MATURITY') or trade.activity like '%TRANSFER%OUT' then -1
        else 0
    end as direction,
    trade.activity like '%TRANSFER%' as is_in_kind,
    case basis.pos_basis
        when 'BOOK' then trade.book_date
        when 'SETTLE' then trade.settlement_date
        else trade.trade_date
    end as effective_on
from core.trade as trade
asof left join basis on trade.trade_date >= basis.effective_from
where trade.customer_id = $customer_id
