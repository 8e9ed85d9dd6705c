-- run_input: what this run took in: the content of every document of the days in sight and of every snapshot, those in
-- quarantine included, with the hash of the bytes that stated it last.
create or replace temp table run_input as
select
    delivery.document_kind,
    delivery.scope_pocket_id,
    delivery.scope_date,
    delivery.content_hash,
    delivery.finality,
    delivery.outcome = 'QUARANTINED' as is_refused,
    coalesce(arg_max(document.document_sha256, (delivery.known_from_utc, document.document_sha256)), '') as document_sha256
from raw.delivery as delivery
left join raw.document as document on document.document_id = delivery.document_id
where delivery.customer_id in (getvariable('customer_id'), '')
  and (delivery.is_current or delivery.outcome = 'QUARANTINED')
  and (
      delivery.scope_date between getvariable('history_first') and getvariable('following_last')
      or delivery.scope_date = date '0001-01-01'
  )
group by
    delivery.document_kind, delivery.scope_pocket_id, delivery.scope_date, delivery.content_hash, delivery.finality,
    delivery.outcome = 'QUARANTINED'
