-- closing_flow: every trade of one customer with the day on which the confirmed basis counts it. Direction 1 brings
-- bills in, -1 takes them out, 0 is an activity that is not known.
-- Parameter: customer_id.
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
