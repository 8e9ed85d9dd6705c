-- id: K40
-- version: 1.0
-- title: Every bill held into its maturity date is paid at par on that date, and none trades on or after it.
-- key: pocket, date, cusip (with the trade for purchases and sales)
-- identity: face, cash and price of the maturity = yesterday's face, that face, 100, on the first Fed business day on or after the maturity date
-- tolerance: 0
-- hides: a bill that position, trade and reference list agree to leave out
-- codes: MAT_MISSING = MISSING, MAT_NOT_PAR = AMOUNT, MAT_LATE = TIMING, TRADE_AFTER_MATURITY = DATA_QUALITY, SALE_UNSETTLED_AT_MATURITY = TIMING
-- severity: S1
-- evidence: PUBLIC_REFERENCE
-- inputs: POSITION, API_TRADES
-- chained: yes
-- gate: no
-- required: yes
with delivered as (
    select distinct document_kind, pocket_id, business_date
    from delivery
    where is_current
),
-- a pocket that opened since the previous business day starts from nothing
day as (
    select j.pocket_id, j.business_date, j.previous_bd,
        case
            when j.is_first then 'BASELINE'
            when listing.business_date is null then 'NO_INPUT'
            when before.business_date is null and not coalesce(p.opened_on > j.previous_bd, false) then 'NO_INPUT'
            else ''
        end as reason
    from judged_day j
    left join pocket p on p.pocket_id = j.pocket_id
    left join delivered before
        on before.document_kind = 'POSITION' and before.pocket_id = j.pocket_id and before.business_date = j.previous_bd
    left join delivered listing
        on listing.document_kind = 'API_TRADES' and listing.business_date = j.business_date
),
stated_maturity as (
    select t.cusip, max(t.maturity_date) as maturity_date
    from trade t
    where t.maturity_date is not null
    group by t.cusip
),
bill as (
    select coalesce(s.cusip, m.cusip) as cusip, coalesce(s.maturity_date, m.maturity_date) as maturity_date
    from security s
    full join stated_maturity m on m.cusip = s.cusip
),
held as (
    select d.pocket_id, d.business_date, d.previous_bd, p.cusip, p.face_amount, b.maturity_date
    from day d
    join position_daily p on p.pocket_id = d.pocket_id and p.business_date = d.previous_bd
    left join bill b on b.cusip = p.cusip
    where d.reason = '' and p.face_amount > 0
),
due as (
    select pocket_id, business_date, cusip, face_amount, maturity_date
    from held
    where maturity_date is null or maturity_date <= business_date
),
paid as (
    select d.pocket_id, d.business_date, d.previous_bd, t.cusip,
        sum(t.face_amount) as face_amount,
        sum(t.notional) as cash,
        count(*) filter (where t.price is distinct from cast(100 as decimal(12, 6))) as off_par,
        max(b.maturity_date) as maturity_date
    from day d
    join trade t
        on t.pocket_id = d.pocket_id and t.trade_date > d.previous_bd and t.trade_date <= d.business_date
    left join bill b on b.cusip = t.cusip
    where t.activity = 'MATURITY' and t.cusip is not null and d.reason <> 'NO_INPUT'
    group by d.pocket_id, d.business_date, d.previous_bd, t.cusip
),
maturity as (
    select
        coalesce(u.pocket_id, p.pocket_id) as pocket_id,
        coalesce(u.business_date, p.business_date) as business_date,
        coalesce(u.cusip, p.cusip) as cusip,
        coalesce(h.face_amount, cast(0 as decimal(38, 2))) as held_face,
        coalesce(p.face_amount, cast(0 as decimal(38, 2))) as paid_face,
        p.cash,
        case
            when p.cusip is null and u.maturity_date is null then 'UNKNOWN'
            when p.cusip is null then 'MISSING'
            when p.maturity_date is not null and p.maturity_date > p.business_date then 'EARLY'
            when p.maturity_date is not null and p.maturity_date <= p.previous_bd then 'LATE'
            when p.off_par > 0 then 'PRICE'
            when p.cash is distinct from p.face_amount then 'CASH'
            when d.reason = '' and p.face_amount is distinct from coalesce(h.face_amount, cast(0 as decimal(38, 2))) then 'FACE'
            else ''
        end as finding
    from due u
    full join paid p on p.pocket_id = u.pocket_id and p.business_date = u.business_date and p.cusip = u.cusip
    join day d
        on d.pocket_id = coalesce(u.pocket_id, p.pocket_id) and d.business_date = coalesce(u.business_date, p.business_date)
    left join held h
        on h.pocket_id = coalesce(u.pocket_id, p.pocket_id) and h.business_date = coalesce(u.business_date, p.business_date)
        and h.cusip = coalesce(u.cusip, p.cusip)
),
dealt as (
    select d.pocket_id, d.business_date, t.cusip, t.trade_id, t.activity, t.face_amount, t.trade_date, b.maturity_date,
        case
            when t.trade_date >= b.maturity_date then 'TRADE_AFTER_MATURITY'
            when t.activity = 'SELL' and t.settlement_date >= b.maturity_date then 'SALE_UNSETTLED_AT_MATURITY'
            else ''
        end as code
    from day d
    join trade t
        on t.pocket_id = d.pocket_id and t.trade_date > d.previous_bd and t.trade_date <= d.business_date
    join bill b on b.cusip = t.cusip
    where t.activity in ('BUY', 'SELL') and d.reason <> 'NO_INPUT'
),
tested_day as (
    select pocket_id, business_date
    from maturity
    union
    select pocket_id, business_date
    from dealt
)
select
    pocket_id,
    business_date,
    cusip as entity_key,
    case finding when '' then 'PASS' when 'UNKNOWN' then 'NOT_TESTED' else 'BREAK' end as status,
    case
        when finding in ('', 'UNKNOWN') then ''
        when finding = 'MISSING' then 'MAT_MISSING'
        when finding in ('EARLY', 'LATE') then 'MAT_LATE'
        else 'MAT_NOT_PAR'
    end as code,
    case when finding in ('', 'UNKNOWN', 'MISSING') then '' else finding end as sub_code,
    case when finding = 'UNKNOWN' then 'NO_REFERENCE' else '' end as reason,
    cast(case when finding in ('PRICE', 'CASH') then cash else paid_face end as decimal(38, 6)) as left_value,
    cast(case when finding in ('PRICE', 'CASH') then paid_face else held_face end as decimal(38, 6)) as right_value,
    cast(case when finding in ('PRICE', 'CASH') then cash - paid_face else paid_face - held_face end as decimal(38, 6)) as difference,
    case finding
        when '' then ''
        when 'UNKNOWN' then 'The maturity date of ' || cusip || ' is not known.'
        when 'MISSING' then cusip || ' of ' || cast(held_face as string) || ' has matured and no maturity was traded.'
        when 'EARLY' then cusip || ' was paid before its maturity date.'
        when 'LATE' then cusip || ' was paid after the business day of its maturity.'
        when 'FACE' then cusip || ' was paid for ' || cast(paid_face as string) || ' of face; ' || cast(held_face as string) || ' was held.'
        else cusip || ' of ' || cast(paid_face as string) || ' was paid with ' || coalesce(cast(cash as string), 'no amount') || ', not at par.'
    end as detail
from maturity
union all
select
    pocket_id,
    business_date,
    cusip || ' ' || trade_id as entity_key,
    case when code = '' then 'PASS' else 'BREAK' end as status,
    code,
    '' as sub_code,
    '' as reason,
    cast(face_amount as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    case code
        when 'TRADE_AFTER_MATURITY' then cusip || ' was traded on ' || cast(trade_date as string) || ' and matured on ' || cast(maturity_date as string) || '.'
        when 'SALE_UNSETTLED_AT_MATURITY' then 'A sale of ' || cusip || ' settles on or after its maturity on ' || cast(maturity_date as string) || '.'
        else ''
    end as detail
from dealt
union all
select
    d.pocket_id,
    d.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case when d.reason = '' then 'NO_ACTIVITY' else d.reason end as reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    '' as detail
from day d
left join tested_day t on t.pocket_id = d.pocket_id and t.business_date = d.business_date
where d.reason <> '' or t.pocket_id is null
