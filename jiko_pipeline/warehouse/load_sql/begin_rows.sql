-- Inserts the rows of the new versions of one turn that are not current already.
-- Placeholders: {table}, {rows}, {columns} (declared columns of the frame).
-- Parameters: turn, customer_id, legal_entity_id, document_kind, first_scope, last_scope, run_id.
insert into {table} by name
select
    r.customer_id,
    $legal_entity_id as legal_entity_id,
    r.document_kind,
    r.scope_pocket_id,
    r.scope_date,
    r.row_ordinal,
    {columns},
    r.row_hash,
    doc.document_id,
    doc.document_sha256,
    doc.report_request_id,
    doc.report_id,
    d.known_from_utc,
    cast(null as timestamp) as known_to_utc,
    cast($run_id as varchar) as loaded_run_id
from {rows} as r
inner join load_delivery as d on d.document_no = r.document_no and d.scope_date = r.scope_date
inner join load_document as doc on doc.document_no = r.document_no
where
    d.turn = $turn
    and d.outcome = 'NEW_VERSION'
    and not exists (
        select 1
        from {table} as t
        where
            t.customer_id = $customer_id
            and t.document_kind = $document_kind
            and t.scope_date between $first_scope and $last_scope
            and t.scope_pocket_id = r.scope_pocket_id
            and t.scope_date = r.scope_date
            and t.known_to_utc is null
            and t.row_hash = r.row_hash
    )
order by r.scope_date, r.scope_pocket_id, r.row_hash;
