-- expected_payment: what the customer's own list expects around the judged time, as it stands now; a pocket is named
-- by its id or its name.
select
    expected.expected_id,
    pocket.pocket_id,
    expected.direction,
    expected.amount_low,
    expected.amount_high,
    expected.date_low,
    expected.date_high,
    lower(expected.counterparty) as counterparty,
    lower(expected.reference) as reference,
    expected.transaction_type
from core.expected_payment as expected
join core.pocket as pocket
    on pocket.customer_id = expected.customer_id
    and expected.pocket in (pocket.pocket_id, pocket.pocket_name)
where expected.customer_id = getvariable('customer_id')
  and expected.known_to_utc is null
  and expected.date_high >= getvariable('history_first')
  and expected.date_low <= getvariable('following_last')
