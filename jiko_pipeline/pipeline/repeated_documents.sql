-- Documents whose bytes say nothing that an earlier one, which stays, does not say, and that no evidence names; each
-- with a sentence why. Parameter: before (UTC; what came later stays).
with
    signed as (
        select customer_id, pocket_id, first_date, last_date
        from recon.signoff
        where status = 'SIGNED'
    ),

    named as (
        select cleared_by_document_sha256 as document_sha256 from recon.break_event
        union
        select document_sha256 from recon.baseline
    ),

    first_final as (
        -- The earliest delivery of each content that was as final as it can be; of equal times the one of least id.
        select
            customer_id, document_kind, scope_pocket_id, scope_date, content_hash,
            min((known_from_utc, document_id)) as earliest
        from raw.delivery
        where finality = 'AFTER_CUTOFF' and outcome in ('NEW_VERSION', 'UNCHANGED')
        group by customer_id, document_kind, scope_pocket_id, scope_date, content_hash
    ),

    judged as (
        select
            delivery.document_id,
            delivery.outcome = 'UNCHANGED'
            and (
                delivery.finality <> 'AFTER_CUTOFF'
                or (delivery.known_from_utc, delivery.document_id) > first_final.earliest
            )
            and not exists (
                select 1
                from raw.delivery as refused
                where refused.customer_id = delivery.customer_id
                  and refused.document_kind = delivery.document_kind
                  and refused.scope_pocket_id = delivery.scope_pocket_id
                  and refused.scope_date = delivery.scope_date
                  and refused.outcome = 'QUARANTINED'
            )
            and not exists (
                select 1
                from signed
                where signed.customer_id = delivery.customer_id
                  and delivery.scope_date between signed.first_date and signed.last_date
            ) as may_go
        from raw.delivery as delivery
        left join first_final
            on first_final.customer_id = delivery.customer_id
            and first_final.document_kind = delivery.document_kind
            and first_final.scope_pocket_id = delivery.scope_pocket_id
            and first_final.scope_date = delivery.scope_date
            and first_final.content_hash = delivery.content_hash
    )

select
    document.document_id,
    'it repeats what was known: ' || document.document_kind
    || coalesce(' of ' || cast(document.first_date as varchar), '')
    || ', fetched ' || cast(cast(document.fetched_at_utc as date) as varchar) as why
from raw.document as document
join judged on judged.document_id = document.document_id
where document.fetched_at_utc < $before
  and document.outcome = 'LOADED'
  and document.source_operation not in ('supplied', 'packaged')
  and document.document_sha256 not in (select document_sha256 from named where document_sha256 is not null)
group by document.document_id, document.document_kind, document.first_date, document.fetched_at_utc
having bool_and(coalesce(judged.may_go, false))
order by document.fetched_at_utc, document.document_id
