-- id: K12
-- version: 1.0
-- title: Every statement opens where the one of the business day before it closed.
-- key: pocket, date, account
-- identity: opening of the day = closing of the previous business day
-- tolerance: 0.00
-- hides: nothing
-- codes: CHAIN_OPEN_NE_PRIOR_CLOSE = AMOUNT, CHAIN_UNPROVABLE = MISSING
-- severity: S1
-- evidence: ARITHMETIC
-- inputs: BANK_STATEMENT, BROKERAGE_STATEMENT
-- chained: yes
-- gate: no
-- required: yes
with balance as (
    select
        'BANK_STATEMENT' as document_kind, pocket_id, business_date,
        opening_balance as opening, closing_balance as closing
    from bank_daily
    union all
    select
        'BROKERAGE_STATEMENT' as document_kind, pocket_id, business_date,
        opening_value as opening, closing_value as closing
    from brokerage_daily
),
chained as (
    select
        balance.*,
        lag(business_date) over (partition by document_kind, pocket_id order by business_date) as prior_date,
        lag(closing) over (partition by document_kind, pocket_id order by business_date) as prior_closing
    from balance
),
account as (
    select 'BANK_STATEMENT' as document_kind
    union all
    select 'BROKERAGE_STATEMENT' as document_kind
),
placed as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        judged_day.previous_bd,
        account.document_kind,
        judged_day.is_first,
        coalesce(pocket.opened_on > judged_day.previous_bd, false) as opens_now,
        chained.pocket_id is not null as is_present,
        chained.opening,
        chained.prior_date,
        chained.prior_closing
    from judged_day
    cross join account
    join pocket on pocket.pocket_id = judged_day.pocket_id
    left join chained
        on chained.document_kind = account.document_kind
        and chained.pocket_id = judged_day.pocket_id
        and chained.business_date = judged_day.business_date
),
sides as (
    select placed.*, case when opens_now then cast(0 as decimal(38, 2)) else prior_closing end as expected
    from placed
),
judged as (
    select
        sides.*,
        case
            when not is_present then 'NO_INPUT'
            when opens_now then ''
            when is_first then 'BASELINE'
            else ''
        end as reason,
        case
            when not is_present or (is_first and not opens_now) then ''
            when not opens_now and prior_date is distinct from previous_bd then 'CHAIN_UNPROVABLE'
            when opening is null or expected is null then 'CHAIN_UNPROVABLE'
            when opening is distinct from expected then 'CHAIN_OPEN_NE_PRIOR_CLOSE'
            else ''
        end as code
    from sides
)
select
    pocket_id,
    business_date,
    document_kind as entity_key,
    case when reason <> '' then 'NOT_TESTED' when code <> '' then 'BREAK' else 'PASS' end as status,
    code,
    '' as sub_code,
    reason,
    case when reason = '' then opening end as left_value,
    case when reason = '' then expected end as right_value,
    case when reason = '' then opening - expected end as difference,
    case
        when reason = 'NO_INPUT' then 'There is no statement whose opening could be compared.'
        when reason = 'BASELINE' then 'This is the first statement of the pocket; nothing lies before it.'
        when code = 'CHAIN_UNPROVABLE' and opening is null then 'The statement states no opening balance.'
        when code = 'CHAIN_UNPROVABLE' and prior_date is null
            then 'No earlier statement is there to compare the opening of ' || cast(opening as string) || ' with.'
        when code = 'CHAIN_UNPROVABLE' and prior_date is distinct from previous_bd
            then 'The statement of ' || cast(previous_bd as string) || ' is not there; the last one before it, of '
                || cast(prior_date as string) || ', closed at ' || coalesce(cast(expected as string), 'nothing')
                || ' and this one opens at ' || cast(opening as string) || '.'
        when code = 'CHAIN_UNPROVABLE' then 'The statement of the previous business day states no closing balance.'
        when code = 'CHAIN_OPEN_NE_PRIOR_CLOSE' and opens_now
            then 'A pocket that has just been opened starts at 0.00, but this statement opens at '
                || cast(opening as string) || '.'
        when code = 'CHAIN_OPEN_NE_PRIOR_CLOSE'
            then 'The statement opens at ' || cast(opening as string) || ', but the one of '
                || cast(prior_date as string) || ' closed at ' || cast(expected as string) || '.'
        else ''
    end as detail
from judged
