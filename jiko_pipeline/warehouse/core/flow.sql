-- A flow: the rows that are stated now on the days asked for, less those of documents in quarantine. A row that other
-- days state as well (it has moved from one to another) is taken as it was stated last; its keys are in build_touched.
-- Placeholders: {table}, {columns}, {staged}, {kind}, {key}, {is_touched}.
insert into {table} by name
with
    stated as (
        select
            s.*,
            row_number() over (
                partition by s.customer_id, {key}
                order by s.known_from_utc desc, s.scope_date desc, s.row_hash
            ) as choice
        from {staged} as s
        where
            s.customer_id = getvariable('build_customer')
            and s.document_kind = '{kind}'
            and exists (select 1 from build_touched as w where {is_touched})
            and s.known_to_utc is null
            and s.row_ordinal = 1
            and not exists (
                select 1
                from staging.quarantine as q
                where
                    q.customer_id = s.customer_id
                    and q.document_kind = s.document_kind
                    and q.scope_pocket_id = s.scope_pocket_id
                    and q.scope_date = s.scope_date
                    and q.is_whole_document
                    and q.known_to_utc is null
            )
    )

select
    s.customer_id,
    getvariable('build_entity') as legal_entity_id,
    {columns},
    s.scope_date as stated_on,
    s.document_sha256,
    s.document_locator,
    s.known_from_utc
from stated as s
where s.choice = 1
order by s.scope_date, {key};
