-- May the balance of a pocket and day be booked: for every pocket-day of closing_day, after its bridge is made.
-- Ready only when every required control has a result and each is PASS, a break whose acceptance still binds, or not
-- tested for want of activity, because it is not due, or on a baseline; every input was made after the cut-off and is the
-- one that was judged; the basis is confirmed; no S1 break of the day or an earlier one is open for the pocket or for the
-- customer as a whole; and no break of timing is past the day by which it had to clear. Otherwise the reasons say why,
-- with control ids. Never null.
-- Parameters: customer_id, legal_entity_id, required (list of control ids).
insert into mart.daily_close
with required as (
    select unnest($required) as control_id
),
result as (
    select result.*
    from recon.result as result
    join closing_day using (pocket_id, business_date)
    where result.customer_id = $customer_id and result.business_date >= (select min(business_date) from closing_day)
),
known_break as (
    select pocket_id, business_date, break_id, control_id, code, severity, status, break_class, effective_class, clear_by
    from recon."break"
    where customer_id = $customer_id and status in ('OPEN', 'ACCEPTED')
),
verdict as (
    select
        day.pocket_id, day.business_date, required.control_id,
        count(result.status) as results,
        count(*) filter (where result.status = 'BREAK' and accepted.break_id is null) as broken,
        string_agg(distinct result.code, ', ' order by result.code) filter (
            where result.status = 'BREAK' and accepted.break_id is null
        ) as codes,
        string_agg(
            distinct result.reason || case when result.blocked_by <> '' then ' by ' || result.blocked_by else '' end, ', '
        ) filter (
            where result.status = 'NOT_TESTED' and result.reason not in ('NO_ACTIVITY', 'NOT_DUE', 'BASELINE')
        ) as untested
    from closing_day as day
    cross join required
    left join result
        on result.pocket_id = day.pocket_id
        and result.business_date = day.business_date
        and result.control_id = required.control_id
    left join known_break as accepted on accepted.break_id = result.break_id and accepted.status = 'ACCEPTED'
    group by day.pocket_id, day.business_date, required.control_id
),
input as (
    select
        day.pocket_id, day.business_date, delivery.document_kind,
        bool_or(delivery.finality <> 'PROVISIONAL') as is_after_cutoff
    from closing_day as day
    join raw.delivery as delivery
        on delivery.scope_date = day.business_date
        and delivery.scope_pocket_id in (day.pocket_id, '')
    where delivery.customer_id = $customer_id
        and delivery.is_current
        and delivery.scope_date >= (select min(business_date) from closing_day)
        and delivery.document_kind in (
            'BANK_STATEMENT', 'BROKERAGE_STATEMENT', 'POSITION', 'SECURITY_PRICE', 'TRADE_REPORT_CSV',
            'TRADE_REPORT_KYRIBA_CSV', 'API_TRANSACTIONS', 'API_TRADES'
        )
    group by day.pocket_id, day.business_date, delivery.document_kind
),
-- a version that arrived after the one that runs took in
newer as (
    select distinct day.pocket_id, day.business_date, delivery.document_kind
    from closing_day as day
    join raw.delivery as delivery
        on delivery.scope_date = day.business_date
        and delivery.scope_pocket_id in (day.pocket_id, '')
    join recon.input_version as judged
        on judged.customer_id = delivery.customer_id
        and judged.document_kind = delivery.document_kind
        and judged.scope_pocket_id = delivery.scope_pocket_id
        and judged.scope_date = delivery.scope_date
        and judged.to_run_seq is null
        and judged.scope_date >= (select min(business_date) from closing_day)
    where delivery.customer_id = $customer_id
        and delivery.is_current
        and delivery.scope_date >= (select min(business_date) from closing_day)
    group by day.pocket_id, day.business_date, delivery.document_kind, delivery.scope_pocket_id, delivery.content_hash
    having not bool_or(judged.content_hash = delivery.content_hash)
),
open_break as (
    select * from known_break where status = 'OPEN'
),
overdue as (
    select
        day.pocket_id, day.business_date,
        min(
            open_break.control_id || ' ' || open_break.code || ' of ' || cast(open_break.business_date as varchar)
                || ' had to clear by ' || cast(open_break.clear_by as varchar)
        ) as one
    from closing_day as day
    join open_break
        on open_break.pocket_id in (day.pocket_id, '')
        and open_break.business_date <= day.business_date
    where open_break.break_class = 'TIMING' and open_break.effective_class <> 'TIMING'
    group by day.pocket_id, day.business_date
),
earlier as (
    select
        day.pocket_id, day.business_date,
        count(*) as breaks,
        min(open_break.control_id || ' ' || open_break.code || ' of ' || cast(open_break.business_date as varchar)) as one
    from closing_day as day
    join open_break
        on open_break.pocket_id in (day.pocket_id, '')
        and open_break.business_date < day.business_date
        and open_break.severity = 'S1'
    group by day.pocket_id, day.business_date
),
reason as (
    select pocket_id, business_date, 1 as place, control_id as part,
        case
            when results = 0 then control_id || ' has no result for this day.'
            when broken > 0 then control_id || ' is broken (' || codes || ').'
            else control_id || ' was not tested (' || untested || ').'
        end as sentence
    from verdict
    where results = 0 or broken > 0 or untested is not null
    union all
    select day.pocket_id, day.business_date, 1, open_break.control_id,
        open_break.control_id || ' is broken ('
            || string_agg(distinct open_break.code, ', ' order by open_break.code) || ').'
    from closing_day as day
    join open_break using (pocket_id, business_date)
    where open_break.severity = 'S1' and open_break.control_id not in (select control_id from required)
    group by day.pocket_id, day.business_date, open_break.control_id
    union all
    select day.pocket_id, day.business_date, 1, open_break.control_id,
        open_break.control_id || ' is broken for the customer ('
            || string_agg(distinct open_break.code, ', ' order by open_break.code) || ').'
    from closing_day as day
    join open_break on open_break.pocket_id = '' and open_break.business_date = day.business_date
    where open_break.severity = 'S1'
    group by day.pocket_id, day.business_date, open_break.control_id
    union all
    select pocket_id, business_date, 2, document_kind, 'The ' || document_kind || ' was made before the day ended.'
    from input
    where not is_after_cutoff
    union all
    select pocket_id, business_date, 2, document_kind, 'Another ' || document_kind || ' has arrived since the day was judged.'
    from newer
    union all
    select pocket_id, business_date, 5, '', one || '.'
    from overdue
    union all
    select pocket_id, business_date, 3, '', 'How the bank books is not confirmed for this day.'
    from closing_day
    where not exists (
        select 1 from recon.basis
        where basis.customer_id = $customer_id and basis.effective_from <= closing_day.business_date
    )
    union all
    select pocket_id, business_date, 4, '',
        case when breaks = 1 then 'A break of an earlier day is open: ' || one || '.'
            else cast(breaks as varchar) || ' breaks of earlier days are open, among them ' || one || '.' end
    from earlier
),
why_not as (
    select pocket_id, business_date, cast(to_json(list(sentence order by place, part)) as varchar) as reasons
    from reason
    group by pocket_id, business_date
),
open_count as (
    select
        pocket_id, business_date,
        count(*) filter (where severity = 'S1') as s1,
        count(*) filter (where severity = 'S2') as s2,
        count(*) filter (where severity = 'S3') as s3
    from open_break
    group by pocket_id, business_date
),
result_count as (
    select
        pocket_id, business_date,
        count(*) filter (where status = 'PASS') as passed,
        count(*) filter (where status = 'BREAK') as broken,
        count(*) filter (where status = 'NOT_TESTED') as not_tested
    from result
    group by pocket_id, business_date
),
bridge as (
    select
        pocket_id, business_date,
        '{' || string_agg(
            '"' || label || '": ' || coalesce('"' || cast(amount as varchar) || '"', 'null'), ', ' order by line_no
        ) || '}' as explained_by,
        max(amount) filter (where label = 'unexplained') as unexplained
    from mart.recon_bridge
    where customer_id = $customer_id
    group by pocket_id, business_date
)
select
    $customer_id,
    $legal_entity_id,
    day.pocket_id,
    day.business_date,
    why_not.reasons is null,
    coalesce(why_not.reasons, '[]'),
    coalesce(open_count.s1, 0),
    coalesce(open_count.s2, 0),
    coalesce(open_count.s3, 0),
    result_count.passed,
    result_count.broken,
    result_count.not_tested,
    statement.opening_value,
    statement.closing_value,
    statement.closing_value - statement.opening_value,
    coalesce(bridge.explained_by, '{}'),
    bridge.unexplained,
    day.run_id
from closing_day as day
join result_count using (pocket_id, business_date)
left join why_not using (pocket_id, business_date)
left join open_count using (pocket_id, business_date)
left join bridge using (pocket_id, business_date)
left join core.brokerage_daily as statement
    on statement.customer_id = $customer_id
    and statement.pocket_id = day.pocket_id
    and statement.business_date = day.business_date
order by day.business_date, day.pocket_id
