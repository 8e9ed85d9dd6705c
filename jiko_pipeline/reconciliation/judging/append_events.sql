-- What this run means for breaks: OPENED when it fires for the first time, REOPENED when it fires again after it
-- was cleared or resolved, or differs from what was accepted, CHANGED when its sides differ, CLEARED_AUTO when it
-- no longer fires. Nothing is written for a break that is as it was.
insert into recon.break_event
with known as (
    select
        break_event.*,
        row_number() over (partition by break_id order by event_seq desc) as back_no
    from recon.break_event as break_event
    where customer_id = getvariable('customer_id')
      and event in ('OPENED', 'CHANGED', 'REOPENED', 'CLEARED_AUTO', 'RESOLVED', 'ACCEPTED')
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
    select judged_result.*, control_code.break_class, control_code.severity
    from judged_result
    join control_code
        on control_code.control_id = judged_result.control_id
        and control_code.code = judged_result.code
    where judged_result.status = 'BREAK'
),
fired as (
    select
        firing.*,
        coalesce(last_seq.event_seq, 0) + 1 as event_seq,
        case
            when latest.break_id is null then 'OPENED'
            when latest.event in ('CLEARED_AUTO', 'RESOLVED') then 'REOPENED'
            when (latest.left_value, latest.right_value, latest.difference)
                is distinct from (firing.left_value, firing.right_value, firing.difference)
                then case when latest.event = 'ACCEPTED' then 'REOPENED' else 'CHANGED' end
            else ''
        end as event
    from firing
    left join latest on latest.break_id = firing.break_id
    left join last_seq on last_seq.break_id = firing.break_id
),
quiet as (
    select
        latest.*,
        last_seq.event_seq + 1 as next_seq,
        coalesce(
            (
                select min(
                    case
                        when judged_result.status = 'PASS' then 'The control passes for this key now.'
                        when judged_result.status = 'BREAK' then 'The control breaks for this key with another code.'
                        else 'The key is not tested now: ' || judged_result.reason || '.'
                    end
                )
                from judged_result
                where judged_result.control_id = latest.control_id
                  and judged_result.pocket_id = latest.pocket_id
                  and judged_result.business_date = latest.business_date
                  and judged_result.entity_key = latest.entity_key
            ),
            'The control has nothing to test for this key now.'
        ) as outcome
    from latest
    join last_seq on last_seq.break_id = latest.break_id
    left join firing on firing.break_id = latest.break_id
    where firing.break_id is null
      and latest.event not in ('CLEARED_AUTO', 'RESOLVED')
)
select
    getvariable('customer_id'),
    $legal_entity_id,
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
    cast($at_utc as timestamp),
    $run_id,
    'pipeline'
from fired
where event <> ''
union all
select
    customer_id,
    legal_entity_id,
    pocket_id,
    business_date,
    break_id,
    next_seq,
    'CLEARED_AUTO',
    control_id,
    entity_key,
    code,
    sub_code,
    break_class,
    severity,
    left_value,
    right_value,
    difference,
    outcome,
    cast($at_utc as timestamp),
    $run_id,
    'pipeline'
from quiet
order by 4, 3, 8, 5
