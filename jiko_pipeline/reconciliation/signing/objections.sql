-- What keeps the period from being signed off, one sentence each. Reads signed_day.
-- Parameters: customer_id, pocket_id, first, last, period, required (list of control ids).
with required as (
    select unnest($required) as control_id
),
result as (
    select result.*
    from recon.result as result
    where result.customer_id = $customer_id
      and (result.pocket_id, result.business_date) in (select (pocket_id, business_date) from signed_day)
),
unjudged as (
    select calendar.business_date
    from core.calendar as calendar
    where calendar.is_fed_business_day
      and calendar.business_date between $first and $last
      and calendar.business_date not in (select business_date from signed_day where pocket_id <> '')
),
open_break as (
    select control_id, code, business_date, count(*) as breaks
    from recon."break"
    where customer_id = $customer_id
      and status = 'OPEN'
      and severity = 'S1'
      and business_date <= $last
      and ($pocket_id = '' or pocket_id in ($pocket_id, ''))
    group by control_id, code, business_date
),
untested as (
    select
        day.pocket_id, day.business_date, required.control_id,
        count(result.status) as results,
        string_agg(distinct result.reason, ', ' order by result.reason) filter (
            where result.status = 'NOT_TESTED' and result.reason not in ('NO_ACTIVITY', 'NOT_DUE', 'BASELINE')
        ) as reasons
    from signed_day as day
    cross join required
    left join result
        on result.pocket_id = day.pocket_id
        and result.business_date = day.business_date
        and result.control_id = required.control_id
    where day.pocket_id <> ''
    group by day.pocket_id, day.business_date, required.control_id
),
input as (
    select
        delivery.document_kind, delivery.scope_pocket_id, delivery.scope_date, delivery.content_hash,
        delivery.finality, delivery.outcome = 'QUARANTINED' as is_refused
    from raw.delivery as delivery
    where delivery.customer_id = $customer_id
      and (delivery.is_current or delivery.outcome = 'QUARANTINED')
      and delivery.scope_date between $first and $last
      and ($pocket_id = '' or delivery.scope_pocket_id in ($pocket_id, ''))
    group by all
),
provisional as (
    select document_kind, scope_pocket_id, scope_date
    from input
    where not is_refused
    group by document_kind, scope_pocket_id, scope_date
    having bool_and(finality = 'PROVISIONAL')
),
judged_by as (
    select business_date, max(run_seq) as run_seq from signed_day group by business_date
),
taken_in as (
    select
        version.document_kind, version.scope_pocket_id, version.scope_date, version.content_hash, version.finality,
        version.is_refused
    from judged_by
    join recon.input_version as version
        on version.scope_date = judged_by.business_date
        and version.from_run_seq <= judged_by.run_seq
        and (version.to_run_seq is null or version.to_run_seq > judged_by.run_seq)
    where version.customer_id = $customer_id
      and ($pocket_id = '' or version.scope_pocket_id in ($pocket_id, ''))
),
changed as (
    select document_kind, scope_pocket_id, scope_date
    from (
        (select * from input where scope_date in (select business_date from judged_by) except select * from taken_in)
        union
        (select * from taken_in except select * from input)
    ) as difference
    group by document_kind, scope_pocket_id, scope_date
),
-- a month is final once its statements, positions and trades have been asked for again and were the same
asked_once as (
    select document_kind, scope_pocket_id, scope_date
    from raw.delivery
    where $period = 'MONTH'
      and customer_id = $customer_id
      and is_current
      and scope_date between $first and $last
      and ($pocket_id = '' or scope_pocket_id in ($pocket_id, ''))
      and document_kind in (
          'BANK_STATEMENT', 'BROKERAGE_STATEMENT', 'POSITION', 'TRADE_REPORT_CSV', 'TRADE_REPORT_KYRIBA_CSV', 'API_TRADES'
      )
    group by document_kind, scope_pocket_id, scope_date
    having count(distinct known_from_utc) filter (where finality <> 'PROVISIONAL') < 2
),
restated as (
    select result.control_id, result.code, result.business_date
    from result
    left join recon."break" as found on found.break_id = result.break_id
    where $period = 'MONTH'
      and result.control_id in ('K06', 'K37')
      and result.status = 'BREAK'
      and found.status is distinct from 'ACCEPTED'
    group by result.control_id, result.code, result.business_date
),
objection as (
    select 1 as place, business_date, 'No control has judged ' || cast(business_date as varchar) || '.' as sentence
    from unjudged
    union all
    select 2, business_date, control_id || ' ' || code || ' of ' || cast(business_date as varchar) || ' is open (S1).'
    from open_break
    union all
    select 3, business_date,
        control_id || ' is required and was not tested on ' || cast(business_date as varchar) || ' for '
            || cast(count(*) as varchar) || ' of the pockets (' || coalesce(min(reasons), 'NO_RESULT') || ').'
    from untested
    where results = 0 or reasons is not null
    group by business_date, control_id
    union all
    select 4, scope_date,
        'The ' || document_kind || ' of ' || cast(scope_date as varchar) || ' was made before the day ended.'
    from provisional
    group by scope_date, document_kind
    union all
    select 5, scope_date,
        'The ' || document_kind || ' of ' || cast(scope_date as varchar) || ' has changed since the run that judged it.'
    from changed
    group by scope_date, document_kind
    union all
    select 6, business_date,
        control_id || ' ' || code || ' of ' || cast(business_date as varchar) || ' is not accepted.'
    from restated
    union all
    select 7, min(scope_date),
        'The ' || document_kind || ' has been asked for once only on ' || cast(count(distinct scope_date) as varchar)
            || ' days from ' || cast(min(scope_date) as varchar) || ' on: a month is final when it was asked for again.'
    from asked_once
    group by document_kind
)
select sentence from objection order by place, business_date, sentence
