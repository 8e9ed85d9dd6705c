-- id: K47
-- version: 1.0
-- title: Every pocket that any document speaks of is in the bank's list of pockets.
-- key: customer, date, pocket
-- identity: pockets of statements, positions, movements, trades, requests and portals = pockets listed, of any status
-- tolerance: 0
-- hides: a pocket that no document speaks of
-- codes: POCKET_UNLISTED = MISSING
-- severity: S1
-- evidence: INTRA_PROVIDER
-- inputs: POCKETS, POSITION, BANK_STATEMENT, BROKERAGE_STATEMENT, API_TRANSACTIONS, API_TRADES, TRADE_REPORT_CSV,
--   TRANSFER_REQUESTS, PORTALS
-- chained: no
-- gate: no
-- required: no
-- scope: customer
-- gated: no
-- The list of pockets has no as-of date: a pocket counts as listed until the day on which a listing no longer showed
-- it. The values that the list shows with the pockets have none either; they are compared with nothing.
with judged_date as (
    select distinct business_date, previous_bd from judged_day
),
listed as (
    select count(*) > 0 as has_listing from listing where document_kind = 'POCKETS'
),
seen as (
    select
        judged_date.business_date,
        seen_pocket.pocket_id,
        min(seen_pocket.source) as source
    from judged_date
    join seen_pocket
        on seen_pocket.seen_on > judged_date.previous_bd and seen_pocket.seen_on <= judged_date.business_date
    group by judged_date.business_date, seen_pocket.pocket_id
),
known as (
    select
        seen.business_date,
        seen.pocket_id,
        seen.source,
        count(pocket_version.pocket_id) > 0 as is_listed
    from seen
    left join pocket_version
        on pocket_version.pocket_id = seen.pocket_id
        and (pocket_version.known_to_day is null or pocket_version.known_to_day > seen.business_date)
    group by seen.business_date, seen.pocket_id, seen.source
)
select
    '' as pocket_id,
    known.business_date,
    known.pocket_id as entity_key,
    case when not listed.has_listing then 'NOT_TESTED' when known.is_listed then 'PASS' else 'BREAK' end as status,
    case when listed.has_listing and not known.is_listed then 'POCKET_UNLISTED' else '' end as code,
    case when listed.has_listing and not known.is_listed then known.source else '' end as sub_code,
    case when listed.has_listing then '' else 'NO_INPUT' end as reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    case
        when not listed.has_listing then 'The pockets have not been listed.'
        when known.is_listed then ''
        else 'The bank does not list the pocket ' || known.pocket_id || ', which its '
            || lower(replace(known.source, '_', ' ')) || ' names.'
    end as detail
from known
cross join listed
union all
select
    '' as pocket_id,
    judged_date.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    'NO_ACTIVITY' as reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    '' as detail
from judged_date
left join (select distinct business_date from seen) as seen_date on seen_date.business_date = judged_date.business_date
where seen_date.business_date is null
