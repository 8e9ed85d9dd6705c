-- schema_finding: where a document's layout differs from the one that its reader knows: columns and words that are new,
-- columns and fields that are gone, values of another type in most rows of a document.
with told as (
    select
        delivery.document_kind,
        delivery.scope_pocket_id as pocket_id,
        delivery.scope_date as business_date,
        unnest(from_json(document.findings, '["json"]')) as finding
    from raw.delivery as delivery
    join raw.document as document on document.document_id = delivery.document_id
    where delivery.customer_id = getvariable('customer_id')
      and (delivery.is_current or delivery.outcome = 'QUARANTINED')
      and document.findings <> '[]'
      and delivery.scope_date between getvariable('history_first') and getvariable('following_last')
),
rejected as (
    select
        document_kind,
        scope_pocket_id as pocket_id,
        scope_date as business_date,
        count(*) as rows_rejected,
        count(distinct reason_code) as reasons,
        min(reason_code) as reason_code,
        min(message) as message
    from staging.quarantine
    where customer_id = getvariable('customer_id')
      and known_to_utc is null
      and not is_whole_document
      and scope_date between getvariable('history_first') and getvariable('following_last')
    group by document_kind, scope_pocket_id, scope_date
),
loaded as (
    select document_kind, scope_pocket_id as pocket_id, scope_date as business_date, sum(row_count) as row_count
    from raw.delivery
    where customer_id = getvariable('customer_id')
      and is_current
      and scope_date between getvariable('history_first') and getvariable('following_last')
    group by document_kind, scope_pocket_id, scope_date
),
layout as (
    select
        document_kind,
        pocket_id,
        business_date,
        json_extract_string(finding, '$.code') as finding_code,
        json_extract_string(finding, '$.message') as message
    from told
)
select distinct
    document_kind,
    pocket_id,
    business_date,
    case when finding_code = 'HEADER' then 'SCHEMA_MISSING' else 'SCHEMA_NEW' end as code,
    message
from layout
where finding_code in ('UNKNOWN_COLUMN', 'UNKNOWN_FIELD', 'UNKNOWN_WORD', 'UNKNOWN_VERSION')
   or (finding_code = 'HEADER' and contains(message, 'lacks'))
union
select
    rejected.document_kind,
    rejected.pocket_id,
    rejected.business_date,
    case
        when rejected.reason_code = 'MISSING'
            or (rejected.reason_code = 'BAD_ITEM' and contains(rejected.message, 'Field required')) then 'SCHEMA_MISSING'
        else 'SCHEMA_TYPE'
    end,
    rejected.message
from rejected
join loaded
    on loaded.document_kind = rejected.document_kind
    and loaded.pocket_id = rejected.pocket_id
    and loaded.business_date = rejected.business_date
where rejected.rows_rejected >= 2
  and rejected.reasons = 1
  and rejected.rows_rejected * 2 > loaded.row_count
  and rejected.reason_code in ('MISSING', 'BAD_ITEM', 'BAD_DATE', 'BAD_TIME', 'BAD_INTEGER', 'BAD_NUMBER', 'EXCESS_DIGITS')
