-- core.pocket: the pockets as last listed, with their lives as far as movements show them: the first movement stands
-- for the opening, the last movement of a closed pocket for its end.
select
    p.customer_id,
    p.legal_entity_id,
    p.pocket_id,
    p.pocket_name,
    p.pocket_status,
    p.deposit_strategy_id,
    life.first_activity_on as opened_on,
    case when p.pocket_status = 'CLOSED' then life.last_activity_on end as closed_on,
    case when life.first_activity_on is null then 'UNKNOWN' else 'FIRST_ACTIVITY' end as lifetime_source
from staging.pocket as p
left join staging.pocket_life as life
    on
        life.customer_id = p.customer_id
        and life.pocket_id = p.pocket_id
        and life.known_to_utc is null
        and life.row_ordinal = 1
where p.known_to_utc is null and p.row_ordinal = 1
