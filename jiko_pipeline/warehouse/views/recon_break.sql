-- recon.break: each break as it stands now; recon.break_known_at(moment): as it stood at a moment (UTC). The state is
-- that of the latest event of a run or a decision; owner, questions and notes stand beside it.
-- A case is one control, pocket, entity and code over consecutive failing business days: first and last day, age and
-- owner belong to it. Age counts Fed business days from the case's first day to the latest day judged, of a closed
-- break to the one judged when it was closed.
create or replace macro recon.break_known_at(moment) as table
with
    event as (
        select e.*, coalesce(e.case_id, e.break_id) as of_case
        from recon.break_event as e
        where e.at_utc <= moment
    ),

    latest_judged as (
        select run.customer_id, max(run.last_date) as last_date
        from recon.run as run
        where run.started_at_utc <= moment
        group by run.customer_id
    ),

    judged as (
        select latest_judged.customer_id, latest_judged.last_date, calendar.bd_idx
        from latest_judged
        inner join core.calendar as calendar on calendar.business_date = latest_judged.last_date
    ),

    ranked_state as (
        select
            e.*,
            row_number() over (partition by e.break_id order by e.event_seq desc) as back_no
        from event as e
        where e.event in (
            'OPENED', 'CHANGED', 'OVERDUE', 'REOPENED', 'CLEARED_AUTO', 'RESOLVED', 'ACCEPTED'
        )
    ),

    state as (
        select
            s.*,
            case when s.event in ('OPENED', 'CHANGED', 'OVERDUE', 'REOPENED') then 'OPEN' else s.event end as status,
            break_day.bd_idx as day_idx,
            -- Consecutive failing days have the same difference; days that were cleared stand alone.
            case
                when s.event = 'CLEARED_AUTO' then s.break_id
                else cast(
                    break_day.bd_idx - dense_rank() over (
                        partition by s.customer_id, s.of_case, s.event = 'CLEARED_AUTO' order by break_day.bd_idx
                    ) as varchar
                )
            end as spell
        from ranked_state as s
        left join core.calendar as break_day on break_day.business_date = s.business_date
        where s.back_no = 1
    ),

    case_spell as (
        select
            customer_id, of_case, spell,
            min(business_date) as first_date, max(business_date) as last_date, min(day_idx) as first_idx,
            count(distinct business_date) as days
        from state
        group by customer_id, of_case, spell
    ),

    spell_owner as (
        select s.customer_id, s.of_case, s.spell, arg_max(e.owner, (e.at_utc, e.event_seq)) as owner
        from event as e
        inner join state as s on s.break_id = e.break_id
        where e.event = 'ASSIGNED'
        group by s.customer_id, s.of_case, s.spell
    ),

    seen as (
        select break_id, min(at_utc) as first_utc, max(at_utc) as last_utc, max(event_seq) as events
        from event
        group by break_id
    ),

    asked as (
        select e.break_id, arg_max(e.actor, e.event_seq) as actor
        from event as e
        inner join state as s on s.break_id = e.break_id
        where e.event = 'ACCEPTANCE_ASKED' and e.event_seq > s.event_seq
        group by e.break_id
    ),

    note as (
        select break_id, arg_max(reason, event_seq) as words
        from event
        where event = 'NOTED'
        group by break_id
    ),

    aged as (
        select
            s.*,
            case_spell.first_date, case_spell.last_date as case_last_date, case_spell.days as case_days,
            judged.last_date as reached,
            greatest(
                coalesce(case when s.status in ('OPEN', 'ACCEPTED') then null else closed_day.bd_idx end, judged.bd_idx)
                - case_spell.first_idx, 0
            ) as age
        from state as s
        inner join case_spell
            on
                case_spell.customer_id = s.customer_id
                and case_spell.of_case = s.of_case
                and case_spell.spell = s.spell
        left join judged on judged.customer_id = s.customer_id
        left join core.calendar as closed_day on closed_day.business_date = s.as_of_date
    ),

    -- What a break is worth in money, where materiality may ask for it.
    weighed as (
        select
            s.break_id, s.customer_id, s.legal_entity_id, s.pocket_id, s.business_date,
            date_trunc('month', s.business_date) as month_start,
            case code.unit
                when 'USD' then abs(s.difference)
                when 'PRICE' then round(abs(s.difference) * position.face_amount * 0.01, 2)
            end as amount
        from state as s
        inner join recon.break_code as code on code.control_id = s.control_id and code.code = s.code
        left join core.position_daily as position
            on
                code.unit = 'PRICE'
                and position.customer_id = s.customer_id
                and position.pocket_id = s.pocket_id
                and position.business_date = s.business_date
                and position.cusip = split_part(s.entity_key, ' ', 1)
        where
            s.status <> 'CLEARED_AUTO'
            and s.severity in ('S2', 'S3')
            and s.break_class in ('AMOUNT', 'VALUATION')
            and not code.is_authorisation
    ),

    entity_day as (
        select customer_id, legal_entity_id, business_date, sum(abs(closing_value)) as closing
        from core.brokerage_daily
        where date_trunc('month', business_date) in (select month_start from weighed)
        group by customer_id, legal_entity_id, business_date
    ),

    entity_month as (
        select
            customer_id, legal_entity_id, date_trunc('month', business_date) as month_start,
            arg_max(closing, business_date) as closing
        from entity_day
        group by customer_id, legal_entity_id, date_trunc('month', business_date)
    ),

    limit_of as (
        select
            w.break_id,
            coalesce(
                arg_max(m.abs_floor, (m.effective_from, m.set_at_utc)), cast(1.00 as decimal(38, 2))
            ) as abs_floor,
            coalesce(
                arg_max(m.basis_points, (m.effective_from, m.set_at_utc)), cast(0.01 as decimal(12, 6))
            ) as basis_points
        from weighed as w
        left join recon.materiality as m
            on m.customer_id = w.customer_id and m.effective_from <= w.business_date and m.set_at_utc <= moment
        group by w.break_id
    ),

    summed as (
        select
            w.*,
            sum(w.amount) over (partition by w.customer_id, w.pocket_id, w.business_date) as of_pocket_day,
            sum(w.amount) over (partition by w.customer_id, w.legal_entity_id, w.business_date) as of_entity_day,
            sum(w.amount) over (partition by w.customer_id, w.legal_entity_id, w.month_start) as of_entity_month
        from weighed as w
    ),

    material as (
        select
            summed.break_id,
            summed.amount,
            least(limit_of.abs_floor, abs(daily.closing_value) * limit_of.basis_points * 0.0001) as threshold,
            coalesce(
                summed.amount is not null
                and summed.of_pocket_day
                <= least(limit_of.abs_floor, abs(daily.closing_value) * limit_of.basis_points * 0.0001)
                and summed.of_entity_day
                <= least(limit_of.abs_floor, entity_day.closing * limit_of.basis_points * 0.0001)
                and summed.of_entity_month
                <= least(limit_of.abs_floor, entity_month.closing * limit_of.basis_points * 0.0001),
                false
            ) as is_immaterial
        from summed
        inner join limit_of on limit_of.break_id = summed.break_id
        left join core.brokerage_daily as daily
            on
                daily.customer_id = summed.customer_id
                and daily.pocket_id = summed.pocket_id
                and daily.business_date = summed.business_date
        left join entity_day
            on
                entity_day.customer_id = summed.customer_id
                and entity_day.legal_entity_id = summed.legal_entity_id
                and entity_day.business_date = summed.business_date
        left join entity_month
            on
                entity_month.customer_id = summed.customer_id
                and entity_month.legal_entity_id = summed.legal_entity_id
                and entity_month.month_start = summed.month_start
    )

