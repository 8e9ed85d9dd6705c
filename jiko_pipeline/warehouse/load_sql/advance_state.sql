-- Carries what one turn did into the state that the next turn meets. Parameter: turn.
update load_state
set
    content_hash = case when d.outcome = 'NEW_VERSION' then d.content_hash else load_state.content_hash end,
    version_no = case when d.outcome = 'NEW_VERSION' then d.version_no else load_state.version_no end,
    last_version_no = case
        when d.outcome = 'NEW_VERSION' then d.version_no else load_state.last_version_no
    end,
    made_at_utc = case
        when d.outcome = 'NEW_VERSION' then d.made_at_utc
        when d.outcome = 'UNCHANGED' then greatest(d.made_at_utc, load_state.made_at_utc)
        else load_state.made_at_utc
    end,
    refused_made_at_utc = case
        when
            d.outcome = 'QUARANTINED'
            and d.made_at_utc >= coalesce(load_state.made_at_utc, d.made_at_utc)
            and d.made_at_utc >= coalesce(load_state.refused_made_at_utc, d.made_at_utc)
            then d.made_at_utc
        when
            d.outcome in ('NEW_VERSION', 'UNCHANGED') and d.made_at_utc >= load_state.refused_made_at_utc
            then null
        else load_state.refused_made_at_utc
    end
from load_delivery as d
where
    d.turn = $turn
    and d.scope_pocket_id = load_state.scope_pocket_id
    and d.scope_date = load_state.scope_date;
