-- id: K36
-- version: 1.0
-- title: The market value of every holding is its face times its price.
-- key: pocket, date, cusip
-- identity: market value = face x price x 0.01, rounded to cents
-- tolerance: 0.01
-- hides: one cent a holding; a price printed with fewer digits than the bank multiplied shows as a break
-- codes: MV_MATH = ARITHMETIC
-- severity: S2
-- evidence: ARITHMETIC
-- inputs: POSITION
-- chained: no
-- gate: no
-- required: yes
with delivered as (
    select distinct pocket_id, business_date
    from delivery
    where is_current and document_kind = 'POSITION'
),
held as (
    select j.pocket_id, j.business_date, p.cusip, p.face_amount, p.price, p.market_value,
        mv_of(p.face_amount, p.price) as expected_value
    from judged_day j
    join position_daily p on p.pocket_id = j.pocket_id and p.business_date = j.business_date
)
select
    pocket_id,
    business_date,
    cusip as entity_key,
    case when abs(market_value - expected_value) <= 0.01 then 'PASS' else 'BREAK' end as status,
    case when abs(market_value - expected_value) <= 0.01 then '' else 'MV_MATH' end as code,
    '' as sub_code,
    '' as reason,
    cast(market_value as decimal(38, 6)) as left_value,
    cast(expected_value as decimal(38, 6)) as right_value,
    cast(market_value - expected_value as decimal(38, 6)) as difference,
    case when abs(market_value - expected_value) <= 0.01 then '' else
        cusip || ' is valued at ' || cast(market_value as string) || '; ' || cast(face_amount as string) || ' of face at '
        || cast(price as string) || ' make ' || cast(expected_value as string) || '.'
    end as detail
from held
union all
select
    j.pocket_id,
    j.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case when d.business_date is null then 'NO_INPUT' else 'NO_ACTIVITY' end as reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    '' as detail
from judged_day j
left join delivered d on d.pocket_id = j.pocket_id and d.business_date = j.business_date
left join (select distinct pocket_id, business_date from held) h
    on h.pocket_id = j.pocket_id and h.business_date = j.business_date
where h.pocket_id is null
