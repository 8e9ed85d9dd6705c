-- break_input: one hash for each break of wanted_break, over the content of the documents it rests on: the control's
-- inputs of its pocket and day, and of the business day before where the control is chained. An entity key that begins
-- with the name of one of the inputs rests on that input alone. What a person decides about a break binds to this hash.
create or replace temp table break_input as
with needed as (
    select
        wanted_break.break_id, wanted_break.pocket_id, wanted_break.business_date, wanted_break.is_chained,
        control_input.document_kind
    from wanted_break
    join control_input on control_input.control_id = wanted_break.control_id
    left join control_input as named_input
        on named_input.control_id = wanted_break.control_id
        and named_input.document_kind = split_part(wanted_break.entity_key, ' ', 1)
    where named_input.document_kind is null or control_input.document_kind = named_input.document_kind
),
needed_day as (
    select break_id, pocket_id, document_kind, business_date
    from needed
    union
    select needed.break_id, needed.pocket_id, needed.document_kind, calendar.previous_fed_business_day
    from needed
    join core.calendar as calendar on calendar.business_date = needed.business_date
    where needed.is_chained
),
stated as (
    select distinct
        needed_day.break_id,
        concat_ws(
            '|', delivery.document_kind, delivery.scope_pocket_id, cast(delivery.scope_date as varchar),
            delivery.content_hash, delivery.finality
        ) as line
    from needed_day
    join raw.delivery as delivery
        on delivery.document_kind = needed_day.document_kind
        and delivery.scope_date = needed_day.business_date
        and (needed_day.pocket_id = '' or delivery.scope_pocket_id in (needed_day.pocket_id, ''))
    where delivery.customer_id = getvariable('customer_id')
      and delivery.is_current
)
select wanted_break.break_id, sha256(coalesce(string_agg(stated.line, chr(10) order by stated.line), '')) as inputs_hash
from wanted_break
left join stated on stated.break_id = wanted_break.break_id
group by wanted_break.break_id
