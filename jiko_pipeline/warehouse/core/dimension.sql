-- A dimension: every version of every row that listings of one kind stated. A listing in quarantine states nothing.
-- Placeholders: {columns}, {staged}, {kind}.
select
    s.customer_id,
    s.legal_entity_id,
    {columns},
    s.document_sha256,
    s.document_locator,
    s.known_from_utc,
    s.known_to_utc
from {staged} as s
where
    s.document_kind = '{kind}'
    and s.row_ordinal = 1
    and (s.known_to_utc is null or s.known_to_utc > s.known_from_utc)
