-- What this run means for breaks: OPENED when one fires for the first time, REOPENED when it fires again after it was
-- cleared or is not any more what a person accepted or resolved, CHANGED when its sides differ, CLEARED_AUTO when its
-- control no longer fires and could test it. A break whose control could not test it stays as it is. Nothing is
-- written for a break that is as it was.
-- Parameters: legal_entity_id, run_id, at_utc, reached (the latest business date judged).
insert into recon.break_event by name
with known as (
    select
        break_event.*,
        row_number() over (partition by break_id order by event_seq desc) as back_no
    from recon.break_event as break_event
    where customer_id = getvariable('customer_id')
      and event in ('OPENED', 'CHANGED', 'OVERDUE', 'REOPENED', 'CLEARED_AUTO', 'RESOLVED', 'ACCEPTED')
      and (pocket_id, business_date) in (select (pocket_id, business_date) from replaced_scope)
),
latest as (
    select * from known where back_no = 1
),
last_seq as (
    select break_id, max(event_seq) as event_seq
    from recon.break_event
    where break_id in (select break_id from latest)
    group by break_id
),
firing as (
    select
        judged_result.*,
        control_code.break_class,
        control_code.severity,
        break_input.inputs_hash,
        sha256(concat_ws(
            '|',
            judged_result.control_id,
            getvariable('customer_id'),
            judged_result.pocket_id,
            trim(regexp_replace(
                regexp_replace(judged_result.entity_key, '[0-9]{4}-[0-9]{2}-[0-9]{2}', '', 'g'), ' +', ' ', 'g'
            )),
            judged_result.code
        )) as case_id,
        due_day.business_date as clear_by
    from judged_result
    join control_code
        on control_code.control_id = judged_result.control_id
        and control_code.code = judged_result.code
    join break_input on break_input.break_id = judged_result.break_id
    join core.calendar as break_day on break_day.business_date = judged_result.business_date
    left join code_due on code_due.code = judged_result.code and control_code.break_class = 'TIMING'
    left join core.calendar as due_day
        on due_day.bd_idx = break_day.bd_idx + code_due.clears_within and due_day.is_fed_business_day
    where judged_result.status = 'BREAK'
),
compared as (
    select
        firing.*,
        coalesce(last_seq.event_seq, 0) + 1 as event_seq,
        latest.event as latest_event,
        latest.break_class as latest_class,
        (latest.left_value, latest.right_value, latest.difference)
            is distinct from (firing.left_value, firing.right_value, firing.difference) as differs,
        latest.inputs_hash is not null and latest.inputs_hash <> firing.inputs_hash as rests_on_other
    from firing
    left join latest on latest.break_id = firing.break_id
    left join last_seq on last_seq.break_id = firing.break_id
),
fired as (
    select
        compared.* replace (
            -- Once it is overdue it stays so until it has been cleared.
            case
                when latest_event in ('OVERDUE', 'CHANGED', 'ACCEPTED', 'RESOLVED') and break_class = 'TIMING'
                    then latest_class
                else break_class
            end as break_class
        ),
        case
            when latest_event is null then 'OPENED'
            when latest_event = 'CLEARED_AUTO' then 'REOPENED'
            when latest_event in ('ACCEPTED', 'RESOLVED') then case when differs or rests_on_other then 'REOPENED' end
            when differs then 'CHANGED'
        end as event,
        case
            when latest_event = 'CLEARED_AUTO' then 'It fires again.'
            when latest_event in ('ACCEPTED', 'RESOLVED') and differs
                then 'Its amounts are not those that were ' || lower(latest_event) || '.'
            when latest_event in ('ACCEPTED', 'RESOLVED')
                then 'A document it rests on is not the one it was ' || lower(latest_event) || ' with.'
        end as reason_of_event
    from compared
),
key_said as (
    select
        control_id, pocket_id, business_date, entity_key,
        bool_or(status = 'PASS') as passes,
        bool_or(status = 'BREAK') as breaks,
        min(reason) filter (where status = 'NOT_TESTED') as reason
    from judged_result
    group by control_id, pocket_id, business_date, entity_key
),
day_said as (
    select
        control_id, pocket_id, business_date,
        bool_and(status = 'NOT_TESTED' and reason not in ('NO_ACTIVITY', 'BASELINE', 'NOT_DUE')) as is_untested
    from judged_result
    group by control_id, pocket_id, business_date
),
quiet as (
    select
        latest.*,
        last_seq.event_seq + 1 as next_seq,
        case
            when key_said.passes then 'The control passes for this key now.'
            when key_said.breaks then 'The control breaks for this key with another code.'
            when key_said.reason is not null then 'The key is not tested now: ' || key_said.reason || '.'
            else 'The control has nothing to test for this key now.'
        end as outcome
    from latest
    join last_seq on last_seq.break_id = latest.break_id
    left join firing on firing.break_id = latest.break_id
    left join key_said
        on key_said.control_id = latest.control_id
        and key_said.pocket_id = latest.pocket_id
        and key_said.business_date = latest.business_date
        and key_said.entity_key = latest.entity_key
    left join day_said
        on day_said.control_id = latest.control_id
        and day_said.pocket_id = latest.pocket_id
        and day_said.business_date = latest.business_date
    where firing.break_id is null
      and latest.event <> 'CLEARED_AUTO'
      and case
          when key_said.control_id is null then not coalesce(day_said.is_untested, false)
          else key_said.passes or key_said.breaks or key_said.reason in ('NO_ACTIVITY', 'BASELINE', 'NOT_DUE')
      end
),
known_before as (
    select quiet.break_id, max(run.knowledge_time_utc) as known_utc
    from quiet
    join recon.run as run
        on run.customer_id = getvariable('customer_id')
        and quiet.business_date between run.first_date and run.last_date
        and run.run_id <> $run_id
    group by quiet.break_id
),
-- The document that made the difference: of those that came since the day was judged last, the one of the day
-- itself, or the nearest one.
arrived as (
    select
        quiet.break_id,
        document.document_sha256,
        row_number() over (
            partition by quiet.break_id
            order by
                abs(delivery.scope_date - quiet.business_date),
                delivery.document_kind <> split_part(quiet.entity_key, ' ', 1),
                delivery.known_from_utc desc,
                delivery.document_kind,
                delivery.document_id
        ) as choice
    from quiet
    join known_before on known_before.break_id = quiet.break_id
    join control_input on control_input.control_id = quiet.control_id
    join raw.delivery as delivery
        on delivery.customer_id = getvariable('customer_id')
        and delivery.document_kind = control_input.document_kind
        and (quiet.pocket_id = '' or delivery.scope_pocket_id in (quiet.pocket_id, ''))
        and delivery.scope_date between quiet.business_date - 14 and quiet.business_date + 14
        and delivery.known_from_utc > known_before.known_utc
        -- A later copy with the same content can only end the wait for a copy made after the cut-off.
        and (
            delivery.outcome = 'NEW_VERSION'
            or (delivery.outcome = 'UNCHANGED' and quiet.code = 'GAP_PROVISIONAL_ONLY')
        )
    join raw.document as document on document.document_id = delivery.document_id
)
select
    getvariable('customer_id') as customer_id,
    $legal_entity_id as legal_entity_id,
    pocket_id,
    business_date,
    break_id,
    event_seq,
    event,
    control_id,
    entity_key,
    code,
    sub_code,
    break_class,
    severity,
    left_value,
    right_value,
    difference,
    detail,
    cast($at_utc as timestamp) as at_utc,
    $run_id as run_id,
    'pipeline' as actor,
    case_id,
    clear_by,
    inputs_hash,
    cast(null as date) as accepted_until,
    cast(null as varchar) as owner,
    reason_of_event as reason,
    cast($reached as date) as as_of_date,
    cast(null as varchar) as cleared_by_document_sha256
from fired
where event is not null
union all
select
    quiet.customer_id,
    quiet.legal_entity_id,
    quiet.pocket_id,
    quiet.business_date,
    quiet.break_id,
    quiet.next_seq,
    'CLEARED_AUTO',
    quiet.control_id,
    quiet.entity_key,
    quiet.code,
    quiet.sub_code,
    quiet.break_class,
    quiet.severity,
    quiet.left_value,
    quiet.right_value,
    quiet.difference,
    quiet.outcome,
    cast($at_utc as timestamp),
    $run_id,
    'pipeline',
    quiet.case_id,
    quiet.clear_by,
    quiet.inputs_hash,
    null,
    null,
    null,
    cast($reached as date),
    arrived.document_sha256
from quiet
left join arrived on arrived.break_id = quiet.break_id and arrived.choice = 1
order by business_date, pocket_id, control_id, entity_key, code
