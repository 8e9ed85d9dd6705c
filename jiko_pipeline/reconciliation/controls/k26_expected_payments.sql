-- id: K26
-- version: 1.0
-- title: What the customer's own list expects has happened within its bounds, and no receipt came that it does not know.
-- key: pocket, date, expected payment; or pocket, date, receipt
-- identity: each line of the list = one movement of its direction, within its amounts and dates, of its counterparty,
--   type and reference where it names them
-- tolerance: as each line sets it
-- hides: a movement that fits a line by chance; a line that is on the list in error and was paid
-- codes: EXP_OVERDUE = MISSING, EXP_UNMATCHED = AMOUNT, EXP_PARTIAL = AMOUNT, UNEXPECTED_RECEIPT = MISSING
-- severity: S2
-- evidence: CUSTOMER_RECORD
-- inputs: EXPECTED_PAYMENTS, API_TRANSACTIONS
-- chained: no
-- gate: no
-- required: no
-- A reference decides; without one only what is unambiguous on both sides matches, and each movement is used once. A
-- line is judged on the first business day on which its last day is over; what came later than that clears it. Receipts
-- are judged on the days of which the list speaks for the pocket.
with asked as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        judged_day.previous_bd,
        count(delivery.business_date) > 0 as is_present
    from judged_day
    left join delivery
        on delivery.document_kind = 'API_TRANSACTIONS'
        and delivery.business_date = judged_day.business_date
        and delivery.outcome in ('NEW_VERSION', 'UNCHANGED')
    group by judged_day.pocket_id, judged_day.business_date, judged_day.previous_bd
),
movement as (
    select
        api_transaction.activity_id,
        api_transaction.pocket_id,
        api_transaction.business_date,
        api_transaction.transaction_type,
        case when api_transaction.signed_amount > 0 then 'IN' else 'OUT' end as direction,
        abs(api_transaction.signed_amount) as amount,
        transaction_party.counterparty,
        transaction_party.company_name,
        transaction_party.words
    from api_transaction
    left join transaction_party on transaction_party.activity_id = api_transaction.activity_id
    where api_transaction.transaction_type <> 'FEE'
),
by_reference as (
    select
        expected_payment.expected_id,
        movement.activity_id,
        movement.amount,
        movement.business_date
    from expected_payment
    join movement
        on movement.pocket_id = expected_payment.pocket_id
        and movement.direction = expected_payment.direction
        and movement.business_date >= expected_payment.date_low
    where expected_payment.reference <> ''
      and position(expected_payment.reference in movement.words) > 0
),
referenced as (
    select
        expected_id,
        sum(amount) as amount,
        max(business_date) as last_paid_on
    from by_reference
    group by expected_id
),
candidate as (
    select
        expected_payment.expected_id,
        movement.activity_id,
        movement.business_date,
        movement.amount,
        count(*) over (partition by expected_payment.expected_id) as choices,
        count(*) over (partition by movement.activity_id) as claims
    from expected_payment
    join movement
        on movement.pocket_id = expected_payment.pocket_id
        and movement.direction = expected_payment.direction
        and movement.amount between expected_payment.amount_low and expected_payment.amount_high
        and movement.business_date >= expected_payment.date_low
        and (
            expected_payment.counterparty is null
            or expected_payment.counterparty in (movement.counterparty, movement.company_name)
        )
        and (expected_payment.transaction_type is null or expected_payment.transaction_type = movement.transaction_type)
    left join referenced on referenced.expected_id = expected_payment.expected_id
    left join (select distinct activity_id from by_reference) as taken on taken.activity_id = movement.activity_id
    where referenced.expected_id is null
      and taken.activity_id is null
      and movement.business_date <= expected_payment.date_high + 14
),
matched as (
    select
        expected_payment.expected_id,
        expected_payment.pocket_id,
        expected_payment.amount_low,
        expected_payment.amount_high,
        expected_payment.date_high,
        coalesce(referenced.amount, single.amount) as amount,
        coalesce(referenced.last_paid_on, single.business_date) as paid_on,
        several.candidates
    from expected_payment
    left join referenced on referenced.expected_id = expected_payment.expected_id
    left join candidate as single
        on single.expected_id = expected_payment.expected_id and single.choices = 1 and single.claims = 1
    left join (select expected_id, count(*) as candidates from candidate group by expected_id) as several
        on several.expected_id = expected_payment.expected_id
),
due as (
    select
        asked.pocket_id,
        asked.business_date,
        asked.is_present,
        matched.expected_id,
        matched.amount_low,
        matched.amount_high,
        matched.date_high,
        matched.amount,
        matched.paid_on,
        case
            when not asked.is_present then 'NO_INPUT'
            when matched.candidates > 1 then 'AMBIGUOUS'
            when matched.amount is null and matched.candidates = 1 then 'CLAIMED'
            when matched.amount is null then 'OVERDUE'
            when matched.amount < matched.amount_low then 'PARTIAL'
            when matched.amount > matched.amount_high then 'ABOVE'
            else ''
        end as finding
    from asked
    join matched
        on matched.pocket_id = asked.pocket_id
        and matched.date_high > asked.previous_bd
        and matched.date_high <= asked.business_date
),
received as (
    select
        asked.pocket_id,
        asked.business_date,
        movement.activity_id,
        movement.amount,
        coalesce(movement.counterparty, movement.company_name, 'somebody') as sender,
        count(claim.activity_id) as claims
    from asked
    join movement
        on movement.pocket_id = asked.pocket_id
        and movement.business_date = asked.business_date
        and movement.direction = 'IN'
    join expected_list
        on expected_list.pocket_id = asked.pocket_id
        and expected_list.direction = 'IN'
        and asked.business_date between expected_list.first_date and expected_list.last_date
    left join (
        select activity_id from by_reference
        union
        select activity_id from candidate
    ) as claim on claim.activity_id = movement.activity_id
    group by
        asked.pocket_id, asked.business_date, movement.activity_id, movement.amount, movement.counterparty,
        movement.company_name
),
listed_pocket as (
    select distinct pocket_id from expected_list
)
select
    pocket_id,
    business_date,
    expected_id as entity_key,
    case finding when '' then 'PASS' when 'NO_INPUT' then 'NOT_TESTED' else 'BREAK' end as status,
    case
        when finding = 'OVERDUE' then 'EXP_OVERDUE'
        when finding = 'PARTIAL' then 'EXP_PARTIAL'
        when finding in ('ABOVE', 'AMBIGUOUS', 'CLAIMED') then 'EXP_UNMATCHED'
        else ''
    end as code,
    case when finding in ('ABOVE', 'AMBIGUOUS', 'CLAIMED') then finding else '' end as sub_code,
    case when finding = 'NO_INPUT' then 'NO_INPUT' else '' end as reason,
    amount as left_value,
    case when finding = 'ABOVE' then amount_high else amount_low end as right_value,
    case when finding in ('PARTIAL', 'ABOVE') then amount - case when finding = 'ABOVE' then amount_high else amount_low end end
        as difference,
    case finding
        when 'OVERDUE' then 'Nothing that fits ' || expected_id || ' came by ' || cast(date_high as string) || '.'
        when 'PARTIAL' then 'Of ' || expected_id || ' only ' || cast(amount as string) || ' came; at least '
            || cast(amount_low as string) || ' is expected.'
        when 'ABOVE' then 'For ' || expected_id || ' came ' || cast(amount as string) || '; at most '
            || cast(amount_high as string) || ' is expected.'
        when 'AMBIGUOUS' then 'Several movements fit ' || expected_id || '; none is taken without a reference.'
        when 'CLAIMED' then 'The only movement that fits ' || expected_id || ' fits another line of the list as well.'
        when 'NO_INPUT' then 'The transactions of the day have not been listed.'
        else case when paid_on > date_high then expected_id || ' came late, on ' || cast(paid_on as string) || '.' else '' end
    end as detail
