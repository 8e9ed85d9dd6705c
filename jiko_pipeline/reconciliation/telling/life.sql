-- The events of one break, in order. Parameter: break_id.
select
    event_seq, event, at_utc, actor, difference,
    coalesce(case when event = 'CLEARED_AUTO' then detail end, reason, ''),
    owner, accepted_until, cleared_by_document_sha256
from recon.break_event
where break_id = $break_id
order by event_seq
