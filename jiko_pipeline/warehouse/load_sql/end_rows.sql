-- Ends the current rows that the new versions of one turn no longer state.
-- Placeholders: {table}, {rows}, {only} (which rows of the table take part).
-- Parameters: turn, customer_id, document_kind, first_scope, last_scope.
update {table} as t
set known_to_utc = greatest(t.known_from_utc, d.known_from_utc)
from load_delivery as d
where
    d.turn = $turn
    and d.outcome = 'NEW_VERSION'
    and t.customer_id = $customer_id
    and t.document_kind = $document_kind
    and t.scope_date between $first_scope and $last_scope
    and t.scope_pocket_id = d.scope_pocket_id
    and t.scope_date = d.scope_date
    and t.known_to_utc is null{only}
    and not exists (
        select 1
        from {rows} as r
        where
            r.document_no = d.document_no
            and r.scope_date = d.scope_date
            and r.row_hash = t.row_hash
    );
