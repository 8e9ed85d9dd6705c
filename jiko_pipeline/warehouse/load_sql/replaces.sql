-- True when a delivery of the turn replaces an earlier version, so that rows may have to end. Parameter: turn.
select count(*) > 0 as replaces
from load_delivery as d
inner join load_state as s on s.scope_pocket_id = d.scope_pocket_id and s.scope_date = d.scope_date
where d.turn = $turn and d.outcome = 'NEW_VERSION' and s.content_hash is not null;
