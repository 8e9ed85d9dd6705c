-- id: K45
-- version: 1.0
-- title: What the API says a pocket has earned over a period is the sum of the gains on its brokerage statements.
-- key: pocket, last business day of the period
-- identity: sum of GAIN over the period = earnings of the API, with or without the fees of the period
-- tolerance: 0.01 x the number of statements of the period
-- hides: one cent a day; a gain that statements and earnings share; a difference equal to the fees of the period
-- codes: EARN_DIFF = AMOUNT
-- severity: S3
-- evidence: INTRA_PROVIDER
-- inputs: BROKERAGE_STATEMENT, EARNINGS
-- chained: no
-- gate: no
-- required: no
with period_day as (
    select earnings.pocket_id, earnings.first_date, max(calendar.business_date) as business_date
    from earnings
    left join pocket on pocket.pocket_id = earnings.pocket_id
    join calendar
        on calendar.is_fed_business_day
        and calendar.business_date >= earnings.first_date
        and calendar.business_date <= earnings.last_date
        and (pocket.closed_on is null or calendar.business_date <= pocket.closed_on)
    group by earnings.pocket_id, earnings.first_date
),
stated as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        earnings.first_date,
        earnings.last_date,
        earnings.earnings
    from judged_day
    join period_day
        on period_day.pocket_id = judged_day.pocket_id and period_day.business_date = judged_day.business_date
    join earnings on earnings.pocket_id = period_day.pocket_id and earnings.first_date = period_day.first_date
),
summed as (
    select
        stated.pocket_id,
        stated.business_date,
        stated.first_date,
        stated.last_date,
        stated.earnings,
        count(*) as days,
        count(brokerage_daily.pocket_id) as statements,
        coalesce(sum(brokerage_daily.gains), 0) as gains,
        coalesce(sum(brokerage_daily.fees), 0) as fees
    from stated
    join calendar
        on calendar.is_fed_business_day
        and calendar.business_date >= stated.first_date
        and calendar.business_date <= stated.business_date
    left join brokerage_daily
        on brokerage_daily.pocket_id = stated.pocket_id and brokerage_daily.business_date = calendar.business_date
    group by stated.pocket_id, stated.business_date, stated.first_date, stated.last_date, stated.earnings
),
judged as (
    select
        summed.*,
        case
            when earnings is null or statements < days then 'NO_INPUT'
            when abs(gains - earnings) <= cast(statements as decimal(10, 2)) * 0.01 then 'GROSS'
            when abs(gains - fees - earnings) <= cast(statements as decimal(10, 2)) * 0.01 then 'NET'
            else 'EARN_DIFF'
        end as finding
    from summed
)
select
    pocket_id,
    business_date,
    cast(first_date as string) as entity_key,
    case finding when 'EARN_DIFF' then 'BREAK' when 'NO_INPUT' then 'NOT_TESTED' else 'PASS' end as status,
    case when finding = 'EARN_DIFF' then 'EARN_DIFF' else '' end as code,
    '' as sub_code,
    case when finding = 'NO_INPUT' then 'NO_INPUT' else '' end as reason,
    case finding when 'NO_INPUT' then cast(null as decimal(38, 2)) when 'NET' then gains - fees else gains end as left_value,
    earnings as right_value,
    case finding when 'NO_INPUT' then cast(null as decimal(38, 2)) when 'NET' then gains - fees - earnings
        else gains - earnings end as difference,
    case finding
        when 'NO_INPUT' then cast(statements as string) || ' of the ' || cast(days as string)
            || ' brokerage statements since ' || cast(first_date as string) || ' are there.'
        when 'GROSS' then ''
        when 'NET' then 'The earnings are net of fees.'
        else 'From ' || cast(first_date as string) || ' to ' || cast(last_date as string) || ' the statements gained '
            || cast(gains as string) || ', the API says ' || cast(earnings as string) || '.'
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
    'NOT_DUE' as reason,
    cast(null as decimal(38, 2)) as left_value,
    cast(null as decimal(38, 2)) as right_value,
    cast(null as decimal(38, 2)) as difference,
    'No period whose earnings are there ends with this day.' as detail
from judged_day
left join judged on judged.pocket_id = judged_day.pocket_id and judged.business_date = judged_day.business_date
where judged.pocket_id is null
