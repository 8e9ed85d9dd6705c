-- id: K21
-- version: 1.0
-- title: Every transaction of the API is a booked bank entry of the same amount, on its day or the next, and
--   the reverse.
-- key: pocket, date, transaction or bank entry
-- identity: API transactions booked or settled = bank entries that are no sweeps
-- tolerance: amount 0.00; bank date 0 to 1 business days after the API's business date, 0 to 5 for card and
--   unsettled items
-- hides: two transactions without references and with equal pocket, day, kind and amount, exchanged for each other
-- codes: TX_API_ONLY = MISSING, TX_BANK_ONLY = MISSING, TX_AMT = AMOUNT, TX_DATE = AMOUNT, TX_AMBIG =
--   DATA_QUALITY, TX_IN_FLIGHT = TIMING
-- severity: S1
-- evidence: INTRA_PROVIDER
-- inputs: BANK_STATEMENT, API_TRANSACTIONS
-- chained: no
-- gate: no
-- required: yes
-- A result belongs to the business date of the API's row, or of the bank entry when there is no such row.
with movement as (
    select
        api_transaction.pocket_id,
        api_transaction.business_date,
        calendar.bd_idx,
        calendar.next_bd,
        api_transaction.activity_id,
        api_transaction.signed_amount,
        api_transaction.transaction_type,
        api_transaction.transaction_status,
        case
            when api_transaction.transaction_type in ('CARD', 'ON_US', 'FEE', 'CREDIT')
                then api_transaction.transaction_type
            else 'TRANSFER'
        end as family,
        api_transaction.transaction_type = 'CARD'
            or api_transaction.transaction_status is distinct from 'SETTLED' as may_wait,
        case
            when api_transaction.transaction_type = 'CARD'
                or api_transaction.transaction_status is distinct from 'SETTLED' then 5
            else 1
        end as allowed_days
    from api_transaction
    join calendar on calendar.business_date = api_transaction.business_date
),
entry as (
    select
        bank_transaction.pocket_id,
        bank_transaction.business_date,
        calendar.bd_idx,
        bank_transaction.bank_transaction_key,
        bank_transaction.activity_id,
        bank_transaction.signed_amount,
        case
            when bank_transaction.category in ('ONUS_IN', 'ONUS_OUT') then 'ON_US'
            when bank_transaction.category in ('CARD', 'FEE', 'CREDIT') then bank_transaction.category
            when bank_transaction.category is not null then 'TRANSFER'
        end as family,
        case
            when bank_transaction.activity_id is not null then row_number() over (
                partition by bank_transaction.pocket_id, bank_transaction.activity_id
                order by bank_transaction.business_date, bank_transaction.bank_transaction_key
            )
            else 1
        end as copy_no
    from bank_transaction
    join calendar on calendar.business_date = bank_transaction.business_date
    where bank_transaction.category is null
       or bank_transaction.category not in ('SWEEP_OUT', 'SWEEP_IN')
),
booked as (
    select pocket_id, business_date, row_key, match_group_id, status
    from matched
    where subject = 'TRANSACTION' and side = 'RIGHT'
),
pair as (
    select
        stated.pocket_id,
        stated.row_key as activity_id,
        booked.business_date as bank_date,
        booked.row_key as bank_transaction_key
    from matched as stated
    join booked on booked.match_group_id = stated.match_group_id and booked.status = 'MATCHED'
    where stated.subject = 'TRANSACTION' and stated.side = 'LEFT' and stated.status = 'MATCHED'
),
ambiguous_movement as (
    select pocket_id, row_key as activity_id
    from matched
    where subject = 'TRANSACTION' and side = 'LEFT' and status = 'AMBIGUOUS'
),
ambiguous_entry as (
    select pocket_id, business_date as bank_date, row_key as bank_transaction_key
    from booked
    where status = 'AMBIGUOUS'
),
day as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        judged_day.previous_bd,
        bank_daily.pocket_id is not null as has_statement,
        case
            when coalesce(pocket.closed_on < calendar.next_bd, false) then 'OVER'
            when bank_after.pocket_id is not null then 'OVER'
            when landed_after.business_date is not null then 'ABSENT'
            else 'TO_COME'
        end as next_statement,
        coalesce(pocket.closed_on < fifth_day.business_date, false)
            or fifth_landed.business_date is not null as waiting_is_over
    from judged_day
    join pocket on pocket.pocket_id = judged_day.pocket_id
    join calendar on calendar.business_date = judged_day.business_date
    join calendar as fifth_day
        on fifth_day.bd_idx = judged_day.bd_idx + 5 and fifth_day.is_fed_business_day
    left join landed_day as fifth_landed on fifth_landed.business_date = fifth_day.business_date
    left join landed_day as landed_after on landed_after.business_date = calendar.next_bd
    left join bank_daily
        on bank_daily.pocket_id = judged_day.pocket_id
        and bank_daily.business_date = judged_day.business_date
    left join bank_daily as bank_after
        on bank_after.pocket_id = judged_day.pocket_id and bank_after.business_date = calendar.next_bd
),
judged_movement as (
    select
        day.pocket_id,
        day.business_date,
        movement.activity_id,
        movement.transaction_type,
        movement.transaction_status,
        movement.signed_amount,
        entry.signed_amount as bank_amount,
        entry.business_date as bank_date,
        case
            when pair.activity_id is not null and entry.signed_amount is distinct from movement.signed_amount
                then 'TX_AMT'
            when pair.activity_id is not null
                and (entry.bd_idx < movement.bd_idx or entry.bd_idx > movement.bd_idx + movement.allowed_days)
                then 'TX_DATE'
            when pair.activity_id is not null then 'PASS'
            when ambiguous_movement.activity_id is not null then 'TX_AMBIG'
            when not day.has_statement then 'NO_INPUT'
            when day.next_statement = 'TO_COME' then 'NOT_DUE'
            when movement.may_wait and not day.waiting_is_over then 'TX_IN_FLIGHT'
            when day.next_statement = 'ABSENT' then 'NO_INPUT'
            else 'TX_API_ONLY'
        end as finding
    from day
    join movement
        on movement.pocket_id = day.pocket_id
        and movement.business_date = day.business_date
    left join pair
        on pair.pocket_id = movement.pocket_id
        and pair.activity_id = movement.activity_id
    left join entry
        on entry.pocket_id = pair.pocket_id
        and entry.business_date = pair.bank_date
        and entry.bank_transaction_key = pair.bank_transaction_key
    left join ambiguous_movement
        on ambiguous_movement.pocket_id = movement.pocket_id
        and ambiguous_movement.activity_id = movement.activity_id
),
listed_day as (
    select distinct business_date
    from delivery
    where document_kind = 'API_TRANSACTIONS' and outcome <> 'QUARANTINED'
),
-- Days on which the API may have stated what the bank booked on a day: back to the business day before the
-- previous one, for card items five business days further.
listing as (
    select
        day.pocket_id,
        day.business_date,
        count(*) filter (
            where listed_day.business_date is null and listed.business_date >= day_before.previous_bd
        ) as days_unlisted,
        count(*) filter (where listed_day.business_date is null) as card_days_unlisted
    from day
    join calendar as day_before on day_before.business_date = day.previous_bd
    join calendar as listed
        on listed.bd_idx >= day_before.bd_idx - 5
        and listed.business_date <= day.business_date
    left join listed_day on listed_day.business_date = listed.business_date
    group by day.pocket_id, day.business_date
),
judged_entry as (
    select
        day.pocket_id,
        day.business_date,
        entry.bank_transaction_key,
        entry.activity_id,
        entry.signed_amount,
        entry.copy_no,
        case
            when ambiguous_entry.bank_transaction_key is not null then 'TX_AMBIG'
            when entry.copy_no = 1 and listing.days_unlisted > 0 then 'NOT_DUE'
            when entry.copy_no = 1 and entry.family = 'CARD' and listing.card_days_unlisted > 0 then 'NOT_DUE'
            else 'TX_BANK_ONLY'
        end as finding
    from day
    join entry
        on entry.pocket_id = day.pocket_id
        and entry.business_date = day.business_date
    join listing
        on listing.pocket_id = day.pocket_id
        and listing.business_date = day.business_date
    left join pair
        on pair.pocket_id = entry.pocket_id
        and pair.bank_date = entry.business_date
        and pair.bank_transaction_key = entry.bank_transaction_key
    left join ambiguous_entry
        on ambiguous_entry.pocket_id = entry.pocket_id
        and ambiguous_entry.bank_date = entry.business_date
        and ambiguous_entry.bank_transaction_key = entry.bank_transaction_key
    where pair.activity_id is null
),
finding as (
    select
        pocket_id,
        business_date,
        activity_id as entity_key,
        finding,
        signed_amount as left_value,
        bank_amount as right_value,
        case finding
            when 'PASS' then ''
            when 'TX_AMT' then 'The API states ' || cast(signed_amount as string) || ', the bank booked '
                || cast(bank_amount as string) || ' on ' || cast(bank_date as string) || '.'
            when 'TX_DATE' then 'The API dates ' || cast(signed_amount as string) || ' '
                || cast(business_date as string) || ', the bank booked it on ' || cast(bank_date as string) || '.'
            when 'TX_AMBIG' then 'More than one bank entry or transaction could be the other side of '
                || cast(signed_amount as string) || '; none is chosen.'
            when 'TX_IN_FLIGHT' then 'The ' || transaction_type || ' of ' || cast(signed_amount as string) || ' ('
                || transaction_status || ') is not on a bank statement yet; it is due within five business days.'
            when 'NOT_DUE' then 'The bank may still book it on the next business day, whose statement is not there yet.'
            when 'NO_INPUT' then 'The bank statement that would show it is not there.'
            else 'The ' || transaction_type || ' of ' || cast(signed_amount as string)
                || ' is on no bank statement.'
        end as detail
    from judged_movement
    union all
    select
        pocket_id,
        business_date,
        'ENTRY ' || bank_transaction_key as entity_key,
        finding,
        cast(null as decimal(38, 2)) as left_value,
        signed_amount as right_value,
        case
            when finding = 'TX_AMBIG' then 'More than one transaction or bank entry could be the other side of '
                || cast(signed_amount as string) || '; none is chosen.'
            when finding = 'NOT_DUE' then 'The API may have stated it on a day whose listing is not there.'
            when copy_no > 1 then 'The bank booked ' || cast(signed_amount as string)
                || ' for a transaction that another entry names already.'
            else 'The bank booked ' || cast(signed_amount as string) || ', of which the API knows nothing.'
        end as detail
    from judged_entry
),
quiet_day as (
    select day.pocket_id, day.business_date, day.has_statement
    from day
    left join (select distinct pocket_id, business_date from finding) as spoken
        on spoken.pocket_id = day.pocket_id
        and spoken.business_date = day.business_date
    where spoken.pocket_id is null
)
select
    pocket_id,
    business_date,
    entity_key,
    case
        when finding = 'PASS' then 'PASS'
        when finding in ('NOT_DUE', 'NO_INPUT') then 'NOT_TESTED'
        else 'BREAK'
    end as status,
    case when finding in ('PASS', 'NOT_DUE', 'NO_INPUT') then '' else finding end as code,
    '' as sub_code,
    case when finding in ('NOT_DUE', 'NO_INPUT') then finding else '' end as reason,
    left_value,
    right_value,
    coalesce(left_value, 0) - coalesce(right_value, 0) as difference,
    detail
from finding
union all
select
    pocket_id,
    business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case when has_statement then 'NO_ACTIVITY' else 'NO_INPUT' end as reason,
    cast(null as decimal(38, 2)) as left_value,
    cast(null as decimal(38, 2)) as right_value,
    cast(null as decimal(38, 2)) as difference,
    case
        when has_statement then 'Neither the bank statement nor the API shows a movement.'
        else 'There is no bank statement.'
    end as detail
from quiet_day