from due
union all
select
    pocket_id,
    business_date,
    activity_id as entity_key,
    case when claims > 0 then 'PASS' else 'BREAK' end as status,
    case when claims > 0 then '' else 'UNEXPECTED_RECEIPT' end as code,
    '' as sub_code,
    '' as reason,
    amount as left_value,
    cast(null as decimal(38, 2)) as right_value,
    cast(null as decimal(38, 2)) as difference,
    case
        when claims > 0 then ''
        else 'A receipt of ' || cast(amount as string) || ' from ' || sender || ' is not on the customer''s list.'
    end as detail
from received
union all
select
    asked.pocket_id,
    asked.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case
        when listed_pocket.pocket_id is null then 'NO_EXPECTED_LIST'
        when asked.is_present then 'NO_ACTIVITY'
        else 'NO_INPUT'
    end as reason,
    cast(null as decimal(38, 2)) as left_value,
    cast(null as decimal(38, 2)) as right_value,
    cast(null as decimal(38, 2)) as difference,
    case when listed_pocket.pocket_id is null then 'The customer has given no list for this pocket.' else '' end as detail
from asked
left join listed_pocket on listed_pocket.pocket_id = asked.pocket_id
left join (select distinct pocket_id, business_date from due) as due_day
    on due_day.pocket_id = asked.pocket_id and due_day.business_date = asked.business_date
left join (select distinct pocket_id, business_date from received) as received_day
    on received_day.pocket_id = asked.pocket_id and received_day.business_date = asked.business_date
where due_day.pocket_id is null
  and received_day.pocket_id is null
