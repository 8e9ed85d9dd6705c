-- id: K04
-- version: 1.0
-- title: Every fact is stated once: entries by reference, trades and transactions by id, positions and prices by CUSIP.
-- key: pocket, date, document, natural key
-- identity: rows stated for a natural key = 1
-- tolerance: 0
-- hides: a repetition under a new reference
-- codes: DUP_IDENTICAL = DUPLICATE, DUP_CONFLICT = DUPLICATE, DUP_KEY = DUPLICATE
-- severity: S1
-- evidence: ARITHMETIC
-- inputs: BANK_STATEMENT, BROKERAGE_STATEMENT, POSITION, SECURITY_PRICE, TRADE_REPORT_CSV,
--   TRADE_REPORT_KYRIBA_CSV, API_TRANSACTIONS, API_TRADES
-- chained: no
-- gate: yes
-- required: yes
with bank_entry as (
    select
        pocket_id,
        business_date,
        coalesce(
            account_servicer_reference,
            case when end_to_end_id <> 'NOTPROVIDED' then end_to_end_id end,
            bank_transaction_key
        ) as row_key,
        cast(signed_amount as string)
            || '|' || coalesce(currency, '')
            || '|' || coalesce(cast(booking_date as string), '')
            || '|' || coalesce(cast(value_date as string), '')
            || '|' || coalesce(proprietary_code, '')
            || '|' || coalesce(end_to_end_id, '')
            || '|' || coalesce(counterparty, '')
            || '|' || coalesce(remittance, '') as content
    from bank_transaction
),
brokerage_entry as (
    select
        pocket_id,
        business_date,
        coalesce(flow, 'UNKNOWN') || ' ' || coalesce(
            case when end_to_end_id <> 'NOTPROVIDED' then end_to_end_id end,
            brokerage_flow_key
        ) as row_key,
        cast(signed_amount as string) || '|' || coalesce(flow, '') || '|' || coalesce(proprietary_code, '') as content
    from brokerage_flow
),
fact as (
    select
        'BANK_STATEMENT' as document_kind, pocket_id, business_date, row_key,
        count(*) as copies,
        case when min(content) = max(content) then 1 else 2 end as statements
    from bank_entry
    group by pocket_id, business_date, row_key
    union all
    select
        'BROKERAGE_STATEMENT' as document_kind, pocket_id, business_date, row_key,
        count(*) as copies,
        case when min(content) = max(content) then 1 else 2 end as statements
    from brokerage_entry
    group by pocket_id, business_date, row_key
    union all
    select
        'API_TRANSACTIONS' as document_kind, stated.pocket_id, stated.business_date, stated.activity_id as row_key,
        stated.occurrences as copies,
        repeated_row.statements
    from api_transaction as stated
    left join repeated_row
        on repeated_row.document_kind = 'API_TRANSACTIONS' and repeated_row.row_key = stated.activity_id
    union all
    select
        'API_TRADES' as document_kind, stated.pocket_id, stated.trade_date as business_date, stated.trade_id as row_key,
        stated.occurrences as copies,
        repeated_row.statements
    from trade as stated
    left join repeated_row on repeated_row.document_kind = 'API_TRADES' and repeated_row.row_key = stated.trade_id
    union all
    select
        'TRADE_REPORT_' || stated.output_format as document_kind, stated.pocket_id,
        stated.trade_date as business_date, stated.trade_reference as row_key,
        stated.occurrences as copies,
        repeated_row.statements
    from trade_report as stated
    left join repeated_row
        on repeated_row.document_kind = 'TRADE_REPORT_' || stated.output_format
        and repeated_row.row_key = stated.trade_reference
    union all
    select
        'POSITION' as document_kind, stated.pocket_id, stated.business_date, stated.cusip as row_key,
        stated.occurrences as copies,
        repeated_row.statements
    from position_daily as stated
    left join repeated_row
        on repeated_row.document_kind = 'POSITION'
        and repeated_row.row_key
            = stated.pocket_id || ' ' || cast(stated.business_date as string) || ' ' || stated.cusip
    union all
    select
        'SECURITY_PRICE' as document_kind, position_daily.pocket_id, position_daily.business_date,
        stated.cusip as row_key,
        stated.occurrences as copies,
        repeated_row.statements
    from security_price as stated
    join position_daily
        on position_daily.cusip = stated.cusip and position_daily.business_date = stated.price_date
    left join repeated_row
        on repeated_row.document_kind = 'SECURITY_PRICE'
        and repeated_row.row_key = cast(stated.price_date as string) || ' ' || stated.cusip
),
placed as (
    select
        fact.document_kind,
        fact.pocket_id,
        judged_day.business_date,
        fact.row_key,
        fact.business_date as fact_date,
        fact.copies,
        case
            when fact.copies = 1 then ''
            when fact.statements = 1 then 'DUP_IDENTICAL'
            when fact.statements is null then 'DUP_KEY'
            else 'DUP_CONFLICT'
        end as code
    from fact
    join judged_day
        on judged_day.pocket_id = fact.pocket_id
        and fact.business_date <= judged_day.business_date
        and fact.business_date > judged_day.previous_bd
),
summed as (
    select
        document_kind, pocket_id, business_date,
        count(*) as row_keys,
        count(*) filter (where code <> '') as repeated_keys
    from placed
    group by document_kind, pocket_id, business_date
),
kind as (
    select distinct document_kind from expected_document
)
select
    pocket_id,
    business_date,
    document_kind || ' ' || row_key as entity_key,
    'BREAK' as status,
    max(code) as code,
    '' as sub_code,
    '' as reason,
    cast(sum(copies) as decimal(38, 2)) as left_value,
    cast(count(*) as decimal(38, 2)) as right_value,
    cast(sum(copies) - count(*) as decimal(38, 2)) as difference,
    'The ' || lower(replace(document_kind, '_', ' ')) || ' states ' || row_key || ' ' || cast(sum(copies) as string)
        || ' times'
        || case max(code)
            when 'DUP_IDENTICAL' then ', each time alike.'
            when 'DUP_CONFLICT' then ' with different content.'
            else '.'
        end as detail
from placed
where code <> ''
group by pocket_id, business_date, document_kind, row_key
union all
select
    judged_day.pocket_id,
    judged_day.business_date,
    kind.document_kind as entity_key,
    case when summed.document_kind is null then 'NOT_TESTED' else 'PASS' end as status,
    '' as code,
    '' as sub_code,
    case when summed.document_kind is null then 'NO_ACTIVITY' else '' end as reason,
    cast(summed.row_keys as decimal(38, 2)) as left_value,
    cast(summed.row_keys as decimal(38, 2)) as right_value,
    cast(summed.row_keys - summed.row_keys as decimal(38, 2)) as difference,
    case
        when summed.document_kind is null
            then 'The ' || lower(replace(kind.document_kind, '_', ' ')) || ' states nothing.'
        else ''
    end as detail
from judged_day
cross join kind
left join summed
    on summed.document_kind = kind.document_kind
    and summed.pocket_id = judged_day.pocket_id
    and summed.business_date = judged_day.business_date
where summed.repeated_keys is null or summed.repeated_keys = 0
