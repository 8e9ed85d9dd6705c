-- id: K02
-- version: 1.0
-- title: The ranges that were asked for leave no day out, are no longer than the bank allows, and agree where they overlap.
-- key: date, document, pocket
-- identity: union of the ranges asked for = every calendar day between the first and the last of them, for reports
--   every Fed business day; trade reports: at most 31 days a request, and two requests made on one day state a day of both alike
-- tolerance: 0
-- hides: days before the first request and after the last; a day of a range that the bank itself left out
-- codes: RANGE_HOLE = MISSING, RANGE_OVERLAP_DIFF = DATA_QUALITY
-- severity: S1
-- evidence: ARITHMETIC
-- inputs: TRADE_REPORT_CSV, TRADE_REPORT_KYRIBA_CSV, SECURITY_PRICE, API_TRANSACTIONS, API_TRANSACTIONS_CSV, API_TRADES,
--   API_TRADES_V1, API_TRADES_CSV, AUDIT_LOGS, AUDIT_LOGS_CSV
-- chained: no
-- gate: no
-- required: no
-- scope: customer
-- Requests of one document for one pocket by one kind of date belong together; a judged date also speaks of the calendar
-- days since the previous business day, on which a bank lists movements but makes no report.
with judged_date as (
    select distinct business_date, previous_bd from judged_day
),
reach as (
    select document_kind, pocket_id, date_type, min(first_date) as first_date, max(last_date) as last_date
    from asked_range
    group by document_kind, pocket_id, date_type
),
wanted as (
    select judged_date.business_date, calendar.business_date as asked_day, reach.document_kind, reach.pocket_id,
        reach.date_type
    from judged_date
    join calendar
        on calendar.business_date > judged_date.previous_bd and calendar.business_date <= judged_date.business_date
    join reach on calendar.business_date >= reach.first_date and calendar.business_date <= reach.last_date
    where calendar.business_date = judged_date.business_date
       or reach.document_kind not in ('TRADE_REPORT_CSV', 'TRADE_REPORT_KYRIBA_CSV', 'SECURITY_PRICE')
),
covered as (
    select
        wanted.business_date,
        wanted.asked_day,
        wanted.document_kind,
        wanted.pocket_id,
        wanted.date_type,
        count(asked_range.document_kind) as requests,
        max(case when wanted.document_kind in ('TRADE_REPORT_CSV', 'TRADE_REPORT_KYRIBA_CSV')
            and days_between(asked_range.first_date, asked_range.last_date) > 30 then 1 else 0 end) as too_long
    from wanted
    left join asked_range
        on asked_range.document_kind = wanted.document_kind
        and asked_range.pocket_id = wanted.pocket_id
        and asked_range.date_type = wanted.date_type
        and asked_range.first_date <= wanted.asked_day
        and asked_range.last_date >= wanted.asked_day
    group by wanted.business_date, wanted.asked_day, wanted.document_kind, wanted.pocket_id, wanted.date_type
),
summed as (
    select
        business_date,
        document_kind,
        pocket_id,
        count(*) as days,
        count(*) filter (where requests > 0) as days_covered,
        max(too_long) as too_long,
        min(case when requests = 0 then asked_day end) as first_hole
    from covered
    group by business_date, document_kind, pocket_id
),
overlap as (
    select
        judged_date.business_date,
        overlapping_delivery.document_kind,
        overlapping_delivery.pocket_id,
        max(overlapping_delivery.statements) as statements
    from judged_date
    join overlapping_delivery
        on overlapping_delivery.business_date > judged_date.previous_bd
        and overlapping_delivery.business_date <= judged_date.business_date
    group by judged_date.business_date, overlapping_delivery.document_kind, overlapping_delivery.pocket_id
),
judged as (
    select
        summed.business_date,
        trim(summed.document_kind || ' ' || summed.pocket_id) as entity_key,
        summed.days,
        summed.days_covered,
        summed.first_hole,
        case
            when summed.days_covered < summed.days then 'RANGE_HOLE'
            when summed.too_long = 1 then 'TOO_LONG'
            when overlap.document_kind is not null then 'RANGE_OVERLAP_DIFF'
            else 'PASS'
        end as finding
    from summed
    left join overlap
        on overlap.business_date = summed.business_date
        and overlap.document_kind = summed.document_kind
        and overlap.pocket_id = summed.pocket_id
)
select
    '' as pocket_id,
    business_date,
    entity_key,
    case when finding = 'PASS' then 'PASS' else 'BREAK' end as status,
    case finding when 'PASS' then '' when 'TOO_LONG' then 'RANGE_HOLE' else finding end as code,
    case when finding = 'TOO_LONG' then 'TOO_LONG' else '' end as sub_code,
    '' as reason,
    days as left_value,
    days_covered as right_value,
    days - days_covered as difference,
    case finding
        when 'PASS' then ''
        when 'RANGE_HOLE' then 'No request covers ' || cast(first_hole as string)
            || ', though days before and after it were asked for.'
        when 'TOO_LONG' then 'A request was for more than the 31 days that the bank answers.'
        else 'Two requests made on one day state this day differently.'
    end as detail
from judged
union all
select
    '' as pocket_id,
    judged_date.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    'NO_INPUT' as reason,
    null as left_value,
    null as right_value,
    null as difference,
    'No request for a range of days covers this day.' as detail
from judged_date
left join (select distinct business_date from judged) as spoken on spoken.business_date = judged_date.business_date
where spoken.business_date is null
