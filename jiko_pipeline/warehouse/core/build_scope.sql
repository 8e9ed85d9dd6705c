-- The scopes of the days asked for that have a current version and are not in quarantine. A version is as
-- final as the most final of the deliveries that brought it.
create or replace temp table build_scope as
select
    d.customer_id,
    d.document_kind,
    d.scope_pocket_id,
    d.scope_date,
    case when bool_or(d.finality = 'AFTER_CUTOFF') then 'AFTER_CUTOFF' else 'PROVISIONAL' end as finality
from raw.delivery as d
where
    d.customer_id = getvariable('build_customer')
    and d.scope_date between getvariable('build_first') and getvariable('build_last')
    and d.is_current
    and not exists (
        select 1
        from build_refused as r
        where
            r.document_kind = d.document_kind
            and r.customer_id = d.customer_id
            and r.scope_pocket_id = d.scope_pocket_id
            and r.scope_date = d.scope_date
    )
group by d.customer_id, d.document_kind, d.scope_pocket_id, d.scope_date;
