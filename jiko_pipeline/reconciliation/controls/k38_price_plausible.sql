-- id: K38
-- version: 1.1
-- title: The price of every bill held lies in (0, 100], moves every day, and moves with the other bills.
-- key: pocket, date, cusip
-- identity: 0 < price <= 100; price differs from the previous business day's where a day's accretion is visible; change of the implied discount rate - median change of all bills held = 0
-- tolerance: 25 bp of implied discount rate; with fewer than 28 days to maturity 0.02 of price
-- hides: a move within the tolerance; a move that all bills share; a jump while fewer than three bills are held; a repeated price on a day on which bills do not trade
-- codes: PX_OUT_OF_RANGE = VALUATION, PX_STALE = VALUATION, PX_JUMP = VALUATION
-- severity: S2
-- evidence: ARITHMETIC
-- inputs: POSITION, SECURITY_PRICE
-- chained: yes
-- gate: no
-- required: yes
with delivered as (
    select distinct pocket_id, business_date
    from delivery
    where is_current and document_kind = 'POSITION'
),
traded_maturity as (
    select cusip, max(maturity_date) as maturity_date
    from trade
    group by cusip
),
quote as (
    select 'POSITION' as source, cusip, business_date as price_date, min(price) as price
    from position_daily
    group by cusip, business_date
    union all
    select 'SECURITY_PRICE' as source, cusip, price_date, min(price) as price
    from security_price
    group by cusip, price_date
),
followed as (
    select source, cusip, price_date, price,
        lag(price) over (partition by source, cusip order by price_date) as price_before
    from quote
),
-- a repeated price says nothing about the day it is repeated on: a change is counted from the day it was new
dated as (
    select source, cusip, price_date, price,
        max(case when price_before is null or price is distinct from price_before then price_date end) over (
            partition by source, cusip order by price_date rows between unbounded preceding and current row
        ) as fresh_date
    from followed
),
market_day as (
    select j.business_date, min(j.previous_bd) as previous_bd, min(b.mark_settlement) as mark_settlement
    from judged_day j
    left join basis b on b.business_date = j.business_date
    group by j.business_date
),
pair as (
    select m.business_date, d.source, d.cusip, d.price as previous_price, c.is_trading_day,
        case when m.mark_settlement = 'T1' then c.next_bd else c.business_date end as settles,
        case when m.mark_settlement = 'T1' then y.next_bd else y.business_date end as previous_settles,
        case when m.mark_settlement = 'T1' then f.next_bd else f.business_date end as fresh_settles,
        coalesce(s.maturity_date, t.maturity_date) as maturity_date
    from market_day m
    join calendar c on c.business_date = m.business_date
    join calendar y on y.business_date = m.previous_bd
    join dated d on d.price_date = m.previous_bd
    join calendar f on f.business_date = d.fresh_date
    left join security s on s.cusip = d.cusip
    left join traded_maturity t on t.cusip = d.cusip
),
move as (
    select p.business_date, p.source, p.cusip,
        (100 - cast(q.price as double)) * 360 / cast(days_between(p.settles, p.maturity_date) as double)
        - (100 - cast(p.previous_price as double)) * 360 / cast(days_between(p.fresh_settles, p.maturity_date) as double) as rate_change
    from pair p
    join quote q on q.source = p.source and q.cusip = p.cusip and q.price_date = p.business_date
    where p.settles < p.maturity_date and q.price is distinct from p.previous_price
),
ranked as (
    select business_date, source, rate_change,
        row_number() over (partition by business_date, source order by rate_change nulls last, cusip nulls last) as rank_no,
        count(*) over (partition by business_date, source) as bills
    from move
),
market_move as (
    select business_date, source,
        sum(rate_change) / cast(count(*) as double) as median_change
    from ranked
    where 2 * rank_no in (bills, bills + 1, bills + 2)
    group by business_date, source
),
held as (
    select j.pocket_id, j.business_date, p.cusip, coalesce(s.maturity_date, t.maturity_date) as maturity_date,
        p.price as held_price, r.price as report_price
    from judged_day j
    join position_daily p on p.pocket_id = j.pocket_id and p.business_date = j.business_date
    left join security s on s.cusip = p.cusip
    left join traded_maturity t on t.cusip = p.cusip
    left join security_price r on r.cusip = p.cusip and r.price_date = j.business_date
),
stated as (
    select pocket_id, business_date, cusip, maturity_date, 'POSITION' as source, held_price as price
    from held
    union all
    select pocket_id, business_date, cusip, maturity_date, 'SECURITY_PRICE' as source, report_price as price
    from held
    where report_price is not null
),
measured as (
    select h.pocket_id, h.business_date, h.cusip, h.source, h.maturity_date, h.price, p.previous_price, p.is_trading_day,
        days_between(p.settles, p.maturity_date) as days_left,
        (100 - cast(h.price as double)) * cast(days_between(p.previous_settles, p.settles) as double)
            / nullif(cast(days_between(p.previous_settles, p.maturity_date) as double), 0) as accretion,
        (100 - cast(h.price as double)) * 360 / nullif(cast(days_between(p.settles, p.maturity_date) as double), 0)
            - (100 - cast(p.previous_price as double)) * 360
                / nullif(cast(days_between(p.fresh_settles, p.maturity_date) as double), 0)
            - coalesce(m.median_change, cast(0 as double)) as own_change
    from stated h
    left join pair p on p.business_date = h.business_date and p.source = h.source and p.cusip = h.cusip
    left join market_move m on m.business_date = h.business_date and m.source = h.source
),
tested as (
    select pocket_id, business_date, cusip, source, maturity_date, price, previous_price, own_change,
        case
            when price <= 0 or price > 100 then 3
            when previous_price is null or days_left is null or days_left <= 0 then 0
            when price = previous_price then case when is_trading_day and accretion >= 0.000001 then 2 else 0 end
            when days_left >= 28 and abs(own_change) > 0.25 then 1
            when days_left < 28 and abs(own_change) * cast(days_left as double) / 360 > 0.02 then 1
            else 0
        end as gravity,
        previous_price is not null and days_left is not null and days_left > 0 as is_compared
    from measured
),
by_bill as (
    select pocket_id, business_date, cusip, max(gravity) as gravity, max(maturity_date) as maturity_date,
        bool_and(is_compared) as is_compared
    from tested
    group by pocket_id, business_date, cusip
),
judged as (
    select b.pocket_id, b.business_date, b.cusip, b.gravity, b.maturity_date, b.is_compared,
        min(t.price) as price,
        min(t.previous_price) as previous_price,
        cast(round(max(abs(t.own_change)) * 100, 0) as int) as basis_points,
        case when count(*) filter (where t.source = 'POSITION') > 0 and count(*) filter (where t.source = 'SECURITY_PRICE') > 0
            then 'POSITION,SECURITY_PRICE' else min(t.source) end as sources
    from by_bill b
    join tested t
        on t.pocket_id = b.pocket_id and t.business_date = b.business_date and t.cusip = b.cusip and t.gravity = b.gravity
    group by b.pocket_id, b.business_date, b.cusip, b.gravity, b.maturity_date, b.is_compared
)
select
    pocket_id,
    business_date,
    cusip as entity_key,
    case when gravity > 0 then 'BREAK' when maturity_date is null then 'NOT_TESTED' else 'PASS' end as status,
    case gravity when 3 then 'PX_OUT_OF_RANGE' when 2 then 'PX_STALE' when 1 then 'PX_JUMP' else '' end as code,
    case when gravity > 0 then sources else '' end as sub_code,
    case when gravity = 0 and maturity_date is null then 'NO_REFERENCE' else '' end as reason,
    cast(price as decimal(38, 6)) as left_value,
    cast(previous_price as decimal(38, 6)) as right_value,
    cast(price - previous_price as decimal(38, 6)) as difference,
    case gravity
        when 3 then cusip || ' is priced at ' || cast(price as string) || ', outside (0, 100], in ' || sources || '.'
        when 2 then cusip || ' is priced at ' || cast(price as string) || ' as on the business day before, in ' || sources || '.'
        when 1 then cusip || ' moved ' || cast(basis_points as string) || ' bp away from the other bills, from '
            || cast(previous_price as string) || ' to ' || cast(price as string) || ', in ' || sources || '.'
        else case when is_compared or maturity_date is null then ''
            else 'Only its range could be tested: there is no price of the business day before to compare with.' end
    end as detail
from judged
union all
select
    j.pocket_id,
    j.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case when d.business_date is null then 'NO_INPUT' else 'NO_ACTIVITY' end as reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    '' as detail
from judged_day j
left join delivered d on d.pocket_id = j.pocket_id and d.business_date = j.business_date
left join (select distinct pocket_id, business_date from held) h
    on h.pocket_id = j.pocket_id and h.business_date = j.business_date
where h.pocket_id is null
