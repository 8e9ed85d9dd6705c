-- raw.delivery as it was known at known_at_utc: what had arrived by then, with the version that was current then.
with
    arrived as (
        select d.*
        from raw.delivery as d
        where d.known_from_utc <= known_at_utc
    ),

    latest_version as (
        select
            a.customer_id,
            a.document_kind,
            a.scope_pocket_id,
            a.scope_date,
            arg_max(a.content_hash, a.version_no) as content_hash
        from arrived as a
        where a.outcome = 'NEW_VERSION'
        group by a.customer_id, a.document_kind, a.scope_pocket_id, a.scope_date
    )

select
    a.document_id,
    a.customer_id,
    a.legal_entity_id,
    a.document_kind,
    a.scope_pocket_id,
    a.scope_date,
    a.content_hash,
    a.row_count,
    a.finality,
    a.outcome,
    a.version_no,
    a.outcome <> 'QUARANTINED' and a.content_hash is not distinct from v.content_hash as is_current,
    a.created_at_provider_utc,
    a.known_from_utc
from arrived as a
left join latest_version as v
    on
        v.customer_id = a.customer_id
        and v.document_kind = a.document_kind
        and v.scope_pocket_id = a.scope_pocket_id
        and v.scope_date = a.scope_date
