-- Documents of whose pockets and days staging holds another number of current rows than the manifest states.
-- Placeholder: {held_rows}, a union of (customer_id, document_kind, scope_pocket_id, scope_date, row_count) over the
-- staging tables.
with
    stated as (
        select
            customer_id,
            document_kind,
            scope_pocket_id,
            scope_date,
            max(row_count) as row_count,
            arg_min(document_id, known_from_utc) as document_id
        from raw.delivery
        where is_current
        group by customer_id, document_kind, scope_pocket_id, scope_date
    ),

    held_rows as (
        {held_rows}
    ),

    held as (
        select customer_id, document_kind, scope_pocket_id, scope_date, sum(row_count) as row_count
        from held_rows
        group by customer_id, document_kind, scope_pocket_id, scope_date
    )

select
    coalesce(stated.document_id, '') as document_id,
    coalesce(stated.document_kind, held.document_kind) as document_kind,
    coalesce(stated.scope_date, held.scope_date) as scope_date,
    cast(coalesce(stated.row_count, 0) as bigint) as stated_rows,
    cast(coalesce(held.row_count, 0) as bigint) as held_rows
from stated
full outer join held
    on held.customer_id = stated.customer_id
    and held.document_kind = stated.document_kind
    and held.scope_pocket_id = stated.scope_pocket_id
    and held.scope_date = stated.scope_date
where coalesce(stated.row_count, 0) <> coalesce(held.row_count, 0)
order by document_kind, scope_date;
