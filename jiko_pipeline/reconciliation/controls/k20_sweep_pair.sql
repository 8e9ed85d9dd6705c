-- id: K20
-- version: 1.2
-- title: What the bank account sweeps out arrives at the brokerage account, and the reverse, by the next business day.
-- key: pocket, date[, sweep]
-- identity: - sum of bank sweeps = additions - subtractions (- fees that leave through the bank) - net value of bills
--   transferred in kind + change of cash in transit
-- tolerance: 0.00
-- hides: two sweeps of a day that are exchanged for each other, for totals are compared before references
-- codes: SWEEP_BANK_ONLY = MISSING, SWEEP_BRO_ONLY = MISSING, SWEEP_AMT = AMOUNT,
--   SWEEP_DATE = AMOUNT, IN_TRANSIT = TIMING
-- severity: S1
-- evidence: INTRA_PROVIDER
-- inputs: BANK_STATEMENT, BROKERAGE_STATEMENT
-- chained: no
-- gate: no
-- required: yes
-- Amounts are from the brokerage account's view: positive is cash towards it.
-- Bills moved in kind stand among the additions and subtractions at the bank's value, which is no cash.
with transferred as (
    select
        pocket_id,
        trade_date as business_date,
        case when activity like '%TRANSFER%IN' then notional when activity like '%TRANSFER%OUT' then -notional end
            as amount
    from trade
    where activity not in ('BUY', 'SELL', 'MATURITY')
),
in_kind as (
    select pocket_id, business_date, sum(amount) as amount, count(*) <> count(amount) as is_unvalued
    from transferred
    group by pocket_id, business_date
),
bank_leg as (
    select pocket_id, business_date, coalesce(end_to_end_id, '') as sweep, sum(-signed_amount) as amount
    from bank_transaction
    where category in ('SWEEP_OUT', 'SWEEP_IN')
    group by pocket_id, business_date, coalesce(end_to_end_id, '')
),
brokerage_leg as (
    select
        brokerage_flow.pocket_id,
        brokerage_flow.business_date,
        coalesce(brokerage_flow.end_to_end_id, '') as sweep,
        sum(brokerage_flow.signed_amount) as amount
    from brokerage_flow
    left join basis on basis.business_date = brokerage_flow.business_date
    where brokerage_flow.flow in ('ADDITION', 'SUBTRACTION')
       or (brokerage_flow.flow = 'FEE' and basis.fee_path = 'BANK')
    group by brokerage_flow.pocket_id, brokerage_flow.business_date, coalesce(brokerage_flow.end_to_end_id, '')
),
leg_pair as (
    select
        coalesce(bank_leg.pocket_id, brokerage_leg.pocket_id) as pocket_id,
        coalesce(bank_leg.business_date, brokerage_leg.business_date) as business_date,
        coalesce(bank_leg.sweep, brokerage_leg.sweep) as sweep,
        bank_leg.amount as bank_amount,
        brokerage_leg.amount as brokerage_amount,
        coalesce(bank_leg.amount, 0) - coalesce(brokerage_leg.amount, 0) as difference
    from bank_leg
    full join brokerage_leg
        on brokerage_leg.pocket_id = bank_leg.pocket_id
        and brokerage_leg.business_date = bank_leg.business_date
        and brokerage_leg.sweep = bank_leg.sweep
),
day_total as (
    select
        pocket_id,
        business_date,
        coalesce(sum(bank_amount), 0) as bank_total,
        coalesce(sum(brokerage_amount), 0) as brokerage_total
    from leg_pair
    group by pocket_id, business_date
),
indexed as (
    select leg_pair.*, calendar.bd_idx
    from leg_pair
    join calendar on calendar.business_date = leg_pair.business_date
    left join (select distinct pocket_id, business_date, amount from transferred) as moved
        on moved.pocket_id = leg_pair.pocket_id
        and moved.business_date = leg_pair.business_date
        and moved.amount = leg_pair.brokerage_amount
        and leg_pair.bank_amount is null
    where leg_pair.difference <> 0 and moved.amount is null
),
-- The other leg of a one-legged sweep on another day: same reference, same amount, the nearest such day; or on the
-- business day before or after another amount, which is then what is wrong.
other_day as (
    select
        here.pocket_id,
        here.business_date,
        here.sweep,
        there.business_date as other_date,
        there.bd_idx - here.bd_idx as days_later,
        there.difference as other_difference,
        row_number() over (
            partition by here.pocket_id, here.business_date, here.sweep
            order by
                case when there.difference = -here.difference then 0 else 1 end,
                abs(there.bd_idx - here.bd_idx),
                there.business_date
        ) as choice
    from indexed as here
    join indexed as there
        on there.pocket_id = here.pocket_id
        and there.sweep = here.sweep
        and there.bd_idx between here.bd_idx - 5 and here.bd_idx + 5
        and there.bd_idx <> here.bd_idx
        and (
            there.difference = -here.difference
            or (there.bd_idx = here.bd_idx + 1 and there.bank_amount is null and here.brokerage_amount is null)
            or (there.bd_idx = here.bd_idx - 1 and there.brokerage_amount is null and here.bank_amount is null)
        )
    where here.sweep <> ''
      and (here.bank_amount is null or here.brokerage_amount is null)
      and (there.bank_amount is null or there.brokerage_amount is null)
),
day as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        judged_day.is_first,
        bank_daily.pocket_id is not null and brokerage_daily.pocket_id is not null as is_present,
        coalesce(in_kind.is_unvalued, false) as has_in_kind,
        coalesce(day_total.bank_total, 0) as bank_total,
        coalesce(day_total.brokerage_total, 0) - coalesce(in_kind.amount, 0) as brokerage_total,
        day_total.pocket_id is not null as has_sweeps,
        bank_after.pocket_id is not null as bank_follows,
        brokerage_after.pocket_id is not null as brokerage_follows,
        coalesce(pocket.closed_on < calendar.next_bd, false) as is_last_day,
        (bank_before.pocket_id is not null and brokerage_before.pocket_id is not null)
            or coalesce(pocket.opened_on > judged_day.previous_bd, false) as is_preceded
    from judged_day
    join pocket on pocket.pocket_id = judged_day.pocket_id
    join calendar on calendar.business_date = judged_day.business_date
    left join bank_daily
        on bank_daily.pocket_id = judged_day.pocket_id
        and bank_daily.business_date = judged_day.business_date
    left join brokerage_daily
        on brokerage_daily.pocket_id = judged_day.pocket_id
        and brokerage_daily.business_date = judged_day.business_date
    left join bank_daily as bank_after
        on bank_after.pocket_id = judged_day.pocket_id and bank_after.business_date = calendar.next_bd
    left join brokerage_daily as brokerage_after
        on brokerage_after.pocket_id = judged_day.pocket_id and brokerage_after.business_date = calendar.next_bd
    left join bank_daily as bank_before
        on bank_before.pocket_id = judged_day.pocket_id
        and bank_before.business_date = judged_day.previous_bd
    left join brokerage_daily as brokerage_before
        on brokerage_before.pocket_id = judged_day.pocket_id
        and brokerage_before.business_date = judged_day.previous_bd
    left join day_total
        on day_total.pocket_id = judged_day.pocket_id
        and day_total.business_date = judged_day.business_date
    left join in_kind
        on in_kind.pocket_id = judged_day.pocket_id
        and in_kind.business_date = judged_day.business_date
),
judged_total as (
    select
        day.*,
        case
            when not is_present then 'NO_INPUT'
            when has_in_kind then 'IN_KIND'
            when not has_sweeps then 'NO_ACTIVITY'
            else ''
        end as reason
    from day
    where not is_present or has_in_kind or bank_total = brokerage_total
),
judged_leg as (
    select
        day.pocket_id,
        day.business_date,
        indexed.sweep,
        indexed.bank_amount,
        indexed.brokerage_amount,
        indexed.difference,
        other_day.other_date,
        -other_day.other_difference as other_amount,
        case
            when indexed.bank_amount is not null and indexed.brokerage_amount is not null then 'SWEEP_AMT'
            when other_day.days_later = 1 and other_day.other_difference <> -indexed.difference then 'SWEEP_AMT_NEXT_DAY'
            when other_day.days_later in (-1, 1) then 'OVERNIGHT'
            when other_day.days_later > 1 then 'SWEEP_DATE'
            when other_day.days_later < -1 then 'LATE_ARRIVAL'
            when not day.is_preceded and day.is_first then 'BASELINE'
            when not day.is_preceded then 'NO_INPUT'
            when indexed.bank_amount is not null and (day.brokerage_follows or day.is_last_day) then 'SWEEP_BANK_ONLY'
            when indexed.brokerage_amount is not null and (day.bank_follows or day.is_last_day) then 'SWEEP_BRO_ONLY'
            else 'IN_TRANSIT'
        end as finding
    from day
    join indexed
        on indexed.pocket_id = day.pocket_id
        and indexed.business_date = day.business_date
    left join other_day
        on other_day.pocket_id = indexed.pocket_id
        and other_day.business_date = indexed.business_date
        and other_day.sweep = indexed.sweep
        and other_day.choice = 1
    where day.is_present
      and not day.has_in_kind
      and day.bank_total is distinct from day.brokerage_total
)
select
    pocket_id,
    business_date,
    '' as entity_key,
    case when reason = '' then 'PASS' else 'NOT_TESTED' end as status,
    '' as code,
    '' as sub_code,
    reason,
    case when reason = '' then bank_total end as left_value,
    case when reason = '' then brokerage_total end as right_value,
    case when reason = '' then bank_total - brokerage_total end as difference,
    case reason
        when 'NO_INPUT' then 'One of the two statements is not there.'
        when 'IN_KIND' then 'Bills moved in kind on this day; what they were worth to the bank is not stated.'
        when 'NO_ACTIVITY' then 'Neither statement shows a sweep.'
        else ''
    end as detail
