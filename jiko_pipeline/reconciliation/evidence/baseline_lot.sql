-- baseline_lot: the bills of each baseline.
select lot.pocket_id, lot.business_date, lot.cusip, lot.face_amount, lot.historical_cost
from recon.baseline_lot as lot
join baseline
    on baseline.pocket_id = lot.pocket_id
    and baseline.baseline_seq = lot.baseline_seq
where lot.customer_id = getvariable('customer_id')
