-- id: K11
-- version: 1.0
-- title: The brokerage statement foots: opening value, additions, subtractions, gains and fees make the closing value.
-- key: pocket, date
-- identity: opening + additions - subtractions + gains - fees = closing
-- tolerance: 0.00
-- hides: a gain that the bank computed as the plug; K33 is the test of the gain
-- codes: FOOT_BRO = ARITHMETIC
-- severity: S1
-- evidence: ARITHMETIC
-- inputs: BROKERAGE_STATEMENT
-- chained: no
-- gate: no
-- required: yes
with sides as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        basis.business_date is not null as has_basis,
        brokerage_daily.pocket_id is not null as is_present,
        brokerage_daily.opening_value,
        brokerage_daily.additions,
        brokerage_daily.subtractions,
        brokerage_daily.gains,
        brokerage_daily.fees,
        brokerage_daily.unknown_flows,
        brokerage_daily.closing_value,
        cast(
            brokerage_daily.opening_value
            + brokerage_daily.additions
            - brokerage_daily.subtractions
            + brokerage_daily.gains
            - brokerage_daily.fees as decimal(38, 2)
        ) as computed
    from judged_day
    left join basis on basis.business_date = judged_day.business_date
    left join brokerage_daily
        on brokerage_daily.pocket_id = judged_day.pocket_id
        and brokerage_daily.business_date = judged_day.business_date
),
judged as (
    select
        sides.*,
        case
            when not is_present then 'NO_INPUT'
            when not has_basis then 'BASIS'
            else ''
        end as reason,
        case
            when not is_present or not has_basis then 'NOT_TESTED'
            when computed is null or closing_value is null then 'BREAK'
            when computed is distinct from closing_value then 'BREAK'
            else 'PASS'
        end as status
    from sides
)
select
    pocket_id,
    business_date,
    '' as entity_key,
    status,
    case when status = 'BREAK' then 'FOOT_BRO' else '' end as code,
    '' as sub_code,
    reason,
    case when reason = '' then computed end as left_value,
    case when reason = '' then closing_value end as right_value,
    case when reason = '' then computed - closing_value end as difference,
    case
        when reason = 'NO_INPUT' then 'There is no brokerage statement to foot.'
        when reason = 'BASIS' then 'Nobody has confirmed yet how this bank books.'
        when status = 'PASS' then ''
        when opening_value is null then 'The brokerage statement states no opening value.'
        when closing_value is null then 'The brokerage statement states no closing value.'
        else 'Opening ' || cast(opening_value as string)
            || ' + additions ' || cast(additions as string)
            || ' - subtractions ' || cast(subtractions as string)
            || ' + gains ' || cast(gains as string)
            || ' - fees ' || cast(fees as string)
            || ' is ' || cast(computed as string)
            || ', but the statement closes at ' || cast(closing_value as string)
            || case
                when unknown_flows <> 0
                    then '; entries of an unknown kind come to ' || cast(unknown_flows as string)
                else ''
            end || '.'
    end as detail
from judged
