-- transaction_form: movements, as each form of the listing states it now, by the New York day asked for.
select
    document_kind,
    activity_id as row_key,
    pocket_id,
    scope_date as stated_on,
    transaction_id,
    transaction_type,
    transaction_status,
    direction,
    signed_amount,
    currency,
    booked_at_utc,
    settled_at_utc,
    title,
    description
from staging.api_transaction
where customer_id = getvariable('customer_id')
  and known_to_utc is null
  and row_ordinal = 1
  and scope_date between getvariable('history_first') and getvariable('following_last')
