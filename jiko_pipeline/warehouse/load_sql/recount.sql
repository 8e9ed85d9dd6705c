-- The scopes in which the tables hold another number of current rows than the manifest says, or a key twice.
-- Placeholder: {current_keys}, a union of (scope_pocket_id, scope_date, key_text) over the current rows of
-- the kind. Parameters: customer_id, document_kind, first_scope, last_scope.
with
    stated as (
        select scope_pocket_id, scope_date, max(row_count) as row_count
        from raw.delivery
        where
            customer_id = $customer_id
            and document_kind = $document_kind
            and scope_date between $first_scope and $last_scope
            and is_current
        group by scope_pocket_id, scope_date
    ),

    current_keys as (
        {current_keys}
    ),

    held as (
        select
            scope_pocket_id,
            scope_date,
            count(*) as row_count,
            count(distinct key_text) as keys
        from current_keys
        group by scope_pocket_id, scope_date
    )

select
    coalesce(stated.scope_pocket_id, held.scope_pocket_id) as scope_pocket_id,
    coalesce(stated.scope_date, held.scope_date) as scope_date,
    coalesce(stated.row_count, 0) as stated_rows,
    coalesce(held.row_count, 0) as held_rows,
    coalesce(held.keys, 0) as held_keys
from stated
full outer join held
    on held.scope_pocket_id = stated.scope_pocket_id and held.scope_date = stated.scope_date
where
    coalesce(stated.row_count, 0) <> coalesce(held.row_count, 0)
    or coalesce(held.row_count, 0) <> coalesce(held.keys, 0)
order by scope_date, scope_pocket_id;
