-- id: K25
-- version: 1.0
-- title: The bank charged the fees that its API states, no others, and each for a movement that exists.
-- key: pocket, date
-- identity: sum of the fee entries of the bank statement = sum of the fee transactions of the API booked for that day
-- tolerance: 0.00
-- hides: a fee that the bank charges and states alike, whatever was agreed: no schedule of fees is compared
-- codes: FEE_UNEXPECTED = MISSING, FEE_AMT = AMOUNT
-- severity: S3
-- evidence: INTRA_PROVIDER
-- inputs: BANK_STATEMENT, API_TRANSACTIONS
-- chained: no
-- gate: no
-- required: no
with entry as (
    select
        pocket_id, business_date, bank_transaction_key, activity_id, signed_amount,
        case when activity_id is not null then row_number() over (
            partition by pocket_id, activity_id order by business_date, bank_transaction_key
        ) else 1 end as copy_no
    from bank_transaction
    where category = 'FEE'
),
fee as (
    select
        api_transaction.pocket_id,
        api_transaction.business_date,
        api_transaction.activity_id,
        api_transaction.transaction_id,
        api_transaction.signed_amount,
        movement_link.related_transaction_id
    from api_transaction
    left join movement_link on movement_link.activity_id = api_transaction.activity_id
    where api_transaction.transaction_type = 'FEE'
),
charged_for as (
    select distinct transaction_id from api_transaction where transaction_type <> 'FEE'
),
charged as (
    select
        entry.pocket_id,
        entry.business_date,
        entry.bank_transaction_key,
        entry.signed_amount,
        fee.signed_amount as stated_amount,
        case
            when fee.activity_id is null or entry.copy_no > 1 then 'UNSTATED'
            when fee.related_transaction_id is not null and charged_for.transaction_id is null then 'FOR_NOTHING'
            when fee.signed_amount is distinct from entry.signed_amount then 'FEE_AMT'
            else 'PASS'
        end as finding
    from entry
    left join fee on fee.pocket_id = entry.pocket_id and fee.activity_id = entry.activity_id
    left join charged_for on charged_for.transaction_id = fee.related_transaction_id
),
listed as (
    select distinct business_date from delivery
    where document_kind = 'API_TRANSACTIONS'
),
day as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        case
            when bank_daily.pocket_id is null then 'NO_INPUT'
            when listed.business_date is null then 'NO_INPUT'
            when charged.pocket_id is null then 'NO_ACTIVITY'
            else ''
        end as reason
    from judged_day
    left join bank_daily
        on bank_daily.pocket_id = judged_day.pocket_id and bank_daily.business_date = judged_day.business_date
    left join listed on listed.business_date = judged_day.business_date
    left join (select distinct pocket_id, business_date from charged) as charged
        on charged.pocket_id = judged_day.pocket_id and charged.business_date = judged_day.business_date
)
select
    day.pocket_id,
    day.business_date,
    charged.bank_transaction_key as entity_key,
    case when charged.finding = 'PASS' then 'PASS' else 'BREAK' end as status,
    case charged.finding when 'PASS' then '' when 'FEE_AMT' then 'FEE_AMT' else 'FEE_UNEXPECTED' end as code,
    case when charged.finding = 'FOR_NOTHING' then 'FOR_NOTHING' else '' end as sub_code,
    '' as reason,
    charged.signed_amount as left_value,
    case when charged.finding = 'UNSTATED' then cast(null as decimal(38, 2)) else charged.stated_amount end as right_value,
    charged.signed_amount
        - case when charged.finding = 'UNSTATED' then 0 else coalesce(charged.stated_amount, 0) end as difference,
    case charged.finding
        when 'PASS' then ''
        when 'UNSTATED' then 'The bank charged a fee of ' || cast(charged.signed_amount as string)
            || ' that the API does not state.'
        when 'FOR_NOTHING' then 'The fee of ' || cast(charged.signed_amount as string)
            || ' is for a movement that the API does not list.'
        else 'The bank charged a fee of ' || cast(charged.signed_amount as string) || ', the API states '
            || cast(charged.stated_amount as string) || '.'
    end as detail
from day
join charged on charged.pocket_id = day.pocket_id and charged.business_date = day.business_date
where day.reason = ''
union all
select
    pocket_id,
    business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    reason,
    cast(null as decimal(38, 2)) as left_value,
    cast(null as decimal(38, 2)) as right_value,
    cast(null as decimal(38, 2)) as difference,
    case reason
        when 'NO_INPUT' then 'The bank statement or the listing of transactions is not there.'
        else 'The bank statement shows no fee.'
    end as detail
from day
where reason <> ''
