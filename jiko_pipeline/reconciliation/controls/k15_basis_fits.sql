-- id: K15
-- version: 1.0
-- title: No other way of booking explains the bank's figures better than the confirmed one.
-- key: pocket, date, part of the basis
-- identity: of the last 15 business days, those on which another choice agrees and the confirmed one does not, since the
--   confirmed one last agreed where the other does not < 5
-- tolerance: 4 days
-- hides: a change that shows on fewer than 5 of 15 business days, as that of the path of a monthly fee does; K20 sees each such day
-- codes: BASIS_CHANGED = REFERENCE_DATA
-- severity: S1
-- evidence: ARITHMETIC
-- inputs: BROKERAGE_STATEMENT, POSITION, API_TRADES
-- chained: no
-- gate: no
-- required: no
with indexed as (
    select basis_fit.pocket_id, basis_fit.business_date, basis_fit.part, basis_fit.choice, basis_fit.agrees,
        basis_fit.is_confirmed, calendar.bd_idx
    from basis_fit
    join calendar on calendar.business_date = basis_fit.business_date
),
confirmed as (
    select pocket_id, business_date, bd_idx, part, choice, agrees
    from indexed
    where is_confirmed
),
day_part as (
    select distinct judged_day.pocket_id, judged_day.business_date, judged_day.bd_idx, indexed.part,
        indexed.pocket_id as fit_pocket_id
    from judged_day
    join indexed
        on indexed.business_date = judged_day.business_date
        and (indexed.pocket_id = judged_day.pocket_id or indexed.pocket_id = '')
),
compared as (
    select day_part.pocket_id, day_part.business_date, day_part.part, other.choice,
        confirmed.bd_idx, other.agrees as other_agrees, confirmed.agrees as confirmed_agrees,
        max(case when confirmed.agrees and not other.agrees then confirmed.bd_idx end) over (
            partition by day_part.pocket_id, day_part.business_date, day_part.part, other.choice
        ) as last_right_idx
    from day_part
    join confirmed
        on confirmed.pocket_id = day_part.fit_pocket_id
        and confirmed.part = day_part.part
        and confirmed.bd_idx between day_part.bd_idx - 14 and day_part.bd_idx
    join indexed as other
        on other.pocket_id = confirmed.pocket_id
        and other.part = confirmed.part
        and other.business_date = confirmed.business_date
        and not other.is_confirmed
),
contest as (
    select pocket_id, business_date, part, choice,
        sum(case
            when other_agrees and not confirmed_agrees and bd_idx > coalesce(last_right_idx, 0) then 1
            else 0
        end) as days_for,
        sum(case when other_agrees then 1 else 0 end) as other_days,
        sum(case when confirmed_agrees then 1 else 0 end) as confirmed_days
    from compared
    group by pocket_id, business_date, part, choice
),
ranked as (
    select contest.*,
        row_number() over (
            partition by pocket_id, business_date, part order by days_for desc, choice
        ) as rank_no
    from contest
),
judged as (
    select day_part.pocket_id, day_part.business_date, day_part.part, ranked.choice, ranked.days_for,
        ranked.other_days, ranked.confirmed_days, confirmed.choice as confirmed_choice,
        case
            when confirmed.choice is null then 'BASIS'
            else ''
        end as reason,
        case
            when ranked.days_for >= 5 then 'BASIS_CHANGED'
            else ''
        end as code
    from day_part
    left join confirmed
        on confirmed.pocket_id = day_part.fit_pocket_id
        and confirmed.business_date = day_part.business_date
        and confirmed.part = day_part.part
    left join ranked
        on ranked.pocket_id = day_part.pocket_id
        and ranked.business_date = day_part.business_date
        and ranked.part = day_part.part
        and ranked.rank_no = 1
)
select
    pocket_id,
    business_date,
    part as entity_key,
    case when reason <> '' then 'NOT_TESTED' when code <> '' then 'BREAK' else 'PASS' end as status,
    case when reason <> '' then '' else code end as code,
    '' as sub_code,
    reason,
    cast(confirmed_days as decimal(38, 6)) as left_value,
    cast(other_days as decimal(38, 6)) as right_value,
    cast(confirmed_days - other_days as decimal(38, 6)) as difference,
    case
        when reason <> '' then 'Nobody has confirmed yet how this bank books.'
        when code = '' then ''
        else 'On ' || cast(days_for as string) || ' of the last 15 business days the figures fit ' || choice
            || ' and not ' || confirmed_choice || ', which is confirmed and has not fitted alone since.'
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
    case when judged_day.is_first then 'BASELINE' else 'NO_INPUT' end as reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    '' as detail
from judged_day
left join (select distinct pocket_id, business_date from day_part) as fitted
    on fitted.pocket_id = judged_day.pocket_id
    and fitted.business_date = judged_day.business_date
where fitted.pocket_id is null
