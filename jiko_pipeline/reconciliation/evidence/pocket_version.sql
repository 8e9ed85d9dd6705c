-- pocket_version: the pockets as they were listed, every version, with the New York days from which and to which a
-- version was known; strategies of the form UST-<weeks>W with their term in days.
select
    pocket_id,
    pocket_name,
    pocket_status,
    deposit_strategy_id,
    reinvestment_strategy_id,
    7 * try_cast(regexp_extract(deposit_strategy_id, '^UST-([0-9]+)W$', 1) as integer) as deposit_term_days,
    7 * try_cast(regexp_extract(coalesce(reinvestment_strategy_id, deposit_strategy_id), '^UST-([0-9]+)W$', 1)
        as integer) as reinvestment_term_days,
    known_from_utc,
    known_to_utc,
    cast(timezone('America/New_York', timezone('UTC', known_from_utc)) as date) as known_from_day,
    cast(timezone('America/New_York', timezone('UTC', known_to_utc)) as date) as known_to_day,
    row_number() over (partition by pocket_id order by known_from_utc) as version_no
from core.pocket_history
where customer_id = getvariable('customer_id')
