-- The scopes of the customer whose newest document is in quarantine as a whole: they have no rows in core.
create or replace temp table build_refused as
select distinct q.customer_id, q.document_kind, q.scope_pocket_id, q.scope_date
from staging.quarantine as q
where
    q.customer_id = getvariable('build_customer')
    and q.is_whole_document
    and q.known_to_utc is null;
