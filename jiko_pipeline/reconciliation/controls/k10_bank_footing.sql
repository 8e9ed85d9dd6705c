-- id: K10
-- version: 1.0
-- title: The bank statement foots: opening balance plus booked entries is the closing balance.
-- key: pocket, date
-- identity: OPBD + sum of signed booked entries = CLBD
-- tolerance: 0.00
-- hides: nothing
-- codes: FOOT_BANK = ARITHMETIC
-- severity: S1
-- evidence: ARITHMETIC
-- inputs: BANK_STATEMENT
-- chained: no
-- gate: no
-- required: yes
with entry_sum as (
    select pocket_id, business_date, sum(signed_amount) as booked
    from bank_transaction
    group by pocket_id, business_date
),
sides as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        bank_daily.pocket_id is not null as is_present,
        bank_daily.opening_balance,
        coalesce(entry_sum.booked, 0) as net,
        cast(bank_daily.opening_balance + coalesce(entry_sum.booked, 0) as decimal(38, 2)) as computed,
        bank_daily.closing_balance
    from judged_day
    left join bank_daily
        on bank_daily.pocket_id = judged_day.pocket_id
        and bank_daily.business_date = judged_day.business_date
    left join entry_sum
        on entry_sum.pocket_id = judged_day.pocket_id
        and entry_sum.business_date = judged_day.business_date
),
judged as (
    select
        sides.*,
        case
            when not is_present then 'NOT_TESTED'
            when computed is null or closing_balance is null then 'BREAK'
            when computed is distinct from closing_balance then 'BREAK'
            else 'PASS'
        end as status
    from sides
)
select
    pocket_id,
    business_date,
    '' as entity_key,
    status,
    case when status = 'BREAK' then 'FOOT_BANK' else '' end as code,
    '' as sub_code,
    case when status = 'NOT_TESTED' then 'NO_INPUT' else '' end as reason,
    computed as left_value,
    closing_balance as right_value,
    computed - closing_balance as difference,
    case
        when status = 'NOT_TESTED' then 'There is no bank statement to foot.'
        when status = 'PASS' then ''
        when opening_balance is null then 'The bank statement states no opening balance.'
        when closing_balance is null then 'The bank statement states no closing balance.'
        else 'Opening ' || cast(opening_balance as string) || ' plus entries ' || cast(net as string)
            || ' is ' || cast(computed as string) || ', but the bank closes at '
            || cast(closing_balance as string) || '.'
    end as detail
from judged
