-- What has come due, whether or not its day is judged in this run: OVERDUE when a TIMING break is still open after the
-- day by which it must have cleared (it is MISSING from then on), REOPENED when an acceptance has ended.
-- Parameters: run_id, at_utc, reached (the latest business date judged), today (the day in New York).
insert into recon.break_event by name
with known as (
    select break_event.*, row_number() over (partition by break_id order by event_seq desc) as back_no
    from recon.break_event as break_event
    where customer_id = getvariable('customer_id')
      and event in ('OPENED', 'CHANGED', 'OVERDUE', 'REOPENED', 'CLEARED_AUTO', 'RESOLVED', 'ACCEPTED')
),
last_seq as (
    select break_id, max(event_seq) as event_seq
    from recon.break_event
    where customer_id = getvariable('customer_id')
    group by break_id
),
due as (
    select
        known.* replace (last_seq.event_seq + 1 as event_seq),
        case when known.event = 'ACCEPTED' then 'REOPENED' else 'OVERDUE' end as due_event
    from known
    join last_seq on last_seq.break_id = known.break_id
    where known.back_no = 1
      and (
          (known.event = 'ACCEPTED' and known.accepted_until < cast($today as date))
          or (
              known.event in ('OPENED', 'CHANGED', 'REOPENED')
              and known.break_class = 'TIMING'
              and known.clear_by < cast($reached as date)
          )
      )
)
select
    due.* exclude (back_no, due_event) replace (
        due_event as event,
        case when due_event = 'OVERDUE' then 'MISSING' else break_class end as break_class,
        cast($at_utc as timestamp) as at_utc,
        $run_id as run_id,
        'pipeline' as actor,
        cast(null as date) as accepted_until,
        case
            when due_event = 'OVERDUE'
                then 'It should have cleared by ' || cast(clear_by as varchar) || ' and counts as missing now.'
            else 'The acceptance ended on ' || cast(accepted_until as varchar) || '.'
        end as reason,
        cast($reached as date) as as_of_date,
        cast(null as varchar) as owner,
        cast(null as varchar) as cleared_by_document_sha256
    )
from due
order by business_date, pocket_id, control_id, entity_key, code
