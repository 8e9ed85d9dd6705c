-- id: K01
-- version: 1.0
-- title: Every document that the calendar expects for a pocket and day has arrived in its after-cut-off form.
-- key: pocket, date, document
-- identity: documents expected = documents delivered after the cut-off
-- tolerance: 0
-- hides: nothing; what a delivered document says is for the other controls
-- codes: GAP_MISSING = MISSING, GAP_LATE = TIMING, GAP_PROVISIONAL_ONLY = TIMING
-- severity: S1
-- evidence: ARITHMETIC
-- inputs: BANK_STATEMENT, BROKERAGE_STATEMENT, POSITION, SECURITY_PRICE, TRADE_REPORT_CSV,
--   TRADE_REPORT_KYRIBA_CSV, API_TRANSACTIONS, API_TRADES
-- chained: no
-- gate: yes
-- required: yes
with arrived as (
    select
        document_kind,
        pocket_id,
        business_date,
        count(*) filter (where finality <> 'PROVISIONAL') as final_copies,
        count(*) as copies
    from delivery
    group by document_kind, pocket_id, business_date
),
compared as (
    select
        expected_document.pocket_id,
        expected_document.business_date,
        expected_document.document_kind,
        expected_document.scope_date,
        arrived.copies,
        arrived.final_copies,
        landed_day.business_date is not null as next_day_landed
    from expected_document
    join calendar on calendar.business_date = expected_document.business_date
    left join landed_day on landed_day.business_date = calendar.next_bd
    left join arrived
        on arrived.document_kind = expected_document.document_kind
        and arrived.pocket_id = expected_document.scope_pocket_id
        and arrived.business_date = expected_document.scope_date
),
judged as (
    select
        pocket_id,
        business_date,
        document_kind,
        scope_date,
        case
            when scope_date is distinct from business_date
                then document_kind || ' ' || cast(scope_date as string)
            else document_kind
        end as entity_key,
        case
            when final_copies > 0 then ''
            when copies > 0 then 'GAP_PROVISIONAL_ONLY'
            when next_day_landed then 'GAP_MISSING'
            else 'GAP_LATE'
        end as code,
        case when final_copies > 0 then 1 else 0 end as delivered
    from compared
)
select
    pocket_id,
    business_date,
    entity_key,
    case when code = '' then 'PASS' else 'BREAK' end as status,
    code,
    '' as sub_code,
    '' as reason,
    1 as left_value,
    delivered as right_value,
    1 - delivered as difference,
    case code
        when '' then ''
        when 'GAP_PROVISIONAL_ONLY'
            then 'The ' || lower(replace(document_kind, '_', ' ')) || ' of ' || cast(scope_date as string)
                || ' is there in a provisional form only.'
        when 'GAP_MISSING'
            then 'The ' || lower(replace(document_kind, '_', ' ')) || ' of ' || cast(scope_date as string)
                || ' has not arrived, though later days have.'
        else 'The ' || lower(replace(document_kind, '_', ' ')) || ' of ' || cast(scope_date as string)
            || ' has not arrived yet.'
    end as detail
from judged
union all
select
    judged_day.pocket_id,
    judged_day.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    'LIFETIME' as reason,
    null as left_value,
    null as right_value,
    null as difference,
    'It is not known when the pocket was opened, and no statement of it has arrived up to this day.' as detail
from judged_day
left join expected_document
    on expected_document.pocket_id = judged_day.pocket_id
    and expected_document.business_date = judged_day.business_date
where expected_document.pocket_id is null
