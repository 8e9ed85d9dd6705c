-- One break with what its control and its code say. Parameter: break_id.
select
    found.*,
    -- What was found, also of a break that is cleared by now.
    coalesce(
        (
            select arg_max(event.detail, event.event_seq)
            from recon.break_event as event
            where event.break_id = $break_id and event.event in ('OPENED', 'CHANGED', 'OVERDUE', 'REOPENED')
        ),
        found.detail
    ) as cause,
    coalesce(pocket.pocket_name, '') as pocket_name,
    coalesce(control.title, '') as title,
    coalesce(control.identity, '') as identity,
    coalesce(control.tolerance, '') as tolerance,
    coalesce(control.hides, '') as hides,
    coalesce(control.evidence_class, '') as evidence_class,
    coalesce(code.unit, 'NONE') as unit,
    coalesce(code.next_step, '') as next_step
from recon."break" as found
left join recon.control as control on control.control_id = found.control_id
left join recon.break_code as code on code.control_id = found.control_id and code.code = found.code
left join core.pocket as pocket
    on pocket.customer_id = found.customer_id and pocket.pocket_id = found.pocket_id
where found.break_id = $break_id
