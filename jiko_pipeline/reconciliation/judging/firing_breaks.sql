-- wanted_break: the breaks that fire in this run, for the hashes of what they rest on.
create or replace temp table wanted_break as
select distinct
    judged_result.break_id, judged_result.control_id, judged_result.pocket_id, judged_result.business_date,
    judged_result.entity_key, chained_control.control_id is not null as is_chained
from judged_result
left join chained_control on chained_control.control_id = judged_result.control_id
where judged_result.status = 'BREAK'
