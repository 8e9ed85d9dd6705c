-- id: K58
-- version: 1.0
-- title: What the bank told of a transfer is what its transactions show.
-- key: customer, date, event
-- identity: a success names a transaction of its direction; a rejection names none
-- tolerance: 0
-- hides: an event whose word is none of success, received or rejected; a transfer of which nothing was told;
--   a success told of another transfer of the same direction
-- codes: EVENT_DIFF = MISSING
-- severity: S2
-- evidence: INTRA_PROVIDER
-- inputs: EVENTS, API_TRANSACTIONS
-- chained: no
-- gate: no
-- required: no
-- scope: customer
-- A success is told when the money is settled, at most five days after it was booked; a transfer that may have been
-- booked before the first listed day, or on a day whose listing is missing, is not judged.
with judged_date as (
    select distinct business_date, previous_bd from judged_day
),
asked as (
    select
        judged_date.business_date,
        judged_date.previous_bd,
        count(*) filter (
            where delivery.document_kind = 'EVENTS' and delivery.business_date = judged_date.business_date
        ) > 0
        and count(*) filter (
            where delivery.document_kind = 'API_TRANSACTIONS' and delivery.business_date = judged_date.business_date
        ) > 0 as is_present,
        min(delivery.business_date) filter (where delivery.document_kind = 'API_TRANSACTIONS') as first_listed
    from judged_date
    left join delivery
        on delivery.document_kind in ('EVENTS', 'API_TRANSACTIONS')
        and delivery.outcome in ('NEW_VERSION', 'UNCHANGED')
    group by judged_date.business_date, judged_date.previous_bd
),
told as (
    select
        asked.business_date,
        asked.is_present,
        asked.first_listed,
        event.event_id,
        event.event_type,
        event.stated_on,
        event.transfer_id,
        event.activity_id,
        event.event_type like '%.rejected' as is_rejection,
        case when event.event_type like '%.in.%' or event.event_type like '%.received' then 1 else -1 end as direction
    from asked
    join event on event.stated_on > asked.previous_bd and event.stated_on <= asked.business_date
    where event.event_type like '%.success'
       or event.event_type like '%.received'
       or event.event_type like '%.rejected'
),
found as (
    select
        told.business_date,
        told.is_present,
        told.first_listed,
        told.event_id,
        told.event_type,
        told.stated_on,
        told.transfer_id,
        told.is_rejection,
        count(movement.activity_id) as movements
    from told
    left join api_transaction as movement
        on movement.signed_amount * told.direction > 0
        and (
            movement.activity_id = told.activity_id
            or (told.activity_id is null and movement.transfer_id = told.transfer_id)
        )
    group by
        told.business_date, told.is_present, told.first_listed, told.event_id, told.event_type, told.stated_on,
        told.transfer_id, told.is_rejection
),
unlisted as (
    select found.event_id, count(*) as days
    from found
    join calendar on calendar.business_date >= found.stated_on - 5 and calendar.business_date <= found.stated_on
    left join (
        select distinct business_date
        from delivery
        where document_kind = 'API_TRANSACTIONS' and outcome in ('NEW_VERSION', 'UNCHANGED')
    ) as listed on listed.business_date = calendar.business_date
    where calendar.is_fed_business_day and listed.business_date is null
    group by found.event_id
),
judged as (
    select
        found.*,
        case
            when not is_present then 'NO_INPUT'
            when is_rejection and movements > 0 then 'BOOKED'
            when not is_rejection and movements = 0 and first_listed > stated_on - 5 then 'BASELINE'
            when not is_rejection and movements = 0 and unlisted.days > 0 then 'NO_INPUT'
            when not is_rejection and movements = 0 then 'NO_TRANSACTION'
            else ''
        end as finding
    from found
    left join unlisted on unlisted.event_id = found.event_id
)
select
    '' as pocket_id,
    business_date,
    event_id as entity_key,
    case
        when finding = '' then 'PASS'
        when finding in ('NO_INPUT', 'BASELINE') then 'NOT_TESTED'
        else 'BREAK'
    end as status,
    case when finding in ('BOOKED', 'NO_TRANSACTION') then 'EVENT_DIFF' else '' end as code,
    case when finding in ('BOOKED', 'NO_TRANSACTION') then finding else '' end as sub_code,
    case when finding in ('NO_INPUT', 'BASELINE') then finding else '' end as reason,
    cast(movements as decimal(38, 6)) as left_value,
    cast(case when is_rejection then 0 else 1 end as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    case finding
        when 'BOOKED' then 'The bank told that the transfer ' || coalesce(transfer_id, '') || ' was rejected (' || event_type
            || '), yet it is booked.'
        when 'NO_TRANSACTION' then 'The bank told of the transfer ' || coalesce(transfer_id, '') || ' (' || event_type
            || '), yet no transaction names it.'
        when 'NO_INPUT' then 'The events of the day or the transactions of the days before it have not been listed.'
        when 'BASELINE' then 'The transfer may have been booked before the first listed day.'
        else ''
    end as detail
from judged
union all
select
    '' as pocket_id,
    asked.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case when asked.is_present then 'NO_ACTIVITY' else 'NO_INPUT' end as reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    '' as detail
from asked
left join (select distinct business_date from told) as told_day on told_day.business_date = asked.business_date
where told_day.business_date is null
