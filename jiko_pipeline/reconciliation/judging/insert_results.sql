-- The results of this run.
insert into recon.result
select
    getvariable('customer_id'),
    $legal_entity_id,
    pocket_id,
    business_date,
    control_id,
    entity_key,
    status,
    code,
    sub_code,
    reason,
    left_value,
    right_value,
    difference,
    detail,
    blocked_by,
    root_break_id,
    break_id,
    $run_id
from judged_result
order by business_date, pocket_id, control_id, entity_key, code
