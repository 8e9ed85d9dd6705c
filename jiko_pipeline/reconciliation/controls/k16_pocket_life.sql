-- id: K16
-- version: 1.0
-- title: A closed pocket ends empty, and nothing moves in it afterwards.
-- key: date, pocket
-- identity: face, cash and unsettled money on the last day of its life = 0; movements after it = 0
-- tolerance: 0.00
-- hides: a pocket whose life nobody tells (NOT_TESTED LIFETIME)
-- codes: CLOSED_NOT_EMPTY = AMOUNT, ACTIVITY_AFTER_CLOSE = DATA_QUALITY
-- severity: S1
-- evidence: INTRA_PROVIDER
-- inputs: BANK_STATEMENT, BROKERAGE_STATEMENT, POSITION, API_TRADES, API_TRANSACTIONS
-- chained: no
-- gate: no
-- required: no
-- scope: customer
-- A transaction that the bank statement has as well counts once.
with day as (
    select distinct business_date, previous_bd
    from judged_day
),
closing as (
    select day.business_date, pocket.pocket_id
    from day
    join pocket on pocket.closed_on > day.previous_bd and pocket.closed_on <= day.business_date
),
held as (
    select pocket_id, business_date, sum(face_amount) as face
    from position_daily
    group by pocket_id, business_date
),
unsettled as (
    select closing.pocket_id, sum(abs(trade.notional)) as unpaid
    from closing
    join trade
        on trade.pocket_id = closing.pocket_id
        and trade.trade_date <= closing.business_date
        and trade.settlement_date > closing.business_date
    group by closing.pocket_id
),
left_over as (
    select closing.business_date, closing.pocket_id,
        brokerage_daily.closing_value is not null as is_stated,
        coalesce(held.face, cast(0 as decimal(38, 2))) as face,
        coalesce(brokerage_daily.cash_balance, cast(0 as decimal(38, 2))) as cash,
        coalesce(brokerage_daily.closing_value, cast(0 as decimal(38, 2))) as closing_value,
        coalesce(unsettled.unpaid, cast(0 as decimal(38, 2))) as money
    from closing
    left join brokerage_daily
        on brokerage_daily.pocket_id = closing.pocket_id
        and brokerage_daily.business_date = closing.business_date
    left join held on held.pocket_id = closing.pocket_id and held.business_date = closing.business_date
    left join unsettled on unsettled.pocket_id = closing.pocket_id
),
movement as (
    select pocket_id, business_date as moved_on, signed_amount as amount from bank_transaction
    union all
    select pocket_id, business_date as moved_on, signed_amount as amount from brokerage_flow
    union all
    select pocket_id, trade_date as moved_on, notional as amount from trade
    union all
    select api_transaction.pocket_id, api_transaction.business_date as moved_on, api_transaction.signed_amount as amount
    from api_transaction
    left join bank_transaction on bank_transaction.activity_id = api_transaction.activity_id
    where bank_transaction.activity_id is null
),
late as (
    select day.business_date, pocket.pocket_id, count(*) as movements,
        sum(abs(movement.amount)) as moved, max(pocket.closed_on) as ended_on
    from day
    join movement on movement.moved_on > day.previous_bd and movement.moved_on <= day.business_date
    join pocket on pocket.pocket_id = movement.pocket_id and pocket.closed_on < movement.moved_on
    group by day.business_date, pocket.pocket_id
),
unknown_life as (
    select day.business_date, pocket.pocket_id
    from day
    join pocket
        on pocket.opened_on is null
        and pocket.closed_on is null
        and pocket.first_document_date <= day.business_date
),
told as (
    select business_date, pocket_id as entity_key,
        case
            when not is_stated then 'NOT_TESTED'
            when face = 0 and cash = 0 and closing_value = 0 and money = 0 then 'PASS'
            else 'BREAK'
        end as status,
        case
            when is_stated and (face <> 0 or cash <> 0 or closing_value <> 0 or money <> 0) then 'CLOSED_NOT_EMPTY'
            else ''
        end as code,
        case when is_stated then '' else 'NO_INPUT' end as reason,
        closing_value + money as left_value,
        case
            when not is_stated then ''
            when face = 0 and cash = 0 and closing_value = 0 and money = 0 then ''
            else 'The pocket closed with bills of ' || cast(face as string) || ' of face, cash of '
                || cast(cash as string) || ' and unsettled trades of ' || cast(money as string) || '.'
        end as detail
    from left_over
    union all
    select business_date, pocket_id as entity_key, 'BREAK' as status, 'ACTIVITY_AFTER_CLOSE' as code, '' as reason,
        moved as left_value,
        'The pocket closed on ' || cast(ended_on as string) || ', and ' || cast(movements as string)
            || ' movements of ' || cast(moved as string) || ' followed.' as detail
    from late
    union all
    select business_date, pocket_id as entity_key, 'NOT_TESTED' as status, '' as code, 'LIFETIME' as reason,
        cast(null as decimal(38, 2)) as left_value, 'Nobody tells when the pocket opened.' as detail
    from unknown_life
)
select
    '' as pocket_id,
    business_date,
    entity_key,
    status,
    code,
    '' as sub_code,
    reason,
    cast(case when status = 'NOT_TESTED' then null else left_value end as decimal(38, 6)) as left_value,
    cast(case when status = 'NOT_TESTED' then null else 0 end as decimal(38, 6)) as right_value,
    cast(case when status = 'NOT_TESTED' then null else left_value end as decimal(38, 6)) as difference,
    detail
from told
union all
select
    '' as pocket_id,
    day.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    'NO_ACTIVITY' as reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    '' as detail
from day
left join (select distinct business_date from told) as some_told on some_told.business_date = day.business_date
where some_told.business_date is null
