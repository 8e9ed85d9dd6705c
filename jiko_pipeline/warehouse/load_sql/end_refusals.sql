-- Ends the refusals of whole documents that something of one turn has overtaken: a good document that is
-- not older, or another refusal that is not older. Parameters: turn, customer_id, document_kind,
-- first_scope, last_scope.
update staging.quarantine
set known_to_utc = greatest(quarantine.known_from_utc, d.known_from_utc)
from load_delivery as d, load_state as s
where
    d.turn = $turn
    and d.outcome in ('NEW_VERSION', 'UNCHANGED', 'QUARANTINED')
    and s.scope_pocket_id = d.scope_pocket_id
    and s.scope_date = d.scope_date
    and d.made_at_utc >= s.refused_made_at_utc
    and quarantine.customer_id = $customer_id
    and quarantine.document_kind = $document_kind
    and quarantine.scope_date between $first_scope and $last_scope
    and quarantine.scope_pocket_id = d.scope_pocket_id
    and quarantine.scope_date = d.scope_date
    and quarantine.is_whole_document
    and quarantine.known_to_utc is null
    and not (d.outcome = 'QUARANTINED' and d.content_hash = quarantine.row_hash);
