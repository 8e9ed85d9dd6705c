-- id: K34
-- version: 1.1
-- title: Today's brokerage cash is yesterday's plus sweeps in, less sweeps out, fees and what was put into bills.
-- key: pocket, date
-- identity: cash[d] = cash[d-1] + (ADD - X_in) - (SUB - X_out) - FEE - (purchases - sales - maturities by the confirmed cash date); on the first day of the data cash[d] = the take-on that two persons confirmed
-- tolerance: 0.00
-- hides: nothing; cash below the price of one bill is normal and is not asserted to be 0
-- codes: CASH_PROOF = AMOUNT
-- severity: S1
-- evidence: INTRA_PROVIDER
-- inputs: BROKERAGE_STATEMENT, POSITION, API_TRADES
-- chained: yes
-- gate: no
-- required: yes
with delivered as (
    select distinct business_date
    from delivery
    where is_current and document_kind = 'API_TRADES'
),
-- bills moved in kind at a value that the bank does not state
unvalued as (
    select distinct j.pocket_id, j.business_date
    from judged_day j
    join trade t
        on t.pocket_id = j.pocket_id and t.trade_date > j.previous_bd and t.trade_date <= j.business_date
    where t.activity like '%TRANSFER%' and t.notional is null
),
-- a pocket that opened since the previous business day starts from nothing
day as (
    select j.pocket_id, j.business_date, j.previous_bd, b.cash_basis,
        s.cash_balance, s.additions, s.subtractions, s.fees,
        j.is_first and taken.pocket_id is not null as is_taken_on,
        case when j.is_first then taken.cash_balance
            else coalesce(y.cash_balance, cast(0 as decimal(38, 2))) end as previous_cash,
        case
            when j.is_first and taken.pocket_id is null then 'BASELINE'
            when j.is_first and s.cash_balance is null then 'NO_INPUT'
            when j.is_first then ''
            when b.cash_basis is null then 'BASIS'
            when k.pocket_id is not null then 'IN_KIND'
            when s.cash_balance is null or listing.business_date is null then 'NO_INPUT'
            when y.cash_balance is null and not coalesce(p.opened_on > j.previous_bd, false) then 'NO_INPUT'
            else ''
        end as reason
    from judged_day j
    left join pocket p on p.pocket_id = j.pocket_id
    left join baseline taken on taken.pocket_id = j.pocket_id and taken.business_date = j.business_date
    left join unvalued k on k.pocket_id = j.pocket_id and k.business_date = j.business_date
    left join basis b on b.business_date = j.business_date
    left join brokerage_daily s on s.pocket_id = j.pocket_id and s.business_date = j.business_date
    left join brokerage_daily y on y.pocket_id = j.pocket_id and y.business_date = j.previous_bd
    left join delivered listing on listing.business_date = j.business_date
),
flow as (
    select d.pocket_id, d.business_date,
        sum(case
            when t.activity = 'BUY' then t.notional
            when t.activity in ('SELL', 'MATURITY') then -t.notional
            else cast(0 as decimal(38, 2))
        end) as paid_for_bills,
        sum(case
            when t.activity like '%TRANSFER%IN' then t.notional
            when t.activity like '%TRANSFER%OUT' then -t.notional
            else cast(0 as decimal(38, 2))
        end) as in_kind
    from day d
    join trade t
        on t.pocket_id = d.pocket_id
        and case d.cash_basis when 'TRADE' then t.trade_date when 'BOOK' then t.book_date else t.settlement_date end > d.previous_bd
        and case d.cash_basis when 'TRADE' then t.trade_date when 'BOOK' then t.book_date else t.settlement_date end <= d.business_date
    where d.reason = '' and not d.is_taken_on
    group by d.pocket_id, d.business_date
),
proof as (
    select d.pocket_id, d.business_date, d.cash_balance, d.previous_cash, d.is_taken_on,
        case when d.is_taken_on then cast(0 as decimal(38, 2))
            else d.additions - d.subtractions - coalesce(f.in_kind, cast(0 as decimal(38, 2))) end as swept,
        case when d.is_taken_on then cast(0 as decimal(38, 2)) else d.fees end as fees,
        coalesce(f.paid_for_bills, cast(0 as decimal(38, 2))) as paid_for_bills
    from day d
    left join flow f on f.pocket_id = d.pocket_id and f.business_date = d.business_date
    where d.reason = ''
),
judged as (
    select pocket_id, business_date, cash_balance, previous_cash, swept, fees, paid_for_bills, is_taken_on,
        previous_cash + swept - fees - paid_for_bills as expected_cash,
        cash_balance - (previous_cash + swept - fees - paid_for_bills) as difference
    from proof
)
select
    pocket_id,
    business_date,
    '' as entity_key,
    case when difference = 0 then 'PASS' else 'BREAK' end as status,
    case when difference = 0 then '' else 'CASH_PROOF' end as code,
    '' as sub_code,
    '' as reason,
    cast(cash_balance as decimal(38, 6)) as left_value,
    cast(expected_cash as decimal(38, 6)) as right_value,
    cast(difference as decimal(38, 6)) as difference,
    case when difference = 0 then '' when is_taken_on then
        'Cash is ' || cast(cash_balance as string) || ', and was taken on at ' || cast(previous_cash as string) || '.'
    else
        'Cash is ' || cast(cash_balance as string) || '; ' || cast(previous_cash as string) || ' of yesterday, sweeps of '
        || cast(swept as string) || ', fees of ' || cast(fees as string) || ' and ' || cast(paid_for_bills as string)
        || ' paid for bills make ' || cast(expected_cash as string) || '.'
    end as detail
from judged
union all
select
    pocket_id,
    business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    '' as detail
from day
where reason <> ''
