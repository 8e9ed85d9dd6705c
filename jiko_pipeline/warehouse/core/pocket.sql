-- core.pocket: the pockets as last listed, with their life as far as it is known.
select
    p.customer_id,
    p.legal_entity_id,
    p.pocket_id,
    p.pocket_name,
    p.pocket_status,
    p.deposit_strategy_id,
    life.opened_on,
    life.closed_on,
    coalesce(life.lifetime_source, 'UNKNOWN') as lifetime_source
from staging.pocket as p
left join staging.pocket_life as life
    on life.customer_id = p.customer_id and life.pocket_id = p.pocket_id
where p.known_to_utc is null and p.row_ordinal = 1
