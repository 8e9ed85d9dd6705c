-- document_fact: the row counts of the documents whose content is current, for each pocket and day they speak of.
select distinct
    delivery.document_kind,
    delivery.scope_pocket_id as pocket_id,
    delivery.scope_date as business_date,
    document.rows_in_document,
    document.rows_loaded,
    document.rows_rejected
from raw.delivery as delivery
join raw.document as document on document.document_id = delivery.document_id
where delivery.customer_id = getvariable('customer_id')
  and delivery.is_current
  and delivery.scope_date between getvariable('history_first') and getvariable('following_last')
