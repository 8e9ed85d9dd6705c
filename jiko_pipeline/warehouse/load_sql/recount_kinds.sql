-- Kinds of which staging holds another number of current rows than the current deliveries state.
-- Placeholder: {held_rows}, a union of (document_kind, row_count) over the staging tables.
with
    stated_scopes as (
        select document_kind, customer_id, scope_pocket_id, scope_date, max(row_count) as row_count
        from raw.delivery
        where is_current
        group by document_kind, customer_id, scope_pocket_id, scope_date
    ),

    stated as (
        select document_kind, sum(row_count) as row_count
        from stated_scopes
        group by document_kind
    ),

    held_rows as (
        {held_rows}
    ),

    held as (
        select document_kind, sum(row_count) as row_count
        from held_rows
        group by document_kind
    )

select
    coalesce(stated.document_kind, held.document_kind) as document_kind,
    cast(coalesce(stated.row_count, 0) as bigint) as stated_rows,
    cast(coalesce(held.row_count, 0) as bigint) as held_rows
from stated
full outer join held on held.document_kind = stated.document_kind
where coalesce(stated.row_count, 0) <> coalesce(held.row_count, 0)
order by document_kind;
