-- id: K41
-- version: 1.0
-- title: Every CUSIP held or traded is well formed, and all sources give it one possible maturity.
-- key: pocket, date, cusip
-- identity: ninth character = check digit; maturity of trades = of reports = of the reference list = a Fed business day; issue < maturity <= issue + 366
-- tolerance: 0
-- hides: a well-formed CUSIP of another bill; a maturity that all sources state alike and that is possible
-- codes: CUSIP_CHECK = REFERENCE_DATA, SEC_CONFLICT = REFERENCE_DATA, SEC_MAT_NONBUS = REFERENCE_DATA
-- severity: S1
-- evidence: PUBLIC_REFERENCE
-- inputs: POSITION, API_TRADES, TRADE_REPORT_CSV, SECURITY_REFERENCE
-- chained: no
-- gate: no
-- required: no
with named as (
    select j.pocket_id, j.business_date, p.cusip
    from judged_day j
    join position_daily p on p.pocket_id = j.pocket_id and p.business_date = j.business_date
    union
    select j.pocket_id, j.business_date, t.cusip
    from judged_day j
    join trade t
        on t.pocket_id = j.pocket_id and t.trade_date > j.previous_bd and t.trade_date <= j.business_date
    where t.cusip is not null
    union
    select j.pocket_id, j.business_date, r.cusip
    from judged_day j
    join trade_report r
        on r.pocket_id = j.pocket_id and r.trade_date > j.previous_bd and r.trade_date <= j.business_date
),
place as (
    select 1 as n union all select 2 as n union all select 3 as n union all select 4 as n
    union all select 5 as n union all select 6 as n union all select 7 as n union all select 8 as n
),
weighted as (
    select c.cusip,
        position(substr(c.cusip, p.n, 1) in '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*@#') - 1 as character_value,
        (position(substr(c.cusip, p.n, 1) in '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*@#') - 1)
            * case when p.n in (2, 4, 6, 8) then 2 else 1 end as place_value,
        substr(c.cusip, p.n, 1) as character
    from (select distinct cusip from named) c
    cross join place p
),
checked as (
    select cusip,
        min(case when character = '' then -1 else character_value end) >= 0
            and substr(cusip, 9, 1) = cast((10 - sum(cast(place_value - 9 * floor(place_value / 10) as int)) % 10) % 10 as string)
            and substr(cusip, 10, 1) = '' as is_well_formed
    from weighted
    group by cusip
),
stated_on_day as (
    select j.business_date, t.cusip, t.maturity_date
    from (select distinct business_date, previous_bd from judged_day) j
    join trade t on t.trade_date > j.previous_bd and t.trade_date <= j.business_date
    where t.maturity_date is not null
    union
    select j.business_date, r.cusip, r.maturity_date
    from (select distinct business_date, previous_bd from judged_day) j
    join trade_report r on r.trade_date > j.previous_bd and r.trade_date <= j.business_date
    where r.maturity_date is not null
),
stated as (
    select business_date, cusip, min(maturity_date) as earliest, max(maturity_date) as latest
    from stated_on_day
    group by business_date, cusip
),
measured as (
    select n.pocket_id, n.business_date, n.cusip, k.is_well_formed, s.cusip as reference_cusip, s.maturity_date,
        s.first_issue_date, c.is_fed_business_day,
        coalesce(t.earliest, s.maturity_date) as earliest,
        coalesce(t.latest, s.maturity_date) as latest,
        case
            when s.maturity_dates > 1 then 'REFERENCE'
            when t.earliest is distinct from t.latest then 'TRADES'
            when s.maturity_date is not null and t.latest is not null and t.latest is distinct from s.maturity_date then 'MATURITY'
            when s.first_issue_date >= s.maturity_date or s.maturity_date > s.first_issue_date + 366 then 'TERM'
            else ''
        end as conflict
    from named n
    join checked k on k.cusip = n.cusip
    left join security s on s.cusip = n.cusip
    left join stated t on t.cusip = n.cusip and t.business_date = n.business_date
    left join calendar c on c.business_date = coalesce(s.maturity_date, t.latest)
),
classified as (
    select pocket_id, business_date, cusip, reference_cusip, earliest, latest, maturity_date, conflict,
        case
            when not is_well_formed then 'CUSIP_CHECK'
            when conflict <> '' then 'SEC_CONFLICT'
            when is_fed_business_day is not null and not is_fed_business_day then 'SEC_MAT_NONBUS'
            else ''
        end as code,
        reference_cusip is null or is_fed_business_day is null as is_unproved
    from measured
)
select
    pocket_id,
    business_date,
    cusip as entity_key,
    case when code <> '' then 'BREAK' when is_unproved then 'NOT_TESTED' else 'PASS' end as status,
    code,
    case when code = 'SEC_CONFLICT' then conflict else '' end as sub_code,
    case when code = '' and is_unproved then 'NO_REFERENCE' else '' end as reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    case
        when code = 'CUSIP_CHECK' then cusip || ' is not a CUSIP: its check digit or its characters are wrong.'
        when code = 'SEC_CONFLICT' and conflict = 'TERM' then cusip || ' matures on ' || cast(maturity_date as string)
            || ', which is no term of at most 366 days after its issue.'
        when code = 'SEC_CONFLICT' then cusip || ' has several maturity dates: ' || cast(earliest as string) || ', '
            || cast(latest as string) || ' and in the reference list ' || coalesce(cast(maturity_date as string), 'none') || '.'
        when code = 'SEC_MAT_NONBUS' then cusip || ' matures on ' || cast(latest as string) || ', which is no Fed business day.'
        when is_unproved and reference_cusip is null then cusip || ' is not in the reference list.'
        when is_unproved then 'The calendar does not reach the maturity of ' || cusip || '.'
        else ''
    end as detail
from classified
union all
select
    j.pocket_id,
    j.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    'NO_ACTIVITY' as reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    '' as detail
from judged_day j
left join (select distinct pocket_id, business_date from named) n
    on n.pocket_id = j.pocket_id and n.business_date = j.business_date
where n.pocket_id is null
