-- id: K42
-- version: 1.0
-- title: Every purchase and sale settles on its trade date, on the next day on which cash and bills both move, or on the
--   day the bill is issued, before it matures, and is settled when that day is over.
-- key: pocket, date, trade
-- identity: settlement date in {trade date, next day open in both calendars, issue date after the trade date} and before
--   maturity; status SETTLED from the business day after it
-- tolerance: 0 days
-- hides: a trade that settles on the one of these days when the other was agreed; sales of bills that mature first, which
--   K40 tests
-- codes: SETTLE_LATE = TIMING, SETTLE_NONBUS = DATA_QUALITY, UNSETTLED_AGED = TIMING
-- severity: S2
-- evidence: ARITHMETIC
-- inputs: API_TRADES
-- chained: no
-- gate: no
-- required: no
with delivered as (
    select business_date, max(known_from_utc) as stated_at
    from delivery
    where is_current and document_kind = 'API_TRADES'
    group by business_date
),
both_open as (
    select business_date
    from calendar
    where is_fed_business_day and not is_sifma_full_close
),
next_open as (
    select calendar.business_date, min(both_open.business_date) as open_on
    from calendar
    join both_open
        on both_open.business_date > calendar.business_date and both_open.business_date <= calendar.business_date + 14
    group by calendar.business_date
),
dealt as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        trade.trade_id,
        trade.activity,
        trade.trade_date,
        trade.settlement_date,
        trade.trade_status,
        coalesce(security.maturity_date, trade.maturity_date) as maturity_date,
        next_open.open_on as next_open_on,
        settle_day.is_fed_business_day and not settle_day.is_sifma_full_close as is_settlement_day,
        settle_day.next_bd as after_settlement,
        security_issue.issue_date,
        delivered.stated_at
    from judged_day
    join trade
        on trade.pocket_id = judged_day.pocket_id
        and trade.trade_date > judged_day.previous_bd
        and trade.trade_date <= judged_day.business_date
        and trade.activity in ('BUY', 'SELL')
    left join next_open on next_open.business_date = trade.trade_date
    left join calendar as settle_day on settle_day.business_date = trade.settlement_date
    left join security on security.cusip = trade.cusip
    left join security_issue
        on security_issue.cusip = trade.cusip and security_issue.issue_date = trade.settlement_date
    left join delivered on delivered.business_date = trade.trade_date
),
judged as (
    select
        dealt.*,
        case
            when next_open_on is null then 'NO_INPUT'
            when settlement_date is null and trade_status = 'SETTLED' then 'NO_INPUT'
            when settlement_date is null and cast(stated_at as date) > next_open_on + 7 then 'UNSETTLED_AGED'
            when settlement_date is null then 'NOT_DUE'
            when activity = 'BUY' and settlement_date >= maturity_date then 'AFTER_MATURITY'
            when settlement_date < trade_date then 'BEFORE_TRADE'
            when not coalesce(is_settlement_day, false) then 'SETTLE_NONBUS'
            when settlement_date not in (trade_date, next_open_on) and issue_date is null then 'SETTLE_LATE'
            when trade_status is distinct from 'SETTLED' and cast(stated_at as date) > after_settlement
                then 'UNSETTLED_AGED'
            else 'PASS'
        end as finding
    from dealt
)
select
    pocket_id,
    business_date,
    trade_id as entity_key,
    case finding when 'PASS' then 'PASS' when 'NO_INPUT' then 'NOT_TESTED' when 'NOT_DUE' then 'NOT_TESTED' else 'BREAK' end
        as status,
    case
        when finding in ('PASS', 'NO_INPUT', 'NOT_DUE') then ''
        when finding in ('AFTER_MATURITY', 'BEFORE_TRADE') then 'SETTLE_LATE'
        else finding
    end as code,
    case when finding in ('AFTER_MATURITY', 'BEFORE_TRADE') then finding else '' end as sub_code,
    case when finding in ('NO_INPUT', 'NOT_DUE') then finding else '' end as reason,
    cast(null as decimal(38, 2)) as left_value,
    cast(null as decimal(38, 2)) as right_value,
    cast(null as decimal(38, 2)) as difference,
    case finding
        when 'PASS' then ''
        when 'NO_INPUT' then 'The trade states no settlement date.'
        when 'NOT_DUE' then 'It is not settled yet; the bank states the date once it is.'
        when 'AFTER_MATURITY' then 'Traded on ' || cast(trade_date as string) || ' it settles on '
            || cast(settlement_date as string) || ', when the bill has matured.'
        when 'BEFORE_TRADE' then 'Traded on ' || cast(trade_date as string) || ' it settles before, on '
            || cast(settlement_date as string) || '.'
        when 'SETTLE_NONBUS' then 'Traded on ' || cast(trade_date as string) || ' it settles on '
            || cast(settlement_date as string) || ', when cash or bills do not move.'
        when 'SETTLE_LATE' then 'Traded on ' || cast(trade_date as string) || ' it settles on '
            || cast(settlement_date as string) || ', neither that day nor ' || cast(next_open_on as string)
            || ' nor a day on which the bill is issued.'
        else 'Traded on ' || cast(trade_date as string) || ' it was ' || coalesce(trade_status, 'of no status')
            || ' when it should long have settled.'
    end as detail
from judged
union all
select
    judged_day.pocket_id,
    judged_day.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case when delivered.business_date is null then 'NO_INPUT' else 'NO_ACTIVITY' end as reason,
    cast(null as decimal(38, 2)) as left_value,
    cast(null as decimal(38, 2)) as right_value,
    cast(null as decimal(38, 2)) as difference,
    case
        when delivered.business_date is null then 'The listing of trades is not there.'
        else 'Nothing was bought or sold.'
    end as detail
from judged_day
left join delivered on delivered.business_date = judged_day.business_date
left join (select distinct pocket_id, business_date from dealt) as spoken
    on spoken.pocket_id = judged_day.pocket_id and spoken.business_date = judged_day.business_date
where spoken.pocket_id is null
