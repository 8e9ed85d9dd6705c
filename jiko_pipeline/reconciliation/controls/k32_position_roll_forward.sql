-- id: K32
-- version: 1.1
-- title: Today's holding of every bill is yesterday's plus what was bought less what was sold or matured.
-- key: pocket, date, cusip
-- identity: face[d] = face[d-1] + purchases + transfers in - sales - maturities - transfers out, by the confirmed position date; over days without a summary from the last one before them; on the first day of the data face[d] = the take-on that two persons confirmed
-- tolerance: 0
-- hides: nothing in face; two bills confused in position and trade alike
-- codes: POS_ROLL = AMOUNT
-- severity: S1
-- evidence: INTRA_PROVIDER
-- inputs: POSITION, API_TRADES
-- chained: yes
-- gate: no
-- required: yes
with delivered as (
    select distinct document_kind, pocket_id, business_date
    from delivery
    where is_current
),
-- the last summary before each judged day
earlier as (
    select j.pocket_id, j.business_date, max(d.business_date) as from_date
    from judged_day j
    join delivered d
        on d.document_kind = 'POSITION' and d.pocket_id = j.pocket_id and d.business_date < j.business_date
    group by j.pocket_id, j.business_date
),
unlisted as (
    select e.pocket_id, e.business_date, count(*) as days
    from earlier e
    join calendar c
        on c.business_date > e.from_date and c.business_date < e.business_date and c.is_fed_business_day
    left join delivered listing
        on listing.document_kind = 'API_TRADES' and listing.business_date = c.business_date
    where listing.business_date is null
    group by e.pocket_id, e.business_date
),
-- a pocket that opened since the previous business day starts from nothing
day as (
    select j.pocket_id, j.business_date, j.previous_bd, b.pos_basis,
        coalesce(e.from_date, j.previous_bd) as from_date,
        j.is_first and taken.pocket_id is not null as is_taken_on,
        case
            when j.is_first and taken.pocket_id is null then 'BASELINE'
            when today.business_date is null or listing.business_date is null then 'NO_INPUT'
            when j.is_first then ''
            when b.pos_basis is null then 'BASIS'
            when coalesce(p.opened_on > j.previous_bd, false) then ''
            when e.from_date is null or u.days > 0 then 'NO_INPUT'
            else ''
        end as reason
    from judged_day j
    left join baseline taken on taken.pocket_id = j.pocket_id and taken.business_date = j.business_date
    left join earlier e on e.pocket_id = j.pocket_id and e.business_date = j.business_date
    left join unlisted u on u.pocket_id = j.pocket_id and u.business_date = j.business_date
    left join pocket p on p.pocket_id = j.pocket_id
    left join basis b on b.business_date = j.business_date
    left join delivered today
        on today.document_kind = 'POSITION' and today.pocket_id = j.pocket_id and today.business_date = j.business_date
    left join delivered listing
        on listing.document_kind = 'API_TRADES' and listing.business_date = j.business_date
),
flow as (
    select d.pocket_id, d.business_date, t.cusip,
        sum(case
            when t.activity = 'BUY' or t.activity like '%TRANSFER%IN' then t.face_amount
            when t.activity in ('SELL', 'MATURITY') or t.activity like '%TRANSFER%OUT' then -t.face_amount
            else cast(0 as decimal(38, 2))
        end) as net_face,
        count(*) filter (where t.activity = 'MATURITY') as maturities
    from day d
    join trade t
        on t.pocket_id = d.pocket_id
        and case d.pos_basis when 'TRADE' then t.trade_date when 'BOOK' then t.book_date else t.settlement_date end > d.from_date
        and case d.pos_basis when 'TRADE' then t.trade_date when 'BOOK' then t.book_date else t.settlement_date end <= d.business_date
    where d.reason = '' and not d.is_taken_on and t.cusip is not null
    group by d.pocket_id, d.business_date, t.cusip
),
-- what the day is rolled from: the holding of the last summary, or what was taken on
start_holding as (
    select d.pocket_id, d.business_date, p.cusip, p.face_amount
    from day d
    join position_daily p on p.pocket_id = d.pocket_id and p.business_date = d.from_date
    where d.reason = '' and not d.is_taken_on
    union all
    select d.pocket_id, d.business_date, l.cusip, l.face_amount
    from day d
    join baseline_lot l on l.pocket_id = d.pocket_id and l.business_date = d.business_date
    where d.reason = '' and d.is_taken_on
),
grid as (
    select d.pocket_id, d.business_date, p.cusip
    from day d
    join position_daily p on p.pocket_id = d.pocket_id and p.business_date = d.business_date
    where d.reason = ''
    union
    select pocket_id, business_date, cusip
    from start_holding
    union
    select pocket_id, business_date, cusip
    from flow
),
traded_maturity as (
    select cusip, max(maturity_date) as maturity_date
    from trade
    group by cusip
),
rolled as (
    select g.pocket_id, g.business_date, g.cusip, d.is_taken_on,
        case when d.from_date < d.previous_bd and not d.is_taken_on then d.from_date end as gap_from,
        coalesce(today.face_amount, cast(0 as decimal(38, 2))) as face,
        coalesce(before.face_amount, cast(0 as decimal(38, 2))) as previous_face,
        coalesce(f.net_face, cast(0 as decimal(38, 2))) as net_face,
        coalesce(f.maturities, 0) as maturities,
        coalesce(s.maturity_date, m.maturity_date) as maturity_date
    from grid g
    join day d on d.pocket_id = g.pocket_id and d.business_date = g.business_date
    left join position_daily today
        on today.pocket_id = g.pocket_id and today.business_date = g.business_date and today.cusip = g.cusip
    left join start_holding before
        on before.pocket_id = g.pocket_id and before.business_date = g.business_date and before.cusip = g.cusip
    left join flow f
        on f.pocket_id = g.pocket_id and f.business_date = g.business_date and f.cusip = g.cusip
    left join security s on s.cusip = g.cusip
    left join traded_maturity m on m.cusip = g.cusip
),
judged as (
    select pocket_id, business_date, cusip, face, previous_face, net_face, is_taken_on, gap_from,
        previous_face + net_face as expected_face,
        face - (previous_face + net_face) as difference,
        face = 0 and previous_face > 0 and maturities = 0 and maturity_date is not null
            and maturity_date <= business_date as gone_at_maturity
    from rolled
)
select
    pocket_id,
    business_date,
    cusip as entity_key,
    case when difference = 0 then 'PASS' else 'BREAK' end as status,
    case when difference = 0 then '' else 'POS_ROLL' end as code,
    case
        when difference = 0 then ''
        when gone_at_maturity then 'POS_MISSING_MATURITY'
        when difference > 0 then 'POS_UNEXPLAINED_UP'
        else 'POS_UNEXPLAINED_DOWN'
    end as sub_code,
    '' as reason,
    cast(face as decimal(38, 6)) as left_value,
    cast(expected_face as decimal(38, 6)) as right_value,
    cast(difference as decimal(38, 6)) as difference,
    case
        when difference = 0 and gap_from is not null
            then 'Rolled from the position summary of ' || cast(gap_from as string) || '; none lies between.'
        when difference = 0 then ''
        when is_taken_on then cusip || ' is stated at ' || cast(face as string) || ' of face, and was taken on at '
            || cast(expected_face as string) || '.'
        when gone_at_maturity then cusip || ' is no longer held, it has matured, and no maturity of '
            || cast(expected_face as string) || ' was traded.'
        else cusip || ' is held at ' || cast(face as string) || ' of face; ' || cast(previous_face as string)
            || case when gap_from is null then ' of yesterday' else ' of ' || cast(gap_from as string) end
            || ' and trades of ' || cast(net_face as string) || ' make ' || cast(expected_face as string) || '.'
    end as detail
from judged
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
left join (select distinct pocket_id, business_date from grid) g
    on g.pocket_id = d.pocket_id and g.business_date = d.business_date
where g.pocket_id is null
