-- One line of the manifest for each scope of each document of the batch.
-- Parameters: customer_id, legal_entity_id, document_kind.
insert into raw.delivery by name
select
    doc.document_id,
    $customer_id as customer_id,
    $legal_entity_id as legal_entity_id,
    $document_kind as document_kind,
    d.scope_pocket_id,
    d.scope_date,
    d.content_hash,
    d.row_count,
    d.finality,
    d.outcome,
    d.version_no,
    false as is_current,
    d.created_at_provider_utc,
    d.known_from_utc
from load_delivery as d
inner join load_document as doc on doc.document_no = d.document_no
order by d.scope_date, d.scope_pocket_id, d.turn;
