-- Entries of the bank statements that are no sweeps; one that could not be classified may be of any kind.
select
    row_number() over (order by pocket_id, bank_transaction.business_date, bank_transaction_key) as row_no,
    pocket_id,
    bank_transaction.business_date,
    bank_transaction_key as row_key,
    activity_id as reference,
    pocket_id as scope,
    pocket_id as attributes,
    case
        when category in ('ONUS_IN', 'ONUS_OUT') then 'ON_US'
        when category in ('CARD', 'FEE', 'CREDIT') then category
        when category is not null then 'TRANSFER'
    end as family,
    signed_amount as amount,
    calendar.bd_idx,
    false as may_wait
from bank_transaction
join calendar on calendar.business_date = bank_transaction.business_date
where category is null or category not in ('SWEEP_OUT', 'SWEEP_IN')
