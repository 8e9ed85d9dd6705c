-- What this run found by each control. Parameters: run_id, legal_entity_id.
insert into recon.run_control by name
select
    $run_id as run_id,
    getvariable('customer_id') as customer_id,
    $legal_entity_id as legal_entity_id,
    control.control_id,
    control.control_version,
    control.sql_sha256,
    count(*) filter (where result.status in ('PASS', 'BREAK')) as tested,
    count(*) filter (where result.status = 'PASS') as passed,
    count(*) filter (where result.status = 'BREAK') as broken,
    count(*) filter (where result.status = 'NOT_TESTED') as not_tested,
    cast(sum(result.left_value) filter (where result.status <> 'NOT_TESTED') as decimal(38, 6)) as left_sum,
    cast(sum(result.right_value) filter (where result.status <> 'NOT_TESTED') as decimal(38, 6)) as right_sum
from recon.control as control
left join judged_result as result on result.control_id = control.control_id
group by control.control_id, control.control_version, control.sql_sha256
order by control.control_id
