-- id: K27
-- version: 1.0
-- title: A transfer in kind between own pockets leaves the one and reaches the other with the same bills at the same cost.
-- key: pocket, date, trade
-- identity: leg out of one pocket = leg into another: CUSIP, face, and the value that goes with them
-- tolerance: 0; 0.00; the other leg within one business day
-- hides: two equal transfers of the same day that are exchanged for each other; a leg too many beside a whole transfer of
--   the same bill within a business day, which K32 sees
-- codes: INKIND_ONE_LEG = MISSING, INKIND_DIFF = AMOUNT
-- severity: S1
-- evidence: INTRA_PROVIDER
-- inputs: API_TRADES
-- chained: no
-- gate: no
-- required: no
-- The bank's words for such trades are an open list: one that names a transfer is one, and one that calls it external
-- has its other leg with somebody else. Legs carry no common reference, so a leg is paired by CUSIP and day; with
-- equal face first.
with asked as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        judged_day.previous_bd,
        count(delivery.business_date) > 0 as is_present
    from judged_day
    left join delivery
        on delivery.document_kind = 'API_TRADES'
        and delivery.business_date = judged_day.business_date
        and delivery.outcome in ('NEW_VERSION', 'UNCHANGED')
    group by judged_day.pocket_id, judged_day.business_date, judged_day.previous_bd
),
leg as (
    select
        trade.trade_id,
        trade.pocket_id,
        trade.cusip,
        trade.face_amount,
        trade.notional,
        trade.trade_date,
        calendar.bd_idx,
        case when trade.activity like '%TRANSFER%OUT' then -1 else 1 end as direction
    from trade
    join calendar on calendar.business_date = trade.trade_date
    where (trade.activity like '%TRANSFER%IN' or trade.activity like '%TRANSFER%OUT')
      and trade.activity not like '%EXTERNAL%'
),
ranked as (
    select
        here.trade_id,
        there.trade_id as other_id,
        there.pocket_id as other_pocket_id,
        there.face_amount as other_face,
        there.notional as other_notional,
        row_number() over (
            partition by here.trade_id
            order by
                abs(here.face_amount - there.face_amount),
                abs(here.bd_idx - there.bd_idx),
                abs(coalesce(here.notional, 0) - coalesce(there.notional, 0)),
                there.trade_id
        ) as choice
    from leg as here
    join leg as there
        on there.cusip = here.cusip
        and there.direction = - here.direction
        and there.pocket_id <> here.pocket_id
        and there.bd_idx between here.bd_idx - 1 and here.bd_idx + 1
),
judged as (
    select
        asked.pocket_id,
        asked.business_date,
        leg.trade_id,
        leg.cusip,
        leg.direction,
        leg.face_amount,
        leg.notional,
        ranked.other_pocket_id,
        ranked.other_face,
        ranked.other_notional,
        case
            when ranked.other_id is null and following.business_date is null then 'PENDING'
            when ranked.other_id is null then 'ONE_LEG'
            when leg.face_amount is distinct from ranked.other_face then 'FACE'
            when leg.notional is distinct from ranked.other_notional then 'COST'
            else ''
        end as finding
    from asked
    join leg
        on leg.pocket_id = asked.pocket_id
        and leg.trade_date > asked.previous_bd
        and leg.trade_date <= asked.business_date
    join calendar on calendar.business_date = asked.business_date
    left join ranked on ranked.trade_id = leg.trade_id and ranked.choice = 1
    left join (
        select distinct business_date
        from delivery
        where document_kind = 'API_TRADES' and outcome in ('NEW_VERSION', 'UNCHANGED')
    ) as following on following.business_date = calendar.next_bd
)
select
    pocket_id,
    business_date,
    trade_id as entity_key,
    case finding when '' then 'PASS' when 'PENDING' then 'NOT_TESTED' else 'BREAK' end as status,
    case finding when 'ONE_LEG' then 'INKIND_ONE_LEG' when 'FACE' then 'INKIND_DIFF' when 'COST' then 'INKIND_DIFF' else '' end
        as code,
    case when finding in ('FACE', 'COST') then finding else '' end as sub_code,
    case when finding = 'PENDING' then 'NOT_DUE' else '' end as reason,
    case when finding = 'COST' then notional else face_amount end as left_value,
    case when finding = 'COST' then other_notional else other_face end as right_value,
    case finding when 'FACE' then face_amount - other_face when 'COST' then notional - other_notional end as difference,
    case finding
        when 'ONE_LEG' then coalesce(cusip, 'A bill') || ', face ' || cast(face_amount as string)
            || case when direction < 0 then ', left this pocket and reached no other.' else ', reached this pocket and left no other.' end
        when 'FACE' then 'This pocket shows a face of ' || cast(face_amount as string) || ' of ' || cusip || ', the pocket '
            || other_pocket_id || ' shows ' || cast(other_face as string) || '.'
        when 'COST' then cusip || ' moved at ' || coalesce(cast(notional as string), 'no value') || ' here and at '
            || coalesce(cast(other_notional as string), 'no value') || ' in the pocket ' || other_pocket_id || '.'
        when 'PENDING' then 'The other leg may follow on the next business day.'
        else ''
    end as detail
from judged
union all
select
    asked.pocket_id,
    asked.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case when asked.is_present then 'NO_ACTIVITY' else 'NO_INPUT' end as reason,
    cast(null as decimal(38, 2)) as left_value,
    cast(null as decimal(38, 2)) as right_value,
    cast(null as decimal(38, 2)) as difference,
    '' as detail
from asked
left join (select distinct pocket_id, business_date from judged) as judged_leg
    on judged_leg.pocket_id = asked.pocket_id and judged_leg.business_date = asked.business_date
where judged_leg.pocket_id is null
