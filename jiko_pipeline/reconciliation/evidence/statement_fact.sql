-- statement_fact: what the summary of a statement document declares, beside the entries that were read from it.
with declared as (
    select
        document_kind,
        scope_pocket_id as pocket_id,
        scope_date as business_date,
        case when count(summary_entries) = count(*) then sum(summary_entries) end as summary_entries,
        case when count(summary_net_amount) = count(*) then sum(summary_net_amount) end as summary_net_amount
    from staging.statement
    where customer_id = getvariable('customer_id')
      and known_to_utc is null
      and scope_date between getvariable('history_first') and getvariable('following_last')
    group by document_kind, scope_pocket_id, scope_date
),
parsed as (
    select
        document_kind,
        scope_pocket_id as pocket_id,
        scope_date as business_date,
        count(*) as entries,
        sum(signed_amount) as entries_net
    from staging.statement_entry
    where customer_id = getvariable('customer_id')
      and known_to_utc is null
      and scope_date between getvariable('history_first') and getvariable('following_last')
    group by document_kind, scope_pocket_id, scope_date
)
select
    declared.document_kind,
    declared.pocket_id,
    declared.business_date,
    cast(declared.summary_entries as bigint) as summary_entries,
    cast(declared.summary_net_amount as decimal(38, 2)) as summary_net_amount,
    coalesce(parsed.entries, 0) as entries,
    cast(coalesce(parsed.entries_net, 0) as decimal(38, 2)) as entries_net
from declared
left join parsed
    on parsed.document_kind = declared.document_kind
    and parsed.pocket_id = declared.pocket_id
    and parsed.business_date = declared.business_date
