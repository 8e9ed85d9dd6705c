-- id: K37
-- version: 1.0
-- title: Every holding is valued at the price that the security price report states for that day.
-- key: pocket, date, cusip
-- identity: price of the position summary = price of SECURITY_PRICE_REPORT
-- tolerance: 0
-- hides: a price that is wrong in both sources
-- codes: PX_SRC_DIFF = VALUATION, PX_MISSING = MISSING
-- severity: S2
-- evidence: INTRA_PROVIDER
-- inputs: POSITION, SECURITY_PRICE
-- chained: no
-- gate: no
-- required: yes
with delivered as (
    select distinct document_kind, pocket_id, business_date
    from delivery
    where is_current
),
held as (
    select j.pocket_id, j.business_date, p.cusip, p.price as held_price, r.price as report_price,
        case
            when d.business_date is null then 'NO_INPUT'
            when r.price is null and not c.is_trading_day then 'NOT_DUE'
            else ''
        end as reason
    from judged_day j
    join calendar c on c.business_date = j.business_date
    join position_daily p on p.pocket_id = j.pocket_id and p.business_date = j.business_date
    left join delivered d on d.document_kind = 'SECURITY_PRICE' and d.business_date = j.business_date
    left join security_price r on r.cusip = p.cusip and r.price_date = j.business_date
),
classified as (
    select pocket_id, business_date, cusip, held_price, report_price, reason,
        case
            when reason <> '' then ''
            when report_price is null then 'PX_MISSING'
            when held_price is distinct from report_price then 'PX_SRC_DIFF'
            else ''
        end as code
    from held
)
select
    pocket_id,
    business_date,
    cusip as entity_key,
    case when reason <> '' then 'NOT_TESTED' when code = '' then 'PASS' else 'BREAK' end as status,
    code,
    '' as sub_code,
    reason,
    cast(held_price as decimal(38, 6)) as left_value,
    cast(report_price as decimal(38, 6)) as right_value,
    cast(held_price - report_price as decimal(38, 6)) as difference,
    case code
        when 'PX_MISSING' then cusip || ' is valued at ' || cast(held_price as string) || ', and the price report has no price for it.'
        when 'PX_SRC_DIFF' then cusip || ' is valued at ' || cast(held_price as string) || ', and the price report states '
            || cast(report_price as string) || '.'
        else ''
    end as detail
from classified
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
left join delivered d
    on d.document_kind = 'POSITION' and d.pocket_id = j.pocket_id and d.business_date = j.business_date
left join (select distinct pocket_id, business_date from held) h
    on h.pocket_id = j.pocket_id and h.business_date = j.business_date
where h.pocket_id is null
