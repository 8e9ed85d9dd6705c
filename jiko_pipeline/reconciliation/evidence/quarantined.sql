-- quarantined: documents and rows that are kept aside now.
select
    document_kind,
    scope_pocket_id as pocket_id,
    scope_date as business_date,
    is_whole_document,
    reason_code,
    message,
    rejected_locator as locator
from staging.quarantine
where customer_id = getvariable('customer_id')
  and known_to_utc is null
  and scope_date between getvariable('history_first') and getvariable('following_last')
