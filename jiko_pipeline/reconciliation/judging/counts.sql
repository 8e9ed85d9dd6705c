-- Results by control, pocket and day.
select
    control_id,
    pocket_id,
    business_date,
    count(*) filter (where status = 'PASS') as passed,
    count(*) filter (where status = 'BREAK') as broken,
    count(*) filter (where status = 'NOT_TESTED') as not_tested
from judged_result
group by control_id, pocket_id, business_date
order by control_id, business_date, pocket_id
