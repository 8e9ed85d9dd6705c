-- control_answer: what a control says when it was asked once for each way in which the bank may book (control_claim,
-- choice_no from 1 to $choices). On days with a confirmed basis all say the same. On other days a key passes only if it
-- passes under every one; a key that none can test keeps its reason; any other is NOT_TESTED(BASIS).
-- Parameter: choices.
create or replace temp table control_answer as
with undecided as (
    select control_claim.*
    from control_claim
    left join confirmed_basis on confirmed_basis.business_date = control_claim.business_date
    where confirmed_basis.business_date is null
),
weighed as (
    select
        pocket_id,
        business_date,
        entity_key,
        count(distinct choice_no) filter (where status = 'PASS') = $choices as passes,
        count(distinct choice_no) filter (where status = 'NOT_TESTED') = $choices
            and count(distinct reason) = 1 as is_untested,
        count(distinct choice_no) filter (where status = 'PASS') as passing
    from undecided
    group by pocket_id, business_date, entity_key
),
agreed as (
    select undecided.* exclude (choice_no)
    from undecided
    join weighed using (pocket_id, business_date, entity_key)
    where undecided.choice_no = 1 and (weighed.passes or weighed.is_untested)
),
open as (
    select
        pocket_id,
        business_date,
        entity_key,
        'NOT_TESTED' as status,
        '' as code,
        '' as sub_code,
        'BASIS' as reason,
        cast(null as decimal(38, 6)) as left_value,
        cast(null as decimal(38, 6)) as right_value,
        cast(null as decimal(38, 6)) as difference,
        'It passes under ' || cast(passing as varchar) || ' of the ' || cast($choices as varchar)
            || ' ways in which the bank may book; nobody has confirmed one.' as detail
    from weighed
    where not passes and not is_untested
)
select control_claim.* exclude (choice_no)
from control_claim
join confirmed_basis on confirmed_basis.business_date = control_claim.business_date
where control_claim.choice_no = 1
union all by name
select * from agreed
union all by name
select * from open
