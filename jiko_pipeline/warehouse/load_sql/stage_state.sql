-- What is current now in each scope that the batch speaks of.
-- Parameters: customer_id, document_kind, first and last scope date.
create or replace temp table load_state as
with
    batch_scopes as (
        select distinct scope_pocket_id, scope_date
        from load_delivery
    ),

    earlier_deliveries as (
        select
            d.scope_pocket_id,
            d.scope_date,
            max(d.version_no) as last_version_no,
            max(d.content_hash) filter (where d.is_current) as content_hash,
            max(d.version_no) filter (where d.is_current) as version_no,
            max(coalesce(d.created_at_provider_utc, d.known_from_utc)) filter (where d.is_current) as made_at_utc
        from raw.delivery as d
        where
            d.customer_id = $customer_id
            and d.document_kind = $document_kind
            and d.scope_date between $first_scope and $last_scope
        group by d.scope_pocket_id, d.scope_date
    ),

    refused_now as (
        select
            q.scope_pocket_id,
            q.scope_date,
            max(coalesce(d.created_at_provider_utc, d.known_from_utc)) as refused_made_at_utc
        from staging.quarantine as q
        inner join raw.delivery as d
            on
                d.customer_id = q.customer_id
                and d.document_kind = q.document_kind
                and d.scope_pocket_id = q.scope_pocket_id
                and d.scope_date = q.scope_date
                and d.outcome = 'QUARANTINED'
                and d.content_hash = q.row_hash
        where
            q.customer_id = $customer_id
            and q.document_kind = $document_kind
            and q.scope_date between $first_scope and $last_scope
            and q.is_whole_document
            and q.known_to_utc is null
        group by q.scope_pocket_id, q.scope_date
    )

select
    batch_scopes.scope_pocket_id,
    batch_scopes.scope_date,
    e.content_hash,
    e.version_no,
    coalesce(e.last_version_no, 0) as last_version_no,
    e.made_at_utc,
    refused_now.refused_made_at_utc
from batch_scopes
left join earlier_deliveries as e
    on e.scope_pocket_id = batch_scopes.scope_pocket_id and e.scope_date = batch_scopes.scope_date
left join refused_now
    on
        refused_now.scope_pocket_id = batch_scopes.scope_pocket_id
        and refused_now.scope_date = batch_scopes.scope_date;