select
    a.customer_id,
    a.legal_entity_id,
    a.pocket_id,
    a.business_date,
    a.break_id,
    a.control_id,
    a.entity_key,
    a.code,
    a.sub_code,
    a.break_class,
    a.severity,
    a.status,
    a.left_value,
    a.right_value,
    a.difference,
    a.detail,
    seen.first_utc as first_seen_utc,
    seen.last_utc as last_seen_utc,
    a.age as age_business_days,
    seen.events,
    a.run_id,
    a.of_case as case_id,
    a.first_date as first_seen_business_date,
    a.case_last_date as last_seen_business_date,
    a.case_days,
    case
        when a.age <= 1 then cast(a.age as varchar)
        when a.age <= 5 then '2-5'
        when a.age <= 10 then '6-10'
        when a.age <= 30 then '11-30'
        else '>30'
    end as age_bucket,
    case
        when a.status <> 'OPEN' or a.severity = 'S1' or a.age <= 5 then a.severity
        when a.severity = 'S2' or a.age > 10 then 'S1'
        else 'S2'
    end as effective_severity,
    a.clear_by,
    case
        when a.status = 'OPEN' and a.break_class = 'TIMING' and a.clear_by < a.reached then 'MISSING'
        else a.break_class
    end as effective_class,
    coalesce(material.is_immaterial, false) as is_immaterial,
    material.amount as material_amount,
    material.threshold as materiality_threshold,
    coalesce(spell_owner.owner, '') as owner,
    coalesce(asked.actor, '') as acceptance_asked_by,
    case when a.status = 'ACCEPTED' then a.accepted_until end as accepted_until,
    case when a.actor <> 'pipeline' then a.actor else '' end as decided_by,
    coalesce(a.reason, '') as reason,
    coalesce(note.words, '') as last_note,
    a.cleared_by_document_sha256
