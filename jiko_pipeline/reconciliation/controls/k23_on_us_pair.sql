-- id: K23
-- version: 1.0
-- title: A transfer between two of the customer's own pockets leaves the one and reaches the other with one amount, on
--   the same business day or the next.
-- key: date, transfer
-- identity: sum of the legs of a transfer over the customer's own pockets = 0, with a leg in each of the two
-- tolerance: 0.00; the second leg 0 to 1 business days after the first
-- hides: a transfer that both pockets lack; a wrong pocket of the customer's own at either end
-- codes: ONUS_ONE_LEG = MISSING, ONUS_AMT = AMOUNT
-- severity: S2
-- evidence: INTRA_PROVIDER
-- inputs: API_TRANSACTIONS
-- chained: no
-- gate: no
-- required: no
-- scope: customer
-- A result belongs to the business day of the transfer's first leg. A transfer from or to somebody else's pocket has
-- one leg here, and rightly so.
with own_leg as (
    select
        movement_link.on_us_transfer_id as transfer,
        api_transaction.pocket_id,
        api_transaction.activity_id,
        api_transaction.signed_amount,
        api_transaction.business_date,
        calendar.bd_idx,
        movement_link.on_us_transfer_type = 'INTERNAL_REALLOCATION'
            or (source.pocket_id is not null and target.pocket_id is not null) as is_within
    from movement_link
    join api_transaction on api_transaction.activity_id = movement_link.activity_id
    join calendar on calendar.business_date = api_transaction.business_date
    left join pocket as source on source.pocket_id = movement_link.source_pocket_id
    left join pocket as target on target.pocket_id = movement_link.target_pocket_id
    where movement_link.on_us_transfer_id is not null
),
transfer as (
    select
        transfer,
        min(business_date) as business_date,
        min(bd_idx) as first_idx,
        max(bd_idx) as last_idx,
        count(*) filter (where signed_amount > 0) as credits,
        count(*) filter (where signed_amount < 0) as debits,
        sum(signed_amount) filter (where signed_amount > 0) as credited,
        -sum(signed_amount) filter (where signed_amount < 0) as debited
    from own_leg
    group by transfer
    having max(case when is_within then 1 else 0 end) = 1
),
judged_date as (
    select distinct business_date, bd_idx from judged_day
),
listed as (
    select distinct business_date from delivery
    where document_kind = 'API_TRANSACTIONS' and is_current
),
judged as (
    select
        judged_date.business_date,
        transfer.transfer,
        coalesce(transfer.debited, 0) as sent,
        coalesce(transfer.credited, 0) as received,
        transfer.last_idx - transfer.first_idx as days_between,
        case
            when transfer.credits = 0 or transfer.debits = 0
                then case when next_listed.business_date is null then 'NOT_DUE' else 'ONUS_ONE_LEG' end
            when transfer.debited <> transfer.credited then 'ONUS_AMT'
            when transfer.last_idx - transfer.first_idx > 1 then 'LATE'
            else 'PASS'
        end as finding
    from judged_date
    join transfer on transfer.business_date = judged_date.business_date
    join calendar on calendar.business_date = judged_date.business_date
    left join listed as next_listed on next_listed.business_date = calendar.next_bd
)
select
    '' as pocket_id,
    business_date,
    transfer as entity_key,
    case finding when 'PASS' then 'PASS' when 'NOT_DUE' then 'NOT_TESTED' else 'BREAK' end as status,
    case finding when 'PASS' then '' when 'NOT_DUE' then '' when 'LATE' then 'ONUS_ONE_LEG' else finding end as code,
    case when finding = 'LATE' then 'LATE' else '' end as sub_code,
    case when finding = 'NOT_DUE' then 'NOT_DUE' else '' end as reason,
    sent as left_value,
    received as right_value,
    sent - received as difference,
    case finding
        when 'PASS' then ''
        when 'NOT_DUE' then 'The other leg may come on the next business day, whose listing is not there yet.'
        when 'LATE' then 'The legs of ' || cast(sent as string) || ' are ' || cast(days_between as string)
            || ' business days apart; the second is due on the next business day.'
        when 'ONUS_AMT' then cast(sent as string) || ' left one pocket and ' || cast(received as string)
            || ' reached the other.'
        when 'ONUS_ONE_LEG' then case
            when sent > 0 then cast(sent as string) || ' left a pocket for another of the customer''s, which never had it.'
            else cast(received as string) || ' reached a pocket from another of the customer''s, which never sent it.'
        end
    end as detail
from judged
union all
select
    '' as pocket_id,
    judged_date.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case when listed.business_date is null then 'NO_INPUT' else 'NO_ACTIVITY' end as reason,
    cast(null as decimal(38, 2)) as left_value,
    cast(null as decimal(38, 2)) as right_value,
    cast(null as decimal(38, 2)) as difference,
    case
        when listed.business_date is null then 'The listing of transactions of the day is not there.'
        else 'Nothing moved between the customer''s own pockets.'
    end as detail
from judged_date
left join listed on listed.business_date = judged_date.business_date
left join (select distinct business_date from judged) as spoken on spoken.business_date = judged_date.business_date
where spoken.business_date is null
