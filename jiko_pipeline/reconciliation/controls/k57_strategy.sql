-- id: K57
-- version: 1.0
-- title: No pocket buys a bill that runs longer than its strategy.
-- key: pocket, date, trade
-- identity: days from settlement to maturity of a purchase <= weeks of the pocket's longer strategy
-- tolerance: 4 days, by which holidays move maturities
-- hides: a bill that runs up to four days longer; a purchase on a day on which the strategy was changed, by the shorter one
-- codes: STRATEGY = REFERENCE_DATA
-- severity: S3
-- evidence: INTRA_PROVIDER
-- inputs: API_TRADES, POCKETS
-- chained: no
-- gate: no
-- required: no
-- A pocket buys by its strategy for deposits or by that for reinvestment; both count, in every version that held at any
-- time of the trade date. What was set before the first listing is taken to be what that listing shows.
with asked as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        judged_day.previous_bd,
        count(delivery.business_date) > 0 as is_present
    from judged_day
    left join delivery
        on delivery.document_kind = 'API_TRADES'
        and delivery.business_date = judged_day.business_date
        and delivery.outcome in ('NEW_VERSION', 'UNCHANGED')
    group by judged_day.pocket_id, judged_day.business_date, judged_day.previous_bd
),
purchase as (
    select
        asked.pocket_id,
        asked.business_date,
        trade.trade_id,
        trade.cusip,
        days_between(coalesce(trade.settlement_date, trade.book_date, trade.trade_date), trade.maturity_date) as runs,
        max(
            greatest(coalesce(pocket_version.deposit_term_days, 0), coalesce(pocket_version.reinvestment_term_days, 0))
        ) as longest
    from asked
    join trade
        on trade.pocket_id = asked.pocket_id
        and trade.trade_date > asked.previous_bd
        and trade.trade_date <= asked.business_date
    left join pocket_version
        on pocket_version.pocket_id = trade.pocket_id
        and (pocket_version.version_no = 1 or pocket_version.known_from_day <= trade.trade_date)
        and (pocket_version.known_to_day is null or pocket_version.known_to_day >= trade.trade_date)
    where trade.activity = 'BUY'
    group by
        asked.pocket_id, asked.business_date, trade.trade_id, trade.cusip, trade.settlement_date, trade.book_date,
        trade.trade_date, trade.maturity_date
),
judged as (
    select
        purchase.*,
        case
            when runs is null or coalesce(longest, 0) = 0 then 'NO_REFERENCE'
            when runs > longest + 4 then 'LONGER'
            else ''
        end as finding
    from purchase
)
select
    pocket_id,
    business_date,
    trade_id as entity_key,
    case finding when 'LONGER' then 'BREAK' when 'NO_REFERENCE' then 'NOT_TESTED' else 'PASS' end as status,
    case when finding = 'LONGER' then 'STRATEGY' else '' end as code,
    '' as sub_code,
    case when finding = 'NO_REFERENCE' then 'NO_REFERENCE' else '' end as reason,
    cast(runs as decimal(38, 6)) as left_value,
    cast(longest as decimal(38, 6)) as right_value,
    case when finding = 'LONGER' then cast(runs - longest as decimal(38, 6)) end as difference,
    case finding
        when 'LONGER' then 'The purchase of ' || coalesce(cusip, 'a bill') || ' runs ' || cast(runs as string)
            || ' days; the strategy of the pocket allows ' || cast(longest as string) || '.'
        when 'NO_REFERENCE' then 'The term of the bill or of the pocket''s strategy is not known.'
        else ''
    end as detail
from judged
union all
select
    asked.pocket_id,
    asked.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case when asked.is_present then 'NO_ACTIVITY' else 'NO_INPUT' end as reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    '' as detail
from asked
left join (select distinct pocket_id, business_date from purchase) as purchase_day
    on purchase_day.pocket_id = asked.pocket_id and purchase_day.business_date = asked.business_date
where purchase_day.pocket_id is null
