-- What the brokerage account received from the bank account, and what it gave to it, positive towards it.
select
    row_number() over (order by pocket_id, brokerage_flow.business_date, brokerage_flow_key) as row_no,
    pocket_id,
    brokerage_flow.business_date,
    brokerage_flow_key as row_key,
    end_to_end_id as reference,
    pocket_id as scope,
    pocket_id as attributes,
    cast(null as varchar) as family,
    signed_amount as amount,
    calendar.bd_idx,
    false as may_wait
from brokerage_flow
join calendar on calendar.business_date = brokerage_flow.business_date
where flow in ('ADDITION', 'SUBTRACTION')
