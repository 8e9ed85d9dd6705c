-- id: K31
-- version: 1.0
-- title: The money of every trade is its quantity times its price.
-- key: pocket, date, trade
-- identity: notional = quantity x price x the confirmed quantity factor, rounded to cents
-- tolerance: 0.01
-- hides: one cent a trade; a quantity and a notional that are wrong in the same proportion
-- codes: TRD_MATH = ARITHMETIC, UNIT_INCONSISTENT = DATA_QUALITY
-- severity: S1
-- evidence: ARITHMETIC
-- inputs: API_TRADES
-- chained: no
-- gate: no
-- required: yes
with delivered as (
    select distinct business_date
    from delivery
    where is_current and document_kind = 'API_TRADES'
),
judged_trade as (
    select j.pocket_id, j.business_date, t.trade_id, t.quantity, t.price, t.notional, b.quantity_factor,
        mv_of(t.quantity * 100, t.price) as money_of_bills,
        mv_of(t.quantity, t.price) as money_of_dollars,
        mv_of(t.quantity * 1000, t.price) as money_of_thousands
    from judged_day j
    join trade t
        on t.pocket_id = j.pocket_id and t.trade_date > j.previous_bd and t.trade_date <= j.business_date
    left join basis b on b.business_date = j.business_date
),
measured as (
    select pocket_id, business_date, trade_id, quantity, price, notional, quantity_factor,
        case
            when quantity_factor = 1 then money_of_bills
            when quantity_factor = 0.01 then money_of_dollars
            when quantity_factor = 10 then money_of_thousands
            else cast(null as decimal(38, 2))
        end as money,
        abs(notional - money_of_bills) <= 0.01
            or abs(notional - money_of_dollars) <= 0.01
            or abs(notional - money_of_thousands) <= 0.01 as fits_a_unit
    from judged_trade
),
classified as (
    select pocket_id, business_date, trade_id, quantity, price, notional, money,
        case
            when quantity_factor is null or quantity_factor not in (1, 0.01, 10) then 'BASIS'
            when quantity is null or price is null or notional is null then 'NO_INPUT'
            else ''
        end as reason,
        case
            when abs(notional - money) <= 0.01 then ''
            when fits_a_unit then 'UNIT_INCONSISTENT'
            else 'TRD_MATH'
        end as code
    from measured
)
select
    pocket_id,
    business_date,
    trade_id as entity_key,
    case when reason <> '' then 'NOT_TESTED' when code = '' then 'PASS' else 'BREAK' end as status,
    case when reason <> '' then '' else code end as code,
    '' as sub_code,
    reason,
    cast(notional as decimal(38, 6)) as left_value,
    cast(money as decimal(38, 6)) as right_value,
    cast(notional - money as decimal(38, 6)) as difference,
    case
        when reason = 'NO_INPUT' then 'Trade ' || trade_id || ' has no quantity, price or notional.'
        when reason <> '' or code = '' then ''
        when code = 'UNIT_INCONSISTENT' then 'Trade ' || trade_id || ' states ' || cast(notional as string)
            || ', which fits its quantity ' || cast(quantity as string) || ' in another unit than the confirmed one.'
        else 'Trade ' || trade_id || ' states ' || cast(notional as string) || ', but '
            || cast(quantity as string) || ' at ' || cast(price as string) || ' make ' || cast(money as string) || '.'
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
left join delivered d on d.business_date = j.business_date
left join (select distinct pocket_id, business_date from judged_trade) t
    on t.pocket_id = j.pocket_id and t.business_date = j.business_date
where t.pocket_id is null
