-- A delivery is current when the current version of its scope has the content that it brought.
-- Parameters: customer_id, document_kind, first_scope, last_scope.
update raw.delivery
set is_current = (delivery.outcome <> 'QUARANTINED' and delivery.content_hash = s.content_hash)
from load_state as s
where
    delivery.customer_id = $customer_id
    and delivery.document_kind = $document_kind
    and delivery.scope_date between $first_scope and $last_scope
    and delivery.scope_pocket_id = s.scope_pocket_id
    and delivery.scope_date = s.scope_date
    and s.content_hash is not null
    and delivery.is_current
    is distinct from (delivery.outcome <> 'QUARANTINED' and delivery.content_hash = s.content_hash);
