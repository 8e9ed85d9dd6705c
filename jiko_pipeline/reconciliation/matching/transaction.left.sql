-- Movements as the API states them; those that may wait have five business days to be booked.
select
    row_number() over (order by pocket_id, api_transaction.business_date, activity_id) as row_no,
    pocket_id,
    api_transaction.business_date,
    activity_id as row_key,
    activity_id as reference,
    pocket_id as scope,
    pocket_id as attributes,
    case
        when transaction_type in ('CARD', 'ON_US', 'FEE', 'CREDIT') then transaction_type
        else 'TRANSFER'
    end as family,
    signed_amount as amount,
    calendar.bd_idx,
    transaction_type = 'CARD' or transaction_status is distinct from 'SETTLED' as may_wait
from api_transaction
join calendar on calendar.business_date = api_transaction.business_date
