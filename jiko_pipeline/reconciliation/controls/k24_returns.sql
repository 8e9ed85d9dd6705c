-- id: K24
-- version: 1.0
-- title: Every return sends one earlier movement back, once, for no more than it was, and within the time allowed.
-- key: pocket, date, bank entry
-- identity: ACH: amount returned = amount of the original, within 60 calendar days and 2 business days of its
--   settlement; wire: amount returned at most that of the original
-- tolerance: 0.00
-- hides: a return that names the wrong movement of the same pocket, kind and amount
-- codes: REV_NO_ORIG = MISSING, REV_AMT = AMOUNT, REV_TWICE = DUPLICATE
-- severity: S2
-- evidence: INTRA_PROVIDER
-- inputs: BANK_STATEMENT, API_TRANSACTIONS
-- chained: no
-- gate: no
-- required: no
-- A return names its original by the API's original_transaction_id, else by the end-to-end id of an earlier entry. A
-- card refund or a fee paid back that names nothing is the bank's own and has no original to compare.
with entry as (
    select
        bank_transaction.pocket_id,
        bank_transaction.business_date,
        bank_transaction.bank_transaction_key,
        bank_transaction.activity_id,
        bank_transaction.signed_amount,
        bank_transaction.proprietary_code in ('CARD', 'BANK_FEE') as is_refund,
        movement_link.original_transaction_id
    from bank_transaction
    left join movement_link on movement_link.activity_id = bank_transaction.activity_id
    where bank_transaction.category = 'RETURN'
),
original as (
    select
        entry.pocket_id,
        entry.business_date,
        entry.bank_transaction_key,
        returned_movement.activity_id as original_id,
        returned_movement.transaction_type,
        returned_movement.signed_amount as original_amount,
        returned_movement.business_date as original_date,
        row_number() over (
            partition by entry.pocket_id, entry.business_date, entry.bank_transaction_key
            order by returned_movement.business_date, returned_movement.activity_id
        ) as choice
    from entry
    join returned_movement
        on returned_movement.pocket_id = entry.pocket_id
        and returned_movement.business_date <= entry.business_date
        and (
            returned_movement.transaction_id = entry.original_transaction_id
            or (
                entry.original_transaction_id is null
                and returned_movement.activity_id = entry.activity_id
                and returned_movement.business_date < entry.business_date
            )
        )
        and ((returned_movement.signed_amount > 0) <> (entry.signed_amount > 0))
),
named as (
    select
        entry.*,
        original.original_id,
        original.transaction_type,
        original.original_amount,
        original.original_date,
        row_number() over (
            partition by original.original_id order by entry.business_date, entry.bank_transaction_key
        ) as return_no
    from entry
    left join original
        on original.pocket_id = entry.pocket_id
        and original.business_date = entry.business_date
        and original.bank_transaction_key = entry.bank_transaction_key
        and original.choice = 1
),
reach as (
    select min(business_date) as first_date from returned_movement
),
judged as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        named.bank_transaction_key,
        named.signed_amount,
        named.original_amount,
        named.original_date,
        named.transaction_type,
        case
            when named.original_id is null and named.is_refund and named.original_transaction_id is null then 'NO_REFERENCE'
            when named.original_id is null
                and not coalesce(days_between(reach.first_date, judged_day.business_date) >= 65, false)
                and not coalesce(pocket.opened_on >= reach.first_date, false) then 'BASELINE'
            when named.original_id is null then 'REV_NO_ORIG'
            when named.return_no > 1 then 'REV_TWICE'
            when named.transaction_type = 'ACH' and abs(named.signed_amount) <> abs(named.original_amount) then 'REV_AMT'
            when abs(named.signed_amount) > abs(named.original_amount) then 'REV_AMT'
            when named.transaction_type = 'ACH' and days_between(named.original_date, judged_day.business_date) > 65
                then 'LATE'
            else 'PASS'
        end as finding
    from judged_day
    join named on named.pocket_id = judged_day.pocket_id and named.business_date = judged_day.business_date
    join pocket on pocket.pocket_id = judged_day.pocket_id
    cross join reach
)
select
    pocket_id,
    business_date,
    bank_transaction_key as entity_key,
    case when finding = 'PASS' then 'PASS' when finding in ('NO_REFERENCE', 'BASELINE') then 'NOT_TESTED' else 'BREAK' end
        as status,
    case when finding in ('PASS', 'NO_REFERENCE', 'BASELINE') then '' when finding = 'LATE' then 'REV_NO_ORIG'
        else finding end as code,
    case when finding = 'LATE' then 'LATE' else '' end as sub_code,
    case when finding in ('NO_REFERENCE', 'BASELINE') then finding else '' end as reason,
    signed_amount as left_value,
    -original_amount as right_value,
    signed_amount + coalesce(original_amount, 0) as difference,
    case finding
        when 'PASS' then ''
        when 'NO_REFERENCE' then 'The refund names no movement that it pays back.'
        when 'BASELINE' then 'The movement that was returned may be older than the listings that are there.'
        when 'REV_NO_ORIG' then cast(signed_amount as string) || ' was returned, and no earlier movement is its original.'
        when 'LATE' then 'The ACH movement of ' || cast(original_date as string)
            || ' was returned later than 60 calendar days and 2 business days after it.'
        when 'REV_TWICE' then 'The movement of ' || cast(original_amount as string) || ' of '
            || cast(original_date as string) || ' was returned before.'
        else 'The ' || transaction_type || ' movement of ' || cast(original_amount as string) || ' of '
            || cast(original_date as string) || ' was returned with ' || cast(signed_amount as string) || '.'
    end as detail
from judged
union all
select
    judged_day.pocket_id,
    judged_day.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case when bank_daily.pocket_id is null then 'NO_INPUT' else 'NO_ACTIVITY' end as reason,
    cast(null as decimal(38, 2)) as left_value,
    cast(null as decimal(38, 2)) as right_value,
    cast(null as decimal(38, 2)) as difference,
    case
        when bank_daily.pocket_id is null then 'There is no bank statement.'
        else 'The bank statement shows no return.'
    end as detail
from judged_day
left join bank_daily
    on bank_daily.pocket_id = judged_day.pocket_id and bank_daily.business_date = judged_day.business_date
left join (select distinct pocket_id, business_date from judged) as spoken
    on spoken.pocket_id = judged_day.pocket_id and spoken.business_date = judged_day.business_date
where spoken.pocket_id is null
