-- expected_list: of which days the customer's own list speaks, for each pocket and direction, as it stands now.
select
    pocket.pocket_id,
    expected.direction,
    min(expected.date_low) as first_date,
    max(expected.date_high) as last_date
from core.expected_payment as expected
join core.pocket as pocket
    on pocket.customer_id = expected.customer_id
    and expected.pocket in (pocket.pocket_id, pocket.pocket_name)
where expected.customer_id = getvariable('customer_id')
  and expected.known_to_utc is null
group by pocket.pocket_id, expected.direction
