-- Judges the answers at hand: an answer that rests on a blocked document, of its own day or, for chained
-- controls, of the previous business day, is not tested and names the break that blocks it. An entity key that
-- begins with the name of one of the control's inputs rests on that input alone. An answer about the customer rests
-- on the documents of every pocket.
insert into judged_result
with answerable_day as (
    select pocket_id, business_date, previous_bd from judged_day
    union
    select distinct '' as pocket_id, business_date, previous_bd from judged_day
),
numbered as (
    select answer.*, row_number() over () as answer_no, split_part(entity_key, ' ', 1) as first_word
    from answer
),
needed as (
    select
        numbered.answer_no,
        numbered.pocket_id,
        numbered.business_date,
        answerable_day.previous_bd,
        numbered.is_chained,
        control_input.document_kind
    from numbered
    join control_input on control_input.control_id = numbered.control_id
    join answerable_day
        on answerable_day.pocket_id = numbered.pocket_id
        and answerable_day.business_date = numbered.business_date
    left join control_input as named_input
        on named_input.control_id = numbered.control_id
        and named_input.document_kind = numbered.first_word
    where numbered.is_gated
      and (named_input.document_kind is null or control_input.document_kind = named_input.document_kind)
),
hit as (
    select
        needed.answer_no,
        blocked_document.document_kind,
        blocked_document.business_date,
        blocked_document.control_id,
        blocked_document.break_id,
        row_number() over (
            partition by needed.answer_no
            order by
                blocked_document.business_date desc,
                blocked_document.control_id,
                blocked_document.document_kind,
                blocked_document.pocket_id,
                blocked_document.break_id
        ) as hit_no
    from needed
    join blocked_document
        on blocked_document.document_kind = needed.document_kind
        and (needed.pocket_id = '' or blocked_document.pocket_id in ('', needed.pocket_id))
        and (
            blocked_document.business_date = needed.business_date
            or (needed.is_chained and blocked_document.business_date = needed.previous_bd)
        )
),
tested as (
    select
        numbered.control_id,
        numbered.control_major,
        numbered.pocket_id,
        numbered.business_date,
        numbered.entity_key,
        numbered.status,
        numbered.code,
        numbered.sub_code,
        numbered.reason,
        numbered.left_value,
        numbered.right_value,
        numbered.difference,
        numbered.detail,
        '' as blocked_by,
        '' as root_break_id
    from numbered
    left join hit on hit.answer_no = numbered.answer_no
    where hit.answer_no is null
),
blocked as (
    select distinct
        numbered.control_id,
        numbered.control_major,
        numbered.pocket_id,
        numbered.business_date,
        numbered.entity_key,
        'NOT_TESTED' as status,
        '' as code,
        '' as sub_code,
        'BLOCKED' as reason,
        cast(null as decimal(38, 6)) as left_value,
        cast(null as decimal(38, 6)) as right_value,
        cast(null as decimal(38, 6)) as difference,
        'It rests on the ' || lower(replace(hit.document_kind, '_', ' '))
            || ' of ' || cast(hit.business_date as varchar)
            || ', which failed ' || hit.control_id || '.' as detail,
        hit.control_id as blocked_by,
        hit.break_id as root_break_id
    from numbered
    join hit on hit.answer_no = numbered.answer_no and hit.hit_no = 1
),
judged as (
    select * from tested
    union all
    select * from blocked
)
select
    judged.*,
    case
        when judged.status = 'BREAK' then sha256(concat_ws(
            '|',
            judged.control_id,
            judged.control_major,
            getvariable('customer_id'),
            judged.pocket_id,
            judged.entity_key,
            cast(judged.business_date as varchar),
            judged.code
        ))
        else ''
    end as break_id
from judged
