-- id: K44
-- version: 1.0
-- title: The historical cost of every bill held is yesterday's plus what was paid for purchases less the cost of what
--   left, by average cost or first in, first out, whichever the bank follows.
-- key: pocket, date, cusip
-- identity: cost[d] = cost[d-1] + purchases - cost relieved (average: pro rata; FIFO: of the oldest purchases)
-- tolerance: 0.01 for each sale of the bill on the day; 0 without one
-- hides: one cent a sale; a wrong lot relieved where both methods give that cost; cost of bills transferred in kind
-- codes: COST_ROLL = AMOUNT
-- severity: S2
-- evidence: INTRA_PROVIDER
-- inputs: POSITION, API_TRADES
-- chained: yes
-- gate: no
-- required: no
-- Average cost is relieved before or after the day's purchases, whichever fits. FIFO is only known of a bill whose
-- purchases are all in sight; where neither fits and FIFO is not known, the bill is tested only if average cost fits
-- most partial sales of 30 days. The detail of a pass names the method. Where the holding itself does not roll forward
-- there is no cost to compare.
with delivered as (
    select distinct document_kind, pocket_id, business_date
    from delivery
    where is_current
),
day as (
    select
        j.pocket_id, j.business_date, j.previous_bd, b.pos_basis,
        case
            when j.is_first then 'BASELINE'
            when b.pos_basis is null then 'BASIS'
            when today.business_date is null or listing.business_date is null then 'NO_INPUT'
            when before.business_date is null
                and not coalesce(p.opened_on > j.previous_bd, false) then 'NO_INPUT'
            else ''
        end as reason
    from judged_day j
    left join pocket p on p.pocket_id = j.pocket_id
    left join basis b on b.business_date = j.business_date
    left join delivered today
        on today.document_kind = 'POSITION' and today.pocket_id = j.pocket_id and today.business_date = j.business_date
    left join delivered before
        on before.document_kind = 'POSITION' and before.pocket_id = j.pocket_id and before.business_date = j.previous_bd
    left join delivered listing
        on listing.document_kind = 'API_TRADES' and listing.business_date = j.business_date
),
move as (
    select
        t.pocket_id, t.cusip, t.trade_id, t.activity, t.face_amount, t.notional, t.traded_at_utc,
        case b.pos_basis when 'TRADE' then t.trade_date when 'BOOK' then t.book_date else t.settlement_date end as moved_on
    from trade t
    join basis b on b.business_date = t.trade_date
    where t.cusip is not null
),
flow as (
    select
        d.pocket_id, d.business_date, m.cusip,
        coalesce(sum(m.face_amount) filter (where m.activity = 'BUY'), 0) as bought,
        coalesce(sum(m.notional) filter (where m.activity = 'BUY'), 0) as paid,
        coalesce(sum(m.face_amount) filter (where m.activity in ('SELL', 'MATURITY')), 0) as gone,
        count(*) filter (where m.activity in ('SELL', 'MATURITY')) as sales,
        count(*) filter (where m.activity not in ('BUY', 'SELL', 'MATURITY')) as transfers
    from day d
    join move m
        on m.pocket_id = d.pocket_id and m.moved_on > d.previous_bd and m.moved_on <= d.business_date
    where d.reason = ''
    group by d.pocket_id, d.business_date, m.cusip
),
held as (
    select d.pocket_id, d.business_date, d.previous_bd, p.cusip
    from day d
    join position_daily p on p.pocket_id = d.pocket_id and p.business_date = d.business_date
    where d.reason = ''
),
rolled as (
    select
        h.pocket_id, h.business_date, h.cusip,
        today.face_amount as face,
        today.historical_cost as cost,
        coalesce(before.face_amount, cast(0 as decimal(38, 2))) as face_before,
        case when before.cusip is null then cast(0 as decimal(38, 2)) else before.historical_cost end as cost_before,
        coalesce(f.bought, 0) as bought,
        coalesce(f.paid, 0) as paid,
        coalesce(f.gone, 0) as gone,
        coalesce(f.sales, 0) as sales,
        coalesce(f.transfers, 0) as transfers
    from held h
    join position_daily today
        on today.pocket_id = h.pocket_id and today.business_date = h.business_date and today.cusip = h.cusip
    left join position_daily before
        on before.pocket_id = h.pocket_id and before.business_date = h.previous_bd and before.cusip = h.cusip
    left join flow f on f.pocket_id = h.pocket_id and f.business_date = h.business_date and f.cusip = h.cusip
),
-- Lots and what has left, as stretches of face counted from the bill's first purchase; a bill is wholly in sight when
-- its purchases less what has left make up what is held.
sold_bill as (
    select pocket_id, business_date, cusip, face, gone from rolled where sales > 0
),
lot as (
    select
        s.pocket_id, s.business_date, s.cusip, m.face_amount, m.notional,
        sum(m.face_amount) over (
            partition by s.pocket_id, s.business_date, s.cusip order by m.moved_on, m.traded_at_utc, m.trade_id
        ) as ends_at
    from sold_bill s
    join move m
        on m.pocket_id = s.pocket_id and m.cusip = s.cusip and m.activity = 'BUY' and m.moved_on <= s.business_date
),
left_before as (
    select
        s.pocket_id, s.business_date, s.cusip, s.face, s.gone,
        sum(m.face_amount) filter (where m.activity in ('SELL', 'MATURITY')) - s.gone as begins_at,
        coalesce(sum(m.face_amount) filter (where m.activity = 'BUY'), 0)
            - sum(m.face_amount) filter (where m.activity in ('SELL', 'MATURITY')) = s.face as is_whole
    from sold_bill s
    join move m on m.pocket_id = s.pocket_id and m.cusip = s.cusip and m.moved_on <= s.business_date
    group by s.pocket_id, s.business_date, s.cusip, s.face, s.gone
),
relieved as (
    select
        b.pocket_id, b.business_date, b.cusip,
        sum(cast(l.notional as double) * cast(
            greatest(least(l.ends_at, b.begins_at + b.gone) - greatest(l.ends_at - l.face_amount, b.begins_at), 0) as double
        ) / cast(l.face_amount as double)) as fifo_cost
    from left_before b
    join lot l on l.pocket_id = b.pocket_id and l.business_date = b.business_date and l.cusip = b.cusip
    where b.is_whole
    group by b.pocket_id, b.business_date, b.cusip
),
measured as (
    select
        r.*,
        cast(r.sales as decimal(10, 2)) * 0.01 as tolerance,
        r.cost_before + r.paid - r.cost as relieved_cost,
        cast(round(case when r.gone = 0 or r.face_before = 0 then cast(0 as double)
            else cast(r.cost_before as double) * cast(r.gone as double) / cast(r.face_before as double) end, 2)
            as decimal(38, 2)) as average_first,
        cast(round(case when r.gone = 0 or r.face_before + r.bought = 0 then cast(0 as double)
            else cast(r.cost_before + r.paid as double) * cast(r.gone as double)
                / cast(r.face_before + r.bought as double) end, 2) as decimal(38, 2)) as average_after,
        cast(round(f.fifo_cost, 2) as decimal(38, 2)) as fifo
    from rolled r
    left join relieved f on f.pocket_id = r.pocket_id and f.business_date = r.business_date and f.cusip = r.cusip
),
compared as (
    select
        measured.*,
        case
            when cost is null or cost_before is null then 'NO_INPUT'
            when transfers > 0 then 'IN_KIND'
            when face <> face_before + bought - gone then 'FACE'
            when sales = 0 and relieved_cost = 0 then 'ROLLED'
            when sales = 0 then 'BROKEN'
            when gone <= face_before and abs(relieved_cost - average_first) <= tolerance then 'AVERAGE'
            when abs(relieved_cost - average_after) <= tolerance then 'AVERAGE'
            when abs(relieved_cost - fifo) <= tolerance then 'FIFO'
            when fifo is not null then 'BROKEN'
            else 'UNKNOWN_LOT'
        end as finding
    from measured
),
method as (
    select
        business_date,
        count(*) filter (where finding = 'AVERAGE') as average_fits,
        count(*) as sold
    from compared
    where sales > 0
    group by business_date
),
usual as (
    select c.business_date, sum(m.average_fits) as average_fits, sum(m.sold) as sold
    from (select distinct business_date from judged_day) as c
    join method m on m.business_date <= c.business_date and m.business_date > c.business_date - 30
    group by c.business_date
),
judged as (
    select
        c.*,
        case
            when c.finding = 'UNKNOWN_LOT' and u.average_fits * 2 > u.sold then 'BROKEN'
            else c.finding
        end as verdict
    from compared c
    left join usual u on u.business_date = c.business_date
)
select
    pocket_id,
    business_date,
    cusip as entity_key,
    case when verdict = 'BROKEN' then 'BREAK' when verdict in ('NO_INPUT', 'IN_KIND', 'FACE', 'UNKNOWN_LOT')
        then 'NOT_TESTED'
        else 'PASS' end as status,
    case when verdict = 'BROKEN' then 'COST_ROLL' else '' end as code,
    '' as sub_code,
    case when verdict in ('NO_INPUT', 'IN_KIND') then verdict when verdict = 'FACE' then 'NO_ROLL' when verdict = 'UNKNOWN_LOT' then 'LOT_UNKNOWN' else '' end
        as reason,
    cost as left_value,
    case when verdict in ('NO_INPUT', 'IN_KIND', 'FACE', 'UNKNOWN_LOT') then cast(null as decimal(38, 2))
        when verdict = 'FIFO' then cost_before + paid - fifo
        when sales = 0 then cost_before + paid
        when gone <= face_before and abs(relieved_cost - average_first) <= abs(relieved_cost - average_after)
            then cost_before + paid - average_first
        else cost_before + paid - average_after end as right_value,
    case when verdict in ('NO_INPUT', 'IN_KIND', 'FACE', 'UNKNOWN_LOT') then cast(null as decimal(38, 2))
        when verdict = 'FIFO' then fifo - relieved_cost
        when sales = 0 then -relieved_cost
        when gone <= face_before and abs(relieved_cost - average_first) <= abs(relieved_cost - average_after)
            then average_first - relieved_cost
        else average_after - relieved_cost end as difference,
    case verdict
        when 'NO_INPUT' then 'The position states no historical cost, today or yesterday.'
        when 'IN_KIND' then 'Bills moved in kind on this day; the cost they brought or took is not stated.'
        when 'FACE' then 'The holding itself does not follow from that of the business day before (K32).'
        when 'UNKNOWN_LOT' then 'Average cost does not fit, and the purchases of this bill are not all in sight.'
        when 'BROKEN' then 'The cost is ' || cast(cost as string) || ': yesterday''s ' || cast(cost_before as string)
            || ' with ' || cast(paid as string) || ' paid leaves ' || cast(relieved_cost as string)
            || ' for what was sold, which is not its cost.'
        when 'ROLLED' then ''
        else 'By ' || case when verdict = 'FIFO' then 'first in, first out.' else 'average cost.' end
    end as detail
from judged
union all
select
    day.pocket_id,
    day.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case when day.reason = '' then 'NO_ACTIVITY' else day.reason end as reason,
    cast(null as decimal(38, 2)) as left_value,
    cast(null as decimal(38, 2)) as right_value,
    cast(null as decimal(38, 2)) as difference,
    case when day.reason = '' then 'No bill is held.' else '' end as detail
from day
left join (select distinct pocket_id, business_date from judged) as spoken
    on spoken.pocket_id = day.pocket_id and spoken.business_date = day.business_date
where spoken.pocket_id is null
