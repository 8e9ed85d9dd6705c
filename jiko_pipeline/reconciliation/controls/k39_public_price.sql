-- id: K39
-- version: 1.0
-- title: A bill is valued near Treasury's own end-of-day price.
-- key: pocket, date, cusip
-- identity: abs(price of the position - FedInvest end of day) <= 5 bp of discount, or 0.005
-- tolerance: 5 bp; 0.005
-- hides: a price that is off by 0.005, or by five basis points of discount
-- codes: PX_VS_FEDINVEST = VALUATION
-- severity: S3
-- evidence: PUBLIC_REFERENCE
-- inputs: POSITION, TREASURY_PRICES
-- chained: no
-- gate: no
-- required: no
-- Five basis points of discount are 5 * days / 36,000 of price. Treasury publishes an end-of-day price of zero until
-- there is one.
with held as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        position_daily.cusip,
        position_daily.price,
        days_between(judged_day.business_date, coalesce(treasury_price.maturity_date, position_daily.maturity_date)) as days_left,
        treasury_price.end_of_day
    from judged_day
    join position_daily
        on position_daily.pocket_id = judged_day.pocket_id
        and position_daily.business_date = judged_day.business_date
    left join treasury_price
        on treasury_price.cusip = position_daily.cusip and treasury_price.price_date = judged_day.business_date
),
judged as (
    select
        held.*,
        case
            when coalesce(end_of_day, 0) = 0 or days_left is null then 'NO_REFERENCE'
            when abs(price - end_of_day) <= 0.005 then ''
            when abs(price - end_of_day) * 36000 <= 5 * days_left then ''
            else 'FAR'
        end as finding
    from held
),
delivered as (
    select distinct pocket_id, business_date
    from delivery
    where document_kind = 'POSITION' and outcome in ('NEW_VERSION', 'UNCHANGED')
)
select
    pocket_id,
    business_date,
    cusip as entity_key,
    case finding when 'FAR' then 'BREAK' when 'NO_REFERENCE' then 'NOT_TESTED' else 'PASS' end as status,
    case when finding = 'FAR' then 'PX_VS_FEDINVEST' else '' end as code,
    '' as sub_code,
    case when finding = 'NO_REFERENCE' then 'NO_REFERENCE' else '' end as reason,
    cast(price as decimal(38, 6)) as left_value,
    cast(end_of_day as decimal(38, 6)) as right_value,
    cast(price - end_of_day as decimal(38, 6)) as difference,
    case finding
        when 'FAR' then cusip || ' is valued at ' || cast(price as string) || '; Treasury''s end-of-day price is '
            || cast(end_of_day as string) || '.'
        when 'NO_REFERENCE' then 'Treasury''s end-of-day price of ' || cusip || ' has not been loaded for this day.'
        else ''
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
    case when delivered.pocket_id is null then 'NO_INPUT' else 'NO_ACTIVITY' end as reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    '' as detail
from judged_day
left join delivered
    on delivered.pocket_id = judged_day.pocket_id and delivered.business_date = judged_day.business_date
left join (select distinct pocket_id, business_date from held) as held_day
    on held_day.pocket_id = judged_day.pocket_id and held_day.business_date = judged_day.business_date
where held_day.pocket_id is null
