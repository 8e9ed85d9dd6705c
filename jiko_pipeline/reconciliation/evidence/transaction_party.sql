-- transaction_party: whom a movement names as its other side: by the fields of its type, by its bank entry.
select
    movement.activity_id,
    min(lower(json_extract_string(stated.details, '$.company_id'))) as company_id,
    min(lower(json_extract_string(stated.details, '$.company_name'))) as company_name,
    min(lower(entry.counterparty)) as counterparty,
    lower(concat_ws(' ', min(movement.title), min(movement.description), min(entry.remittance), min(entry.end_to_end_id)))
        as words
from core.api_transaction as movement
left join staging.api_transaction as stated
    on stated.customer_id = movement.customer_id
    and stated.activity_id = movement.activity_id
    and stated.document_kind = 'API_TRANSACTIONS'
    and stated.known_to_utc is null
    and stated.scope_date between getvariable('history_first') - 7 and getvariable('following_last') + 7
left join core.bank_transaction as entry
    on entry.customer_id = movement.customer_id
    and entry.activity_id = movement.activity_id
    and entry.business_date between getvariable('history_first') and getvariable('following_last')
where movement.customer_id = getvariable('customer_id')
  and movement.business_date between getvariable('history_first') and getvariable('following_last')
group by movement.activity_id
