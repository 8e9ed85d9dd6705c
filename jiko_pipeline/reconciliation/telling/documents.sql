-- The documents that a control's inputs gave for a pocket and day, where no rows are known to stand behind a side.
-- Parameters: customer_id, pocket_id, business_date, inputs (kinds), first_word (of the entity key: one of the kinds,
-- when the break is about one document alone).
select
    'both', 'raw.document', 'rows_in_document', document.rows_in_document, delivery.scope_date,
    delivery.document_kind, document.document_sha256, '', document.report_id, document.fetched_at_utc
from raw.delivery as delivery
join raw.document as document on document.document_id = delivery.document_id
where delivery.customer_id = $customer_id
  and list_contains($inputs, delivery.document_kind)
  and (not list_contains($inputs, $first_word) or delivery.document_kind = $first_word)
  and ($pocket_id = '' or delivery.scope_pocket_id in ($pocket_id, ''))
  and delivery.scope_date = $business_date
  and (delivery.is_current or delivery.outcome = 'QUARANTINED')
order by delivery.document_kind, document.fetched_at_utc, document.document_sha256
