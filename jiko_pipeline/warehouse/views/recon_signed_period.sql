-- recon.signed_period: each sign-off as it stands now: signed or reopened, whose identity was verified, and what has
-- taken its place since. The results that were signed stay in recon.signoff and history.recon_result.
create or replace view recon.signed_period as
with
    signed as (
        select
            s.customer_id,
            s.legal_entity_id,
            s.signoff_seq,
            s.scope,
            s.pocket_id,
            s.period,
            s.first_date,
            s.last_date,
            s.run_id,
            s.result_hash,
            s.actor,
            s.identity,
            s.at_utc,
            s.answers_seq
        from recon.signoff as s
        where s.status = 'SIGNED'
    ),

    restated as (
        select signed.customer_id, signed.signoff_seq, min(version.known_to_utc) as restated_at_utc
        from signed
        inner join history.recon_result as version
            on
                version.customer_id = signed.customer_id
                and version.business_date between signed.first_date and signed.last_date
                and (signed.pocket_id = '' or version.pocket_id in (signed.pocket_id, ''))
                and version.known_from_utc <= signed.at_utc
                and version.known_to_utc > signed.at_utc
        group by signed.customer_id, signed.signoff_seq
    ),

    restating_run as (
        select restated.customer_id, restated.signoff_seq, min(run.run_id) as run_id
        from restated
        inner join recon.run as run
            on run.customer_id = restated.customer_id and run.known_from_utc = restated.restated_at_utc
        group by restated.customer_id, restated.signoff_seq
    ),

    later as (
        select signed.customer_id, signed.signoff_seq, min(next_one.signoff_seq) as later_seq
        from signed
        inner join signed as next_one
            on
                next_one.customer_id = signed.customer_id
                and next_one.signoff_seq > signed.signoff_seq
                and next_one.pocket_id = signed.pocket_id
                and next_one.first_date = signed.first_date
                and next_one.last_date = signed.last_date
        group by signed.customer_id, signed.signoff_seq
    )

select
    signed.customer_id,
    signed.legal_entity_id,
    signed.signoff_seq,
    signed.scope,
    signed.pocket_id,
    signed.period,
    signed.first_date,
    signed.last_date,
    case when reopened.signoff_seq is null then 'SIGNED' else 'REOPENED' end as status,
    prepared.actor as preparer,
    signed.actor as reviewer,
    signed.identity,
    signed.run_id,
    signed.result_hash,
    signed.at_utc as signed_at_utc,
    coalesce('sign-off ' || later.later_seq, 'run ' || restating_run.run_id) as superseded_by,
    coalesce(reopened.reason, '') as reopened_because
from signed
left join recon.signoff as prepared
    on prepared.customer_id = signed.customer_id and prepared.signoff_seq = signed.answers_seq
left join recon.signoff as reopened
    on
        reopened.customer_id = signed.customer_id
        and reopened.status = 'REOPENED'
        and reopened.answers_seq = signed.signoff_seq
left join restating_run
    on restating_run.customer_id = signed.customer_id and restating_run.signoff_seq = signed.signoff_seq
left join later on later.customer_id = signed.customer_id and later.signoff_seq = signed.signoff_seq;

comment on view recon.signed_period is 'Each sign-off as it stands now, with what has taken its place since.';
comment on column recon.signed_period.customer_id is 'Jiko customer (the profile of the settings).';
comment on column recon.signed_period.legal_entity_id is 'Legal entity the customer belongs to.';
comment on column recon.signed_period.signoff_seq is 'The signed step (recon.signoff).';
comment on column recon.signed_period.scope is 'LEGAL_ENTITY or POCKET.';
comment on column recon.signed_period.pocket_id is 'Pocket; empty for the whole legal entity.';
comment on column recon.signed_period.period is 'DAY or MONTH.';
comment on column recon.signed_period.first_date is 'First day of the period.';
comment on column recon.signed_period.last_date is 'Last day of the period.';
comment on column recon.signed_period.status is 'SIGNED, or REOPENED when it was reopened since.';
comment on column recon.signed_period.preparer is 'Who prepared it.';
comment on column recon.signed_period.reviewer is 'Who signed it.';
comment on column recon.signed_period.identity is 'VERIFIED, or IDENTITY_NOT_VERIFIED without a signature by a key of allowed_signers.';
comment on column recon.signed_period.run_id is 'Latest run that the signed results rest on.';
comment on column recon.signed_period.result_hash is 'Hash of the signed results.';
comment on column recon.signed_period.signed_at_utc is 'When it was signed, UTC.';
comment on column recon.signed_period.superseded_by is 'The later sign-off of the period, or the run that has said something else of it since; null when none has.';
comment on column recon.signed_period.reopened_because is 'Why it was reopened; empty otherwise.';
