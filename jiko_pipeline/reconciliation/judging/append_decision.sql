-- A decision of a person about a break, after its latest event; the sides are those of the state it is about.
-- Parameters: break_id, event, at_utc, actor, inputs_hash, accepted_until, owner, reason, as_of_date.
insert into recon.break_event by name
with state as (
    select *
    from recon.break_event
    where break_id = $break_id
      and event in ('OPENED', 'CHANGED', 'OVERDUE', 'REOPENED', 'CLEARED_AUTO', 'RESOLVED', 'ACCEPTED')
    order by event_seq desc
    limit 1
)
select
    state.* replace (
        (select max(event_seq) from recon.break_event where break_id = $break_id) + 1 as event_seq,
        $event as event,
        -- Never before the event it answers, whatever the clocks of two machines say.
        greatest(cast($at_utc as timestamp), state.at_utc) as at_utc,
        $actor as actor,
        $inputs_hash as inputs_hash,
        cast($accepted_until as date) as accepted_until,
        $owner as owner,
        $reason as reason,
        cast($as_of_date as date) as as_of_date,
        cast(null as varchar) as cleared_by_document_sha256
    )
from state
