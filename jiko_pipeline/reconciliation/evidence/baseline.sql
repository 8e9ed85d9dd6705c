-- baseline: what a pocket held when it was taken on, as two persons confirmed it last.
select pocket_id, business_date, baseline_seq, cash_balance
from recon.baseline
where customer_id = getvariable('customer_id')
  and status = 'CONFIRMED'
  and business_date between getvariable('history_first') and getvariable('following_last')
qualify row_number() over (partition by pocket_id order by baseline_seq desc) = 1
