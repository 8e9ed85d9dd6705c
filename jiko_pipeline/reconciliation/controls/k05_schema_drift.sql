-- id: K05
-- version: 1.0
-- title: Every document has the columns, fields and types that its reader knows.
-- key: date, document
-- identity: columns, fields and words of the document = those registered for its kind
-- tolerance: 0; the order of columns is no difference
-- hides: a column that keeps its name and type and changes its meaning; fields of a listing's items and elements of a
--   statement that are new and that nothing reads
-- codes: SCHEMA_NEW = DATA_QUALITY S3, SCHEMA_MISSING = DATA_QUALITY, SCHEMA_TYPE = DATA_QUALITY
-- severity: S1
-- evidence: ARITHMETIC
-- inputs: BANK_STATEMENT, BROKERAGE_STATEMENT, POSITION, SECURITY_PRICE, TRADE_REPORT_CSV, TRADE_REPORT_KYRIBA_CSV,
--   API_TRANSACTIONS, API_TRANSACTIONS_CSV, API_TRADES, API_TRADES_V1, API_TRADES_CSV, AUDIT_LOGS, AUDIT_LOGS_CSV
-- chained: no
-- gate: no
-- required: no
-- scope: customer
-- gated: no
-- A document that could not be read is what this control speaks of: it is tested whether or not it was refused.
with judged_date as (
    select distinct business_date, previous_bd from judged_day
),
arrived as (
    select distinct judged_date.business_date, delivery.document_kind
    from judged_date
    join delivery
        on delivery.business_date > judged_date.previous_bd and delivery.business_date <= judged_date.business_date
    where (delivery.is_current or delivery.outcome = 'QUARANTINED')
      and delivery.document_kind in (
          'BANK_STATEMENT', 'BROKERAGE_STATEMENT', 'POSITION', 'SECURITY_PRICE', 'TRADE_REPORT_CSV',
          'TRADE_REPORT_KYRIBA_CSV', 'API_TRANSACTIONS', 'API_TRANSACTIONS_CSV', 'API_TRADES', 'API_TRADES_V1',
          'API_TRADES_CSV', 'AUDIT_LOGS', 'AUDIT_LOGS_CSV'
      )
),
drifted as (
    select
        judged_date.business_date,
        schema_finding.document_kind,
        schema_finding.code,
        count(*) as findings,
        min(schema_finding.message) as message
    from judged_date
    join schema_finding
        on schema_finding.business_date > judged_date.previous_bd
        and schema_finding.business_date <= judged_date.business_date
    group by judged_date.business_date, schema_finding.document_kind, schema_finding.code
)
select
    '' as pocket_id,
    arrived.business_date,
    arrived.document_kind as entity_key,
    case when drifted.code is null then 'PASS' else 'BREAK' end as status,
    case drifted.code
        when 'SCHEMA_NEW' then 'SCHEMA_NEW'
        when 'SCHEMA_MISSING' then 'SCHEMA_MISSING'
        when 'SCHEMA_TYPE' then 'SCHEMA_TYPE'
        else ''
    end as code,
    '' as sub_code,
    '' as reason,
    0 as left_value,
    coalesce(drifted.findings, 0) as right_value,
    -coalesce(drifted.findings, 0) as difference,
    coalesce(drifted.message, '') as detail
from arrived
left join drifted
    on drifted.business_date = arrived.business_date and drifted.document_kind = arrived.document_kind
union all
select
    '' as pocket_id,
    judged_date.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    'NO_INPUT' as reason,
    null as left_value,
    null as right_value,
    null as difference,
    'No document of the day is there.' as detail
from judged_date
left join (select distinct business_date from arrived) as spoken on spoken.business_date = judged_date.business_date
where spoken.business_date is null
