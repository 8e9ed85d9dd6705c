-- id: K33
-- version: 1.1
-- title: The gain a brokerage statement states is the change in the value of the bills less what was put into them.
-- key: pocket, date
-- identity: GAIN = change in market value - (purchases - sales - maturities) - net value transferred in kind (less the change in cash where the close leaves cash out and the gain is what is left over)
-- tolerance: 0.005 x (CUSIPs held yesterday + CUSIPs held today) + 0.01
-- hides: half a cent for each bill held yesterday and today, and one cent; a price that is wrong in position and gain alike
-- codes: GAIN_PROOF = VALUATION
-- severity: S1
-- evidence: ARITHMETIC
-- inputs: BROKERAGE_STATEMENT, POSITION, API_TRADES
-- chained: yes
-- gate: no
-- required: yes
with delivered as (
    select distinct document_kind, pocket_id, business_date
    from delivery
    where is_current
),
-- bills moved in kind at a value that the bank does not state
unvalued as (
    select distinct j.pocket_id, j.business_date
    from judged_day j
    join trade t
        on t.pocket_id = j.pocket_id and t.trade_date > j.previous_bd and t.trade_date <= j.business_date
    where t.activity like '%TRANSFER%' and t.notional is null
),
-- a pocket that opened since the previous business day starts from nothing
day as (
    select j.pocket_id, j.business_date, j.previous_bd, b.pos_basis, b.cash_basis, b.close_basis, b.gain_basis,
        s.gains,
        coalesce(s.cash_balance, cast(0 as decimal(38, 2)))
            - coalesce(y.cash_balance, cast(0 as decimal(38, 2))) as cash_change,
        case
            when j.is_first then 'BASELINE'
            when b.pos_basis is null then 'BASIS'
            when k.pocket_id is not null then 'IN_KIND'
            when s.pocket_id is null or today.business_date is null or listing.business_date is null then 'NO_INPUT'
            when before.business_date is null and not coalesce(p.opened_on > j.previous_bd, false) then 'NO_INPUT'
            when b.close_basis = 'MV' and b.gain_basis = 'PLUG'
                and (s.cash_balance is null or (y.cash_balance is null and not coalesce(p.opened_on > j.previous_bd, false))) then 'NO_INPUT'
            else ''
        end as reason
    from judged_day j
    left join pocket p on p.pocket_id = j.pocket_id
    left join unvalued k on k.pocket_id = j.pocket_id and k.business_date = j.business_date
    left join basis b on b.business_date = j.business_date
    left join brokerage_daily s on s.pocket_id = j.pocket_id and s.business_date = j.business_date
    left join brokerage_daily y on y.pocket_id = j.pocket_id and y.business_date = j.previous_bd
    left join delivered today
        on today.document_kind = 'POSITION' and today.pocket_id = j.pocket_id and today.business_date = j.business_date
    left join delivered before
        on before.document_kind = 'POSITION' and before.pocket_id = j.pocket_id and before.business_date = j.previous_bd
    left join delivered listing
        on listing.document_kind = 'API_TRADES' and listing.business_date = j.business_date
),
flow as (
    select d.pocket_id, d.business_date,
        sum(case
            when t.activity = 'BUY' or t.activity like '%TRANSFER%IN' then t.notional
            when t.activity in ('SELL', 'MATURITY') or t.activity like '%TRANSFER%OUT' then -t.notional
            else cast(0 as decimal(38, 2))
        end) as put_in
    from day d
    join trade t
        on t.pocket_id = d.pocket_id
        and case d.pos_basis when 'TRADE' then t.trade_date when 'BOOK' then t.book_date else t.settlement_date end > d.previous_bd
        and case d.pos_basis when 'TRADE' then t.trade_date when 'BOOK' then t.book_date else t.settlement_date end <= d.business_date
    where d.reason = ''
    group by d.pocket_id, d.business_date
),
bills as (
    select pocket_id, business_date, count(*) as held, sum(market_value) as market_value
    from position_daily
    group by pocket_id, business_date
),
proof as (
    select d.pocket_id, d.business_date, d.gains,
        coalesce(today.market_value, cast(0 as decimal(38, 2)))
            - coalesce(before.market_value, cast(0 as decimal(38, 2))) as value_change,
        coalesce(f.put_in, cast(0 as decimal(38, 2))) as put_in,
        case when d.close_basis = 'MV' and d.gain_basis = 'PLUG' then d.cash_change
            else cast(0 as decimal(38, 2)) end as cash_left_out,
        cast(coalesce(today.held, 0) + coalesce(before.held, 0) as decimal(10, 2)) * 0.005 + 0.01 as tolerance
    from day d
    left join bills today on today.pocket_id = d.pocket_id and today.business_date = d.business_date
    left join bills before on before.pocket_id = d.pocket_id and before.business_date = d.previous_bd
    left join flow f on f.pocket_id = d.pocket_id and f.business_date = d.business_date
    where d.reason = ''
),
judged as (
    select pocket_id, business_date, gains, value_change, put_in, tolerance,
        value_change - put_in - cash_left_out as expected_gain,
        gains - (value_change - put_in - cash_left_out) as difference
    from proof
)
select
    pocket_id,
    business_date,
    '' as entity_key,
    case when abs(difference) <= tolerance then 'PASS' else 'BREAK' end as status,
    case when abs(difference) <= tolerance then '' else 'GAIN_PROOF' end as code,
    '' as sub_code,
    '' as reason,
    cast(gains as decimal(38, 6)) as left_value,
    cast(expected_gain as decimal(38, 6)) as right_value,
    cast(difference as decimal(38, 6)) as difference,
    case when abs(difference) <= tolerance then '' else
        'The statement states a gain of ' || cast(gains as string) || '; the bills changed by ' || cast(value_change as string)
        || ' with ' || cast(put_in as string) || ' put into them, which makes ' || cast(expected_gain as string) || '.'
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
