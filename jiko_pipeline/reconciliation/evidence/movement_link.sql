-- movement_link: what a movement of the API says of other movements: the other leg of a transfer between pockets, the
-- movement a fee is for, the movement a return sends back.
select
    stated.activity_id,
    stated.transaction_id,
    stated.pocket_id,
    json_extract_string(stated.details, '$.on_us_transfer_id') as on_us_transfer_id,
    json_extract_string(stated.details, '$.on_us_transfer_type') as on_us_transfer_type,
    json_extract_string(stated.details, '$.source') as source_pocket_id,
    json_extract_string(stated.details, '$.target') as target_pocket_id,
    json_extract_string(stated.details, '$.related_transaction_id') as related_transaction_id,
    json_extract_string(stated.details, '$.original_transaction_id') as original_transaction_id
from staging.api_transaction as stated
where stated.customer_id = getvariable('customer_id')
  and stated.document_kind = 'API_TRANSACTIONS'
  and stated.known_to_utc is null
  and stated.row_ordinal = 1
  and stated.details is not null
  and stated.scope_date between getvariable('history_first') - 7 and getvariable('following_last')
