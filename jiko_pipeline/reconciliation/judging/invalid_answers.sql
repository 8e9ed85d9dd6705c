-- What a control must not say: of days that are not judged (of the pocket; of any pocket, with an empty pocket_id,
-- when it speaks of the customer), unknown words, a code it does not declare, a break without a code, a key twice.
with judged as (
    select pocket_id, business_date from judged_day where not $of_customer
    union
    select '' as pocket_id, business_date from judged_day where $of_customer
),
doubtful as (
    select
        control_answer.*,
        case
            when judged.pocket_id is null then 'a pocket and day that are not judged'
            when control_answer.entity_key is null or control_answer.detail is null
                or control_answer.sub_code is null or control_answer.code is null
                or control_answer.reason is null then 'a null where a text belongs'
            when control_answer.status not in ('PASS', 'BREAK', 'NOT_TESTED') or control_answer.status is null
                then 'an unknown status'
            when control_answer.status = 'BREAK' and control_answer.code not in (select unnest($codes))
                then 'a code that its header does not declare'
            when control_answer.status <> 'BREAK' and control_answer.code <> '' then 'a code without a break'
            when control_answer.status = 'NOT_TESTED' and control_answer.reason = ''
                then 'an untested key without a reason'
            when control_answer.status <> 'NOT_TESTED' and control_answer.reason <> ''
                then 'a reason for a tested key'
            when count(*) over (
                partition by
                    control_answer.pocket_id,
                    control_answer.business_date,
                    control_answer.entity_key,
                    control_answer.code
            ) > 1 then 'the same key twice'
            else ''
        end as objection
    from control_answer
    left join judged
        on judged.pocket_id = control_answer.pocket_id
        and judged.business_date = control_answer.business_date
)
select objection, pocket_id, business_date, entity_key, status, code
from doubtful
where objection <> ''
order by business_date, pocket_id, entity_key, code
limit 1
