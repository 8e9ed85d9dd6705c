-- What a control says, as far as it speaks of judged pocket-days, plus a row for each judged pocket-day on which
-- it says nothing: silence is never a pass.
insert into answer
with said as (
    select * from control_answer
),
silent as (
    select judged_day.pocket_id, judged_day.business_date
    from judged_day
    left join (select distinct pocket_id, business_date from said) as spoken
        on spoken.pocket_id = judged_day.pocket_id
        and spoken.business_date = judged_day.business_date
    where spoken.pocket_id is null
)
select
    $control_id,
    $control_major,
    $is_chained,
    pocket_id,
    business_date,
    entity_key,
    status,
    code,
    sub_code,
    reason,
    left_value,
    right_value,
    difference,
    detail
from said
union all
select
    $control_id, $control_major, $is_chained, pocket_id, business_date,
    '', 'NOT_TESTED', '', '', 'NO_ANSWER', null, null, null, 'The control gave no row for this pocket and day.'
from silent
