-- What each delivery of one turn does to its scope. Parameter: turn.
update load_delivery
set
    outcome = case
        when load_delivery.is_refused then 'QUARANTINED'
        when s.content_hash is null then 'NEW_VERSION'
        when s.content_hash = load_delivery.content_hash then 'UNCHANGED'
        when load_delivery.made_at_utc < s.made_at_utc then 'SUPERSEDED'
        else 'NEW_VERSION'
    end,
    version_no = case
        when load_delivery.is_refused then null
        when s.content_hash is null then s.last_version_no + 1
        when s.content_hash = load_delivery.content_hash then s.version_no
        when load_delivery.made_at_utc < s.made_at_utc then null
        else s.last_version_no + 1
    end
from load_state as s
where
    load_delivery.turn = $turn
    and s.scope_pocket_id = load_delivery.scope_pocket_id
    and s.scope_date = load_delivery.scope_date;
