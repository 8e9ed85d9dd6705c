-- recon.break: the state of each break now, which is its latest event.
-- Age counts Fed business days from the break's date to the latest date judged for the customer.
create or replace view recon."break" as
with
    numbered_events as (
        select
            break_event.*,
            row_number() over (partition by break_id order by event_seq desc) as event_rank,
            min(at_utc) over (partition by break_id) as first_seen_utc
        from recon.break_event
    ),

    latest_events as (
        select * exclude (event_rank)
        from numbered_events
        where event_rank = 1
    ),

    latest_judged as (
        select customer_id, max(last_date) as last_date
        from recon.run
        group by customer_id
    ),

    judged_index as (
        select latest_judged.customer_id, calendar.bd_idx
        from latest_judged
        inner join core.calendar on calendar.business_date = latest_judged.last_date
    )

select
    latest_events.customer_id,
    latest_events.legal_entity_id,
    latest_events.pocket_id,
    latest_events.business_date,
    latest_events.break_id,
    latest_events.control_id,
    latest_events.entity_key,
    latest_events.code,
    latest_events.sub_code,
    latest_events.break_class,
    latest_events.severity,
    case
        when latest_events.event in ('OPENED', 'CHANGED', 'REOPENED') then 'OPEN'
        else latest_events.event
    end as status,
    latest_events.left_value,
    latest_events.right_value,
    latest_events.difference,
    latest_events.detail,
    latest_events.first_seen_utc,
    latest_events.at_utc as last_seen_utc,
    greatest(judged_index.bd_idx - break_day.bd_idx, 0) as age_business_days,
    latest_events.event_seq as events,
    latest_events.run_id
from latest_events
left join judged_index on judged_index.customer_id = latest_events.customer_id
left join core.calendar as break_day on break_day.business_date = latest_events.business_date;

comment on view recon."break" is 'One break as it stands now: its latest event, with its age.';
