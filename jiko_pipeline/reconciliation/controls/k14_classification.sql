-- id: K14
-- version: 1.0
-- title: Every booked bank entry belongs to exactly one category.
-- key: pocket, date, bank entry
-- identity: categories that the rules give an entry = 1
-- tolerance: 0
-- hides: a rule that gives the wrong category; K20 and K21 see that
-- codes: UNCLASSIFIED = REFERENCE_DATA, CLASS_AMBIG = REFERENCE_DATA
-- severity: S1
-- evidence: ARITHMETIC
-- inputs: BANK_STATEMENT
-- chained: no
-- gate: no
-- required: yes
with judged as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        bank_daily.pocket_id is not null as is_present,
        bank_transaction.bank_transaction_key,
        bank_transaction.signed_amount,
        bank_transaction.proprietary_code,
        bank_transaction.matching_rules,
        case
            when bank_transaction.bank_transaction_key is null then ''
            when bank_transaction.category is not null then ''
            when bank_transaction.matching_rules = 0 then 'UNCLASSIFIED'
            else 'CLASS_AMBIG'
        end as code
    from judged_day
    left join bank_daily
        on bank_daily.pocket_id = judged_day.pocket_id
        and bank_daily.business_date = judged_day.business_date
    left join bank_transaction
        on bank_transaction.pocket_id = judged_day.pocket_id
        and bank_transaction.business_date = judged_day.business_date
)
select
    pocket_id,
    business_date,
    coalesce(bank_transaction_key, '') as entity_key,
    case
        when bank_transaction_key is null then 'NOT_TESTED'
        when code <> '' then 'BREAK'
        else 'PASS'
    end as status,
    code,
    '' as sub_code,
    case
        when bank_transaction_key is not null then ''
        when is_present then 'NO_ACTIVITY'
        else 'NO_INPUT'
    end as reason,
    case
        when bank_transaction_key is null then null
        when code = 'UNCLASSIFIED' then 0
        when code = 'CLASS_AMBIG' then matching_rules
        else 1
    end as left_value,
    case when bank_transaction_key is not null then 1 end as right_value,
    case
        when bank_transaction_key is null then null
        when code = 'UNCLASSIFIED' then -1
        when code = 'CLASS_AMBIG' then matching_rules - 1
        else 0
    end as difference,
    case
        when bank_transaction_key is null and is_present then 'The bank statement has no entries.'
        when bank_transaction_key is null then 'There is no bank statement.'
        when code = 'UNCLASSIFIED'
            then 'No rule knows the entry of ' || cast(signed_amount as string) || ' with the code '
                || coalesce(proprietary_code, '(none)') || '.'
        when code = 'CLASS_AMBIG'
            then cast(matching_rules as string) || ' rules put the entry of ' || cast(signed_amount as string)
                || ' with the code ' || coalesce(proprietary_code, '(none)') || ' into different categories.'
        else ''
    end as detail
from judged
