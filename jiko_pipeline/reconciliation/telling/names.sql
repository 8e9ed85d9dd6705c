-- Who or what an id is: id, name and kind, one row an id. Parameters: customer_id, ids.
with named as (
    select member_id as id, trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')) || ', team member' as words,
        known_from_utc, 1 as choice
    from core.team_member where customer_id = $customer_id
    union all
    select user_id, trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')) || ', reviewer', known_from_utc, 2
    from core.reviewer where customer_id = $customer_id
    union all
    select user_id, coalesce(user_name, '') || ', user of the API', known_from_utc, 3
    from core.signed_in_user where customer_id = $customer_id
    union all
    select counterparty_id, coalesce(name_on_account, '') || ', counterparty', known_from_utc, 4
    from core.counterparty where customer_id = $customer_id
    union all
    select pocket_id, coalesce(pocket_name, '') || ', pocket', timestamp '1970-01-01 00:00:00', 5
    from core.pocket where customer_id = $customer_id
    union all
    select subscription_id, coalesce(description, '') || ', subscription to events', known_from_utc, 6
    from core.subscription where customer_id = $customer_id
)
select id, words
from named
where list_contains($ids, id) and not starts_with(words, ',')
qualify row_number() over (partition by id order by choice, known_from_utc desc) = 1
order by id
