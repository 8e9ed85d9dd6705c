-- The bills of the pocket's latest step: one lot a CUSIP at average cost. Parameters: customer_id, legal_entity_id,
-- pocket_id, day.
insert into recon.baseline_lot by name
select
    $customer_id as customer_id,
    $legal_entity_id as legal_entity_id,
    pocket_id,
    business_date,
    (select max(baseline_seq) from recon.baseline where customer_id = $customer_id) as baseline_seq,
    cusip,
    face_amount,
    historical_cost,
    'LOT_UNKNOWN' as lot_source
from core.position_daily
where customer_id = $customer_id and pocket_id = $pocket_id and business_date = $day
