-- One step in the take-on of a pocket. Parameters: as its columns.
insert into recon.baseline by name
select
    $customer_id as customer_id,
    $legal_entity_id as legal_entity_id,
    $pocket_id as pocket_id,
    cast($day as date) as business_date,
    (select coalesce(max(baseline_seq), 0) + 1 from recon.baseline where customer_id = $customer_id) as baseline_seq,
    $status as status,
    $cash as cash_balance,
    $content_hash as content_hash,
    $actor as actor,
    $document as document_sha256,
    cast($at_utc as timestamp) as at_utc
