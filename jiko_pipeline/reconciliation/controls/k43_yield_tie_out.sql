-- id: K43
-- version: 1.0
-- title: The yield a trade states is the yield of its price by the formula that the bank's trades follow.
-- key: pocket, date, trade
-- identity: the price that a yield 0.5 basis points below the stated one gives >= price >= the price that one 0.5
--   above it gives, by the formula that fits most trades of 30 days (INVESTMENT, SIMPLE, ACT_360 or DISCOUNT)
-- tolerance: 0.5 basis points
-- hides: half a basis point; days to maturity for which two formulas agree that closely
-- codes: YTM_DIFF = VALUATION
-- severity: S3
-- evidence: ARITHMETIC
-- inputs: API_TRADES
-- chained: no
-- gate: no
-- required: no
-- Formulas: 31 CFR 356 Appendix B. The investment rate of a bill of more than half a year pays half of itself after
-- half a year; prices fall as yields rise, so that the comparison of prices is one of yields without a root. The year
-- has 366 days when a 29 February lies in the twelve months after settlement. The formula that fits is in sub_code of a
-- break and in the detail of a pass; a bill at or past par has no yield to compare.
with leap_day as (
    select business_date from calendar where substr(cast(business_date as string), 6, 5) = '02-29'
),
quoted as (
    select
        trade.pocket_id,
        trade.trade_id,
        trade.trade_date,
        trade.price,
        trade.yield_to_maturity,
        trade.settlement_date,
        cast(trade.price as double) as price_f,
        cast(trade.yield_to_maturity as double) - 0.00005 as low_f,
        cast(trade.yield_to_maturity as double) + 0.00005 as high_f,
        cast(days_between(trade.settlement_date, coalesce(security.maturity_date, trade.maturity_date))
            as double) as days_f,
        case when leap.settled_on is null then cast(365 as double) else cast(366 as double) end as year_f
    from trade
    left join security on security.cusip = trade.cusip
    left join (
        select distinct t.settlement_date as settled_on
        from trade t
        join leap_day on leap_day.business_date >= t.settlement_date and leap_day.business_date <= t.settlement_date + 365
    ) as leap on leap.settled_on = trade.settlement_date
    where trade.activity in ('BUY', 'SELL')
),
yielding as (
    select * from quoted
    where price_f > 0 and price_f < 100 and days_f > 0 and yield_to_maturity is not null
),
formula_price as (
    select trade_id, trade_date, price_f, 'INVESTMENT' as formula, 1 as place,
        case
            when days_f > year_f / 2
                then 100 / ((1 + low_f / 2) * (1 + (days_f / year_f - 0.5) * low_f))
            else 100 / (1 + low_f * days_f / year_f)
        end as price_high,
        case
            when days_f > year_f / 2
                then 100 / ((1 + high_f / 2) * (1 + (days_f / year_f - 0.5) * high_f))
            else 100 / (1 + high_f * days_f / year_f)
        end as price_low
    from yielding
    union all
    select trade_id, trade_date, price_f, 'SIMPLE' as formula, 2 as place,
        100 / (1 + low_f * days_f / 365), 100 / (1 + high_f * days_f / 365)
    from yielding
    union all
    select trade_id, trade_date, price_f, 'ACT_360' as formula, 3 as place,
        100 / (1 + low_f * days_f / 360), 100 / (1 + high_f * days_f / 360)
    from yielding
    union all
    select trade_id, trade_date, price_f, 'DISCOUNT' as formula, 4 as place,
        100 * (1 - low_f * days_f / 360), 100 * (1 - high_f * days_f / 360)
    from yielding
),
fitted as (
    select trade_id, trade_date, formula, place,
        price_f <= price_high + 0.0000005 and price_f >= price_low - 0.0000005 as fits
    from formula_price
),
day_formula as (
    select
        judged_date.business_date,
        fitted.formula,
        fitted.place,
        count(*) filter (where fitted.fits) as fits,
        count(*) as trades
    from (select distinct business_date from judged_day) as judged_date
    join fitted
        on fitted.trade_date <= judged_date.business_date and fitted.trade_date > judged_date.business_date - 30
    group by judged_date.business_date, fitted.formula, fitted.place
),
chosen as (
    select business_date, formula, fits, trades,
        row_number() over (partition by business_date order by fits desc, place) as choice
    from day_formula
),
dealt as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        quoted.trade_id,
        quoted.price,
        quoted.yield_to_maturity,
        chosen.formula,
        coalesce(fitted.fits, false) as fits,
        case
            when quoted.settlement_date is null then 'NOT_DUE'
            when quoted.yield_to_maturity is null or quoted.price is null or quoted.days_f is null then 'NO_INPUT'
            when quoted.price_f >= 100 or quoted.days_f <= 0 then 'AT_PAR'
            when chosen.fits * 2 <= chosen.trades then 'BASIS'
            else ''
        end as reason
    from judged_day
    join quoted
        on quoted.pocket_id = judged_day.pocket_id
        and quoted.trade_date > judged_day.previous_bd
        and quoted.trade_date <= judged_day.business_date
    left join chosen on chosen.business_date = judged_day.business_date and chosen.choice = 1
    left join fitted on fitted.trade_id = quoted.trade_id and fitted.formula = chosen.formula
),
delivered as (
    select distinct business_date from delivery
    where is_current and document_kind = 'API_TRADES'
)
select
    pocket_id,
    business_date,
    trade_id as entity_key,
    case when reason <> '' then 'NOT_TESTED' when fits then 'PASS' else 'BREAK' end as status,
    case when reason = '' and not fits then 'YTM_DIFF' else '' end as code,
    case when reason = '' and not fits then formula else '' end as sub_code,
    reason,
    cast(yield_to_maturity as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    case
        when reason = 'NOT_DUE' then 'It is not settled yet; the yield runs from the day on which it is.'
        when reason = 'NO_INPUT' then 'The trade lacks its price, its yield or its maturity.'
        when reason = 'AT_PAR' then 'A bill at par has no yield.'
        when reason = 'BASIS' then 'No formula fits more than half of the trades of 30 days.'
        when fits then 'By the formula ' || formula || '.'
        else 'At ' || cast(price as string) || ' the trade states a yield of ' || cast(yield_to_maturity as string)
            || ', which is not that of the formula ' || formula || '.'
    end as detail
from dealt
union all
select
    judged_day.pocket_id,
    judged_day.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case when delivered.business_date is null then 'NO_INPUT' else 'NO_ACTIVITY' end as reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    case
        when delivered.business_date is null then 'The listing of trades is not there.'
        else 'Nothing was bought or sold.'
    end as detail
from judged_day
left join delivered on delivered.business_date = judged_day.business_date
left join (select distinct pocket_id, business_date from dealt) as spoken
    on spoken.pocket_id = judged_day.pocket_id and spoken.business_date = judged_day.business_date
where spoken.pocket_id is null