from judged_total
union all
select
    pocket_id,
    business_date,
    sweep as entity_key,
    case
        when finding in ('OVERNIGHT', 'LATE_ARRIVAL') then 'PASS'
        when finding in ('BASELINE', 'NO_INPUT') then 'NOT_TESTED'
        else 'BREAK'
    end as status,
    case
        when finding in ('OVERNIGHT', 'LATE_ARRIVAL', 'BASELINE', 'NO_INPUT') then ''
        when finding = 'SWEEP_AMT_NEXT_DAY' then 'SWEEP_AMT'
        else finding
    end as code,
    '' as sub_code,
    case when finding in ('BASELINE', 'NO_INPUT') then finding else '' end as reason,
    bank_amount as left_value,
    case when finding = 'SWEEP_AMT_NEXT_DAY' then other_amount else brokerage_amount end as right_value,
    case when finding = 'SWEEP_AMT_NEXT_DAY' then bank_amount - other_amount else difference end as difference,
    case
        when finding = 'SWEEP_AMT_NEXT_DAY'
            then 'The bank account moved ' || cast(bank_amount as string)
                || ' towards the brokerage account, which shows ' || cast(other_amount as string) || ' on '
                || cast(other_date as string) || '.'
        when finding = 'SWEEP_AMT'
            then 'The bank account moved ' || cast(bank_amount as string)
                || ' towards the brokerage account, which shows ' || cast(brokerage_amount as string) || '.'
        when finding = 'SWEEP_BANK_ONLY'
            then 'The bank account moved ' || cast(bank_amount as string)
                || ' towards the brokerage account, which shows nothing of it, nor on the next business day.'
        when finding = 'SWEEP_BRO_ONLY'
            then 'The brokerage account shows ' || cast(brokerage_amount as string)
                || ' from the bank account, which shows nothing of it, nor on the neighbouring business days.'
        when finding = 'SWEEP_DATE'
            then 'The other leg of ' || cast(difference as string) || ' came only on '
                || cast(other_date as string) || ', later than the next business day.'
        when finding = 'IN_TRANSIT'
            then cast(difference as string) || ' is in transit; it is due on the next business day.'
        when finding = 'BASELINE'
            then cast(difference as string) || ' may have left before the first statement that is there.'
        when finding = 'NO_INPUT'
            then cast(difference as string)
                || ' may belong to the previous business day, of which a statement is not there.'
        else 'The other leg of ' || cast(difference as string) || ' is that of '
            || cast(other_date as string) || '.'
    end as detail
from judged_leg
