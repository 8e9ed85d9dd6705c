-- id: K22
-- version: 1.0
-- title: What a pocket's bank account took in and paid out on a day is what the sweeps carried away and brought.
-- key: pocket, date
-- identity: sum of booked entries that are no sweeps = -(sum of booked sweeps)
-- tolerance: 0.00
-- hides: nothing in the day's sum; two entries that are wrong by opposite amounts
-- codes: SWEEP_NE_NET_ACTIVITY = ARITHMETIC
-- severity: S2
-- evidence: ARITHMETIC
-- inputs: BANK_STATEMENT
-- chained: no
-- gate: no
-- required: no
with booked as (
    select
        pocket_id,
        business_date,
        count(*) as entries,
        sum(case when category in ('SWEEP_OUT', 'SWEEP_IN') then signed_amount
            else cast(0 as decimal(38, 2)) end) as swept,
        sum(case when category in ('SWEEP_OUT', 'SWEEP_IN') then cast(0 as decimal(38, 2))
            else signed_amount end) as activity
    from bank_transaction
    group by pocket_id, business_date
),
judged as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        case
            when bank_daily.pocket_id is null then 'NO_INPUT'
            when booked.pocket_id is null then 'NO_ACTIVITY'
            else ''
        end as reason,
        booked.activity,
        -booked.swept as carried,
        booked.activity + booked.swept as difference
    from judged_day
    left join bank_daily
        on bank_daily.pocket_id = judged_day.pocket_id and bank_daily.business_date = judged_day.business_date
    left join booked
        on booked.pocket_id = judged_day.pocket_id and booked.business_date = judged_day.business_date
)
select
    pocket_id,
    business_date,
    '' as entity_key,
    case when reason <> '' then 'NOT_TESTED' when difference = 0 then 'PASS' else 'BREAK' end as status,
    case when difference <> 0 then 'SWEEP_NE_NET_ACTIVITY' else '' end as code,
    '' as sub_code,
    reason,
    case when reason = '' then activity end as left_value,
    case when reason = '' then carried end as right_value,
    case when reason = '' then difference end as difference,
    case
        when reason = 'NO_INPUT' then 'There is no bank statement.'
        when reason = 'NO_ACTIVITY' then 'The bank statement shows no entry.'
        when difference = 0 then ''
        else 'The account moved by ' || cast(activity as string) || ' without sweeps, and sweeps carried '
            || cast(carried as string) || ' to the brokerage account.'
    end as detail
from judged
