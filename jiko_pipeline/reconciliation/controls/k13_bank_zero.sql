-- id: K13
-- version: 1.0
-- title: The bank account opens and closes at zero: all cash is swept.
-- key: pocket, date
-- identity: OPBD = 0 and CLBD = 0
-- tolerance: 0.00
-- hides: nothing
-- codes: BANK_NONZERO_EOD = AMOUNT
-- severity: S2
-- evidence: INTRA_PROVIDER
-- inputs: BANK_STATEMENT
-- chained: no
-- gate: no
-- required: no
with sides as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        bank_daily.opening_balance,
        bank_daily.closing_balance,
        case
            when bank_daily.pocket_id is null then 'NOT_TESTED'
            when bank_daily.opening_balance is distinct from 0 then 'BREAK'
            when bank_daily.closing_balance is distinct from 0 then 'BREAK'
            else 'PASS'
        end as status
    from judged_day
    left join bank_daily
        on bank_daily.pocket_id = judged_day.pocket_id
        and bank_daily.business_date = judged_day.business_date
),
judged as (
    select
        sides.*,
        case when closing_balance is distinct from 0 then closing_balance else opening_balance end as balance
    from sides
)
select
    pocket_id,
    business_date,
    '' as entity_key,
    status,
    case when status = 'BREAK' then 'BANK_NONZERO_EOD' else '' end as code,
    '' as sub_code,
    case when status = 'NOT_TESTED' then 'NO_INPUT' else '' end as reason,
    balance as left_value,
    case when status <> 'NOT_TESTED' then cast(0 as decimal(38, 2)) end as right_value,
    balance as difference,
    case status
        when 'NOT_TESTED' then 'There is no bank statement.'
        when 'BREAK'
            then 'The bank account opens at ' || coalesce(cast(opening_balance as string), 'no stated balance')
                || ' and closes at ' || coalesce(cast(closing_balance as string), 'no stated balance') || '.'
        else ''
    end as detail
from judged
