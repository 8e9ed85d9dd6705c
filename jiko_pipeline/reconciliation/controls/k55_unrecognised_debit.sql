-- id: K55
-- version: 1.0
-- title: Every debit that nobody approved is one that the customer expects or allows.
-- key: pocket, date, movement
-- identity: debit without a transfer request = a line of the list of expected payments, or a company on the allow-list
--   within its limit
-- tolerance: 0.00
-- hides: a debit of an allowed company below its limit that nobody owes
-- codes: DEBIT_UNKNOWN = MISSING
-- severity: S1
-- evidence: CUSTOMER_RECORD
-- inputs: EXPECTED_PAYMENTS, DEBIT_ALLOW_LIST, API_TRANSACTIONS
-- chained: no
-- gate: no
-- required: no
-- Fees are proved by K25, payments that need approval by K50. A company is named by its id or by its name as the debit
-- states it; a transaction type on the allow-list stands for all debits of that type. A corporate ACH debit can be
-- returned until the next banking day only.
with asked as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        count(delivery.business_date) > 0 as is_present
    from judged_day
    left join delivery
        on delivery.document_kind = 'API_TRANSACTIONS'
        and delivery.business_date = judged_day.business_date
        and delivery.outcome in ('NEW_VERSION', 'UNCHANGED')
    group by judged_day.pocket_id, judged_day.business_date
),
allowed as (
    select count(*) > 0 as has_list from debit_allowance
),
debit as (
    select
        asked.pocket_id,
        asked.business_date,
        api_transaction.activity_id,
        api_transaction.transaction_type,
        - api_transaction.signed_amount as amount,
        calendar.next_bd as return_by,
        transaction_party.company_id,
        coalesce(transaction_party.company_name, transaction_party.counterparty) as company_name,
        transaction_party.counterparty,
        coalesce(transaction_party.words, '') as words
    from asked
    join api_transaction
        on api_transaction.pocket_id = asked.pocket_id and api_transaction.business_date = asked.business_date
    join calendar on calendar.business_date = asked.business_date
    left join transaction_party on transaction_party.activity_id = api_transaction.activity_id
    left join transfer_request on transfer_request.transfer_id = api_transaction.transfer_id
    where api_transaction.signed_amount < 0
      and api_transaction.transaction_type not in ('FEE', 'WIRE', 'INTERNATIONAL_WIRE', 'ON_US', 'USDC')
      and transfer_request.transfer_id is null
),
proved as (
    select
        debit.pocket_id,
        debit.business_date,
        debit.activity_id,
        debit.transaction_type,
        debit.amount,
        debit.return_by,
        coalesce(debit.company_name, 'somebody') as company,
        count(debit_allowance.company_id) as allowances,
        max(debit_allowance.limit_amount) as limit_amount,
        count(expected_payment.expected_id) as expectations,
        max(case when expected_list.pocket_id is null then 0 else 1 end) as is_listed_day
    from debit
    left join debit_allowance
        on debit_allowance.company_id in (
            debit.company_id, debit.company_name, debit.counterparty, lower(debit.transaction_type)
        )
    left join expected_payment
        on expected_payment.pocket_id = debit.pocket_id
        and expected_payment.direction = 'OUT'
        and debit.business_date between expected_payment.date_low and expected_payment.date_high
        and debit.amount between expected_payment.amount_low and expected_payment.amount_high
        and (
            expected_payment.counterparty is null
            or expected_payment.counterparty in (debit.counterparty, debit.company_name)
        )
        and (expected_payment.transaction_type is null or expected_payment.transaction_type = debit.transaction_type)
        and (expected_payment.reference is null or position(expected_payment.reference in debit.words) > 0)
    left join expected_list
        on expected_list.pocket_id = debit.pocket_id
        and expected_list.direction = 'OUT'
        and debit.business_date between expected_list.first_date and expected_list.last_date
    group by
        debit.pocket_id, debit.business_date, debit.activity_id, debit.transaction_type, debit.amount, debit.return_by,
        debit.company_name
),
judged as (
    select
        proved.*,
        case
            when expectations > 0 then ''
            when allowances > 0 and amount <= limit_amount then ''
            when allowances > 0 then 'LIMIT'
            when allowed.has_list or is_listed_day = 1 then 'UNKNOWN'
            else 'NO_EXPECTED_LIST'
        end as finding
    from proved
    cross join allowed
)
select
    pocket_id,
    business_date,
    activity_id as entity_key,
    case finding when '' then 'PASS' when 'NO_EXPECTED_LIST' then 'NOT_TESTED' else 'BREAK' end as status,
    case when finding in ('LIMIT', 'UNKNOWN') then 'DEBIT_UNKNOWN' else '' end as code,
    case when finding = 'LIMIT' then 'LIMIT' else '' end as sub_code,
    case when finding = 'NO_EXPECTED_LIST' then 'NO_EXPECTED_LIST' else '' end as reason,
    amount as left_value,
    limit_amount as right_value,
    case when finding = 'LIMIT' then amount - limit_amount end as difference,
    case finding
        when 'LIMIT' then company || ' debited ' || cast(amount as string) || ' (' || transaction_type || '), more than the '
            || cast(limit_amount as string) || ' it may; return_by ' || cast(return_by as string) || '.'
        when 'UNKNOWN' then company || ' debited ' || cast(amount as string) || ' (' || transaction_type
            || '), which the customer neither expects nor allows; return_by ' || cast(return_by as string) || '.'
        when 'NO_EXPECTED_LIST' then 'The customer has given neither a list of expected payments nor an allow-list.'
        else ''
    end as detail
from judged
union all
select
    asked.pocket_id,
    asked.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case when asked.is_present then 'NO_ACTIVITY' else 'NO_INPUT' end as reason,
    cast(null as decimal(38, 2)) as left_value,
    cast(null as decimal(38, 2)) as right_value,
    cast(null as decimal(38, 2)) as difference,
    '' as detail
from asked
left join (select distinct pocket_id, business_date from debit) as debit_day
    on debit_day.pocket_id = asked.pocket_id and debit_day.business_date = asked.business_date
where debit_day.pocket_id is null
