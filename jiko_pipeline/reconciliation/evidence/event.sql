-- event: what the bank told of transfers around the judged time, with the ids that its payload names.
select
    event_id,
    event_type,
    occurred_at_utc,
    stated_on,
    coalesce(json_extract_string(payload, '$.wire_id'), json_extract_string(payload, '$.on_us_id')) as transfer_id,
    json_extract_string(payload, '$.transaction_activity_id') as activity_id
from core.event
where customer_id = getvariable('customer_id')
  and event_type like 'transfers.%'
  and stated_on between getvariable('history_first') and getvariable('following_last')
