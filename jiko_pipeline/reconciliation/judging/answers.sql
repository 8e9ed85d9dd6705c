-- What a control says of judged days, plus a row for each judged pocket-day (of a control that speaks of the
-- customer: each judged date) on which it says nothing: silence is never a pass.
insert into answer
with said as (
    select * from control_answer
),
judged as (
    select pocket_id, business_date from judged_day where not $of_customer
    union
    select '' as pocket_id, business_date from judged_day where $of_customer
),
silent as (
    select judged.pocket_id, judged.business_date
    from judged
    left join (select distinct pocket_id, business_date from said) as spoken
        on spoken.pocket_id = judged.pocket_id
        and spoken.business_date = judged.business_date
    where spoken.pocket_id is null
)
select
    $control_id,
    $control_major,
    $is_chained,
    $is_gated,
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
    $control_id, $control_major, $is_chained, $is_gated, pocket_id, business_date,
    '', 'NOT_TESTED', '', '', 'NO_ANSWER', null, null, null,
    'The control gave no row for this ' || case when $of_customer then 'day.' else 'pocket and day.' end
from silent
