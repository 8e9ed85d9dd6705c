-- id: K35
-- version: 1.1
-- title: The closing value of a brokerage statement is the bills and the cash that the position summary lists.
-- key: pocket, date
-- identity: close = market value of the bills + cash + money of unsettled trades, as far as the confirmed closing basis holds them
-- tolerance: 0.01 for each CUSIP held
-- hides: one cent for each bill held
-- codes: VAL_CLOSE = VALUATION
-- severity: S1
-- evidence: INTRA_PROVIDER
-- inputs: BROKERAGE_STATEMENT, POSITION, API_TRADES
-- chained: no
-- gate: no
-- required: yes
with delivered as (
    select distinct pocket_id, business_date
    from delivery
    where is_current and document_kind = 'POSITION'
),
day as (
    select j.pocket_id, j.business_date, b.close_basis, s.closing_value, s.cash_balance,
        case
            when b.close_basis is null then 'BASIS'
            when s.closing_value is null or today.business_date is null then 'NO_INPUT'
            when b.close_basis <> 'MV' and s.cash_balance is null then 'NO_INPUT'
            else ''
        end as reason
    from judged_day j
    left join basis b on b.business_date = j.business_date
    left join brokerage_daily s on s.pocket_id = j.pocket_id and s.business_date = j.business_date
    left join delivered today on today.pocket_id = j.pocket_id and today.business_date = j.business_date
),
pending as (
    select d.pocket_id, d.business_date,
        sum(case t.activity when 'SELL' then t.notional when 'BUY' then -t.notional
            else cast(0 as decimal(38, 2)) end) as unsettled
    from day d
    join trade t
        on t.pocket_id = d.pocket_id and t.trade_date <= d.business_date
        and (t.settlement_date is null or t.settlement_date > d.business_date)
    where d.close_basis = 'MV+CASH+PEND'
    group by d.pocket_id, d.business_date
),
bills as (
    select pocket_id, business_date, count(*) as held, sum(market_value) as market_value
    from position_daily
    group by pocket_id, business_date
),
proof as (
    select d.pocket_id, d.business_date, d.closing_value,
        coalesce(b.held, 0) as held,
        coalesce(b.market_value, cast(0 as decimal(38, 2))) as market_value,
        case when d.close_basis = 'MV' then cast(0 as decimal(38, 2)) else d.cash_balance end as cash,
        coalesce(p.unsettled, cast(0 as decimal(38, 2))) as unsettled
    from day d
    left join bills b on b.pocket_id = d.pocket_id and b.business_date = d.business_date
    left join pending p on p.pocket_id = d.pocket_id and p.business_date = d.business_date
    where d.reason = ''
),
judged as (
    select pocket_id, business_date, closing_value, market_value, cash, unsettled,
        market_value + cash + unsettled as expected_close,
        closing_value - (market_value + cash + unsettled) as difference,
        cast(held as decimal(10, 2)) * 0.01 as tolerance
    from proof
)
select
    pocket_id,
    business_date,
    '' as entity_key,
    case when abs(difference) <= tolerance then 'PASS' else 'BREAK' end as status,
    case when abs(difference) <= tolerance then '' else 'VAL_CLOSE' end as code,
    '' as sub_code,
    '' as reason,
    cast(closing_value as decimal(38, 6)) as left_value,
    cast(expected_close as decimal(38, 6)) as right_value,
    cast(difference as decimal(38, 6)) as difference,
    case when abs(difference) <= tolerance then '' else
        'The statement closes at ' || cast(closing_value as string) || '; bills of ' || cast(market_value as string) || ', cash of '
        || cast(cash as string) || ' and unsettled trades of ' || cast(unsettled as string) || ' make '
        || cast(expected_close as string) || '.'
    end as detail
from judged
union all
select
    pocket_id,
    business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    '' as detail
from day
where reason <> ''
