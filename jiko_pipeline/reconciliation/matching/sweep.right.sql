-- Sweeps of the bank account, from the brokerage account's view.
select
    row_number() over (order by pocket_id, bank_transaction.business_date, bank_transaction_key) as row_no,
    pocket_id,
    bank_transaction.business_date,
    bank_transaction_key as row_key,
    end_to_end_id as reference,
    pocket_id as scope,
    pocket_id as attributes,
    cast(null as varchar) as family,
    -signed_amount as amount,
    calendar.bd_idx,
    false as may_wait
from bank_transaction
join calendar on calendar.business_date = bank_transaction.business_date
where category in ('SWEEP_OUT', 'SWEEP_IN')
