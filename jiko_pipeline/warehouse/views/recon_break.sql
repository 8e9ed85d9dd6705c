-- recon.break: the state of each break now, which is its latest event.
-- Age counts Fed business days from the break's date to the latest date judged for the customer.
create or replace view recon."break" as
with
    ranked_events as (
        select
            e.customer_id,
            e.legal_entity_id,
            e.pocket_id,
            e.business_date,
            e.break_id,
            e.control_id,
            e.entity_key,
            e.code,
            e.sub_code,
            e.break_class,
            e.severity,
            e.event,
            e.event_seq,
            e.left_value,
            e.right_value,
            e.difference,
            e.detail,
            e.at_utc,
            e.run_id,
            row_number() over (partition by e.break_id order by e.event_seq desc) as event_rank,
            min(e.at_utc) over (partition by e.break_id) as first_seen_utc
        from recon.break_event as e
    ),

    latest_judged as (
        select run.customer_id, max(run.last_date) as last_date
        from recon.run
        group by run.customer_id
    ),

    judged_index as (
        select latest_judged.customer_id, calendar.bd_idx
        from latest_judged
        inner join core.calendar on calendar.business_date = latest_judged.last_date
    )

select
    r.customer_id,
    r.legal_entity_id,
    r.pocket_id,
    r.business_date,
    r.break_id,
    r.control_id,
    r.entity_key,
    r.code,
    r.sub_code,
    r.break_class,
    r.severity,
    case when r.event in ('OPENED', 'CHANGED', 'REOPENED') then 'OPEN' else r.event end as status,
    r.left_value,
    r.right_value,
    r.difference,
    r.detail,
    r.first_seen_utc,
    r.at_utc as last_seen_utc,
    greatest(judged_index.bd_idx - break_day.bd_idx, 0) as age_business_days,
    r.event_seq as events,
    r.run_id
from ranked_events as r
left join judged_index on judged_index.customer_id = r.customer_id
left join core.calendar as break_day on break_day.business_date = r.business_date
where r.event_rank = 1;

comment on view recon."break" is 'One break as it stands now: its latest event, with its age.';
comment on column recon."break".customer_id is 'Jiko customer (the profile of the settings).';
comment on column recon."break".legal_entity_id is 'Legal entity the customer belongs to.';
comment on column recon."break".pocket_id is 'Pocket: a bank account and a brokerage account.';
comment on column recon."break".business_date is 'Business date in New York.';
comment on column recon."break".break_id is 'Break; the same on every run.';
comment on column recon."break".control_id is 'Control that found it.';
comment on column recon."break".entity_key is 'What was tested besides pocket and day.';
comment on column recon."break".code is 'Break code.';
comment on column recon."break".sub_code is 'Finer code; empty when there is none.';
comment on column recon."break".break_class is 'Class of the code.';
comment on column recon."break".severity is 'S1, S2 or S3.';
comment on column recon."break".status is 'OPEN, CLEARED_AUTO, or what a person made of it.';
comment on column recon."break".left_value is 'Left side of the identity.';
comment on column recon."break".right_value is 'Right side of the identity.';
comment on column recon."break".difference is 'Left minus right.';
comment on column recon."break".detail is 'One sentence with the facts.';
comment on column recon."break".first_seen_utc is 'When the break was first found, UTC.';
comment on column recon."break".last_seen_utc is 'When its latest event was, UTC.';
comment on column recon."break".age_business_days is 'Fed business days from its date to the latest date judged.';
comment on column recon."break".events is 'Number of events in its life.';
comment on column recon."break".run_id is 'Run that gave the latest event.';