from aged as a
inner join seen on seen.break_id = a.break_id
left join spell_owner
    on
        spell_owner.customer_id = a.customer_id
        and spell_owner.of_case = a.of_case
        and spell_owner.spell = a.spell
left join asked on asked.break_id = a.break_id and a.status = 'OPEN'
left join note on note.break_id = a.break_id
left join material on material.break_id = a.break_id;

create or replace view recon."break" as
select
    known.customer_id,
    known.legal_entity_id,
    known.pocket_id,
    known.business_date,
    known.break_id,
    known.control_id,
    known.entity_key,
    known.code,
    known.sub_code,
    known.break_class,
    known.severity,
    known.status,
    known.left_value,
    known.right_value,
    known.difference,
    known.detail,
    known.first_seen_utc,
    known.last_seen_utc,
    known.age_business_days,
    known.events,
    known.run_id,
    known.case_id,
    known.first_seen_business_date,
    known.last_seen_business_date,
    known.case_days,
    known.age_bucket,
    known.effective_severity,
    known.clear_by,
    known.effective_class,
    known.is_immaterial,
    known.material_amount,
    known.materiality_threshold,
    known.owner,
    known.acceptance_asked_by,
    known.accepted_until,
    known.decided_by,
    known.reason,
    known.last_note,
    known.cleared_by_document_sha256
from recon.break_known_at(timestamp '9999-12-31 00:00:00') as known;

comment on view recon."break" is 'One break as it stands now, with its case and its age.';
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
comment on column recon."break".status is 'OPEN, CLEARED_AUTO (by its control), ACCEPTED or RESOLVED (by a person).';
comment on column recon."break".left_value is 'Left side of the identity.';
comment on column recon."break".right_value is 'Right side of the identity.';
comment on column recon."break".difference is 'Left minus right.';
comment on column recon."break".detail is 'One sentence with the facts.';
comment on column recon."break".first_seen_utc is 'When the break was first found, UTC.';
comment on column recon."break".last_seen_utc is 'When its latest event was, UTC.';
comment on column recon."break".age_business_days is 'Fed business days from the first day of its case to the latest date judged, or to its closing.';
comment on column recon."break".events is 'Number of events in its life.';
comment on column recon."break".run_id is 'Run that gave the latest event.';
comment on column recon."break".case_id is 'Case: the same control, pocket, entity and code over consecutive failing days.';
comment on column recon."break".first_seen_business_date is 'First business date of the case.';
comment on column recon."break".last_seen_business_date is 'Last business date of the case.';
comment on column recon."break".case_days is 'Business dates of the case.';
comment on column recon."break".age_bucket is 'Age in the buckets 0, 1, 2-5, 6-10, 11-30, >30.';
comment on column recon."break".effective_severity is 'Severity with its age: an open S2 or S3 rises one step with each bucket after 2-5.';
comment on column recon."break".clear_by is 'Fed business day by which a TIMING break must have cleared.';
comment on column recon."break".effective_class is 'Class; MISSING for an open TIMING break past its clear_by.';
comment on column recon."break".is_immaterial is 'Small by the rules of materiality; changes neither severity nor readiness.';
comment on column recon."break".material_amount is 'What it is worth in US dollars where materiality is asked for, unsigned.';
comment on column recon."break".materiality_threshold is 'Limit for its pocket and day in US dollars.';
comment on column recon."break".owner is 'Person that the case was given to; empty when nobody.';
comment on column recon."break".acceptance_asked_by is 'Person who wants it accepted while a second one has not agreed; empty otherwise.';
comment on column recon."break".accepted_until is 'Last day of its acceptance.';
comment on column recon."break".decided_by is 'Person whose decision gave the status; empty when a run did.';
comment on column recon."break".reason is 'Why it has its status, in the words of the person or the pipeline.';
comment on column recon."break".last_note is 'Latest note; empty when none.';
comment on column recon."break".cleared_by_document_sha256 is 'Document whose arrival cleared it.';
