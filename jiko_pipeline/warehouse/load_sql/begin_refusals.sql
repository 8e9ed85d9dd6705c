-- Enters the documents of one turn that were refused. A refusal older than what is current is entered as
-- ended, one that is current already is not entered again.
-- Parameters: turn, customer_id, legal_entity_id, document_kind, run_id.
insert into staging.quarantine by name
select
    $customer_id as customer_id,
    $legal_entity_id as legal_entity_id,
    $document_kind as document_kind,
    d.scope_pocket_id,
    d.scope_date,
    cast(1 as integer) as row_ordinal,
    s.refusal_code as reason_code,
    s.refusal_message as message,
    true as is_whole_document,
    s.refusal_locator as rejected_locator,
    cast(null as varchar) as rejected_text,
    d.content_hash as row_hash,
    doc.document_id,
    doc.document_sha256,
    doc.report_request_id,
    doc.report_id,
    d.known_from_utc,
    case
        when
            d.made_at_utc < coalesce(state.made_at_utc, d.made_at_utc)
            or d.made_at_utc < coalesce(state.refused_made_at_utc, d.made_at_utc)
            then d.known_from_utc
    end as known_to_utc,
    cast($run_id as varchar) as loaded_run_id
from load_delivery as d
inner join load_scope as s on s.document_no = d.document_no and s.scope_date = d.scope_date
inner join load_document as doc on doc.document_no = d.document_no
inner join load_state as state
    on state.scope_pocket_id = d.scope_pocket_id and state.scope_date = d.scope_date
where
    d.turn = $turn
    and d.outcome = 'QUARANTINED'
    and not exists (
        select 1
        from staging.quarantine as q
        where
            q.customer_id = $customer_id
            and q.document_kind = $document_kind
            and q.scope_pocket_id = d.scope_pocket_id
            and q.scope_date = d.scope_date
            and q.is_whole_document
            and q.known_to_utc is null
            and q.row_hash = d.content_hash
    );
