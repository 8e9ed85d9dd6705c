-- id: K56
-- version: 1.0
-- title: Every change of people, counterparties, subscriptions and strategies is in the audit log, and the pipeline makes none.
-- key: customer, date, change; or customer, date, payment; or customer, date, log entry
-- identity: change between two listings = an entry of the audit log between them; no payment to a counterparty that was
--   made or changed within 10 calendar days; entries of the pipeline's own user = reads and report orders
-- tolerance: 10 calendar days
-- hides: a change that was undone between two listings; a change made beside another logged one of the same subject
-- codes: CHANGE_UNLOGGED = MISSING, NEW_CPTY_PAID = REFERENCE_DATA, PIPELINE_WROTE = DATA_QUALITY
-- severity: S2
-- evidence: INTRA_PROVIDER
-- inputs: AUDIT_LOGS, TEAM, COUNTERPARTIES, SUBSCRIPTIONS, POCKETS, USER, TRANSFER_REQUESTS, API_TRANSACTIONS
-- chained: no
-- gate: no
-- required: no
-- scope: customer
-- gated: no
-- A verification of a counterparty that ends changes no account and is no change here. What the first listing shows
-- has not changed.
with judged_date as (
    select distinct business_date, previous_bd from judged_day
),
logged_day as (
    select distinct business_date
    from delivery
    where document_kind = 'AUDIT_LOGS' and outcome in ('NEW_VERSION', 'UNCHANGED')
),
asked as (
    select
        judged_date.business_date,
        judged_date.previous_bd,
        count(logged_day.business_date) > 0 as has_log
    from judged_date
    left join logged_day on logged_day.business_date = judged_date.business_date
    group by judged_date.business_date, judged_date.previous_bd
),
change as (
    select
        asked.business_date,
        asked.has_log,
        party_change.document_kind,
        party_change.subject_id,
        party_change.change,
        party_change.known_from_utc,
        party_change.listed_before_utc,
        party_change.listed_before_on
    from asked
    join party_change
        on party_change.changed_on > asked.previous_bd and party_change.changed_on <= asked.business_date
),
judged_change as (
    select
        change.business_date,
        change.document_kind,
        change.subject_id,
        min(change.change) as change,
        case when change.has_log and count(before_day.business_date) > 0 then 1 else 0 end as is_covered,
        case when count(audit_entry.entry_id) > 0 then 1 else 0 end as is_logged
    from change
    left join audit_entry
        on audit_entry.subject_id = change.subject_id
        and audit_entry.occurred_at_utc > change.listed_before_utc
        and audit_entry.occurred_at_utc <= change.known_from_utc
    left join logged_day as before_day on before_day.business_date = change.listed_before_on
    group by change.business_date, change.document_kind, change.subject_id, change.has_log
),
paid as (
    select
        asked.business_date,
        movement.activity_id,
        - movement.signed_amount as amount,
        request.counterparty_id,
        max(
            case
                when counterparty.created_on > movement.business_date - 10 then 1
                when counterparty.account_before is not null
                    and counterparty.account is distinct from counterparty.account_before
                    and counterparty.known_from_on > movement.business_date - 10
                    and counterparty.known_from_on <= movement.business_date then 1
                else 0
            end
        ) as is_new
    from asked
    join api_transaction as movement on movement.business_date = asked.business_date
    join transfer_request as request on request.transfer_id = movement.transfer_id and request.request_no = 1
    join counterparty on counterparty.counterparty_id = request.counterparty_id
    where movement.signed_amount < 0
    group by asked.business_date, movement.activity_id, movement.signed_amount, request.counterparty_id
),
written as (
    select
        asked.business_date,
        audit_entry.entry_id,
        audit_entry.action,
        case
            when audit_entry.action like '%SIGNED_IN%'
                or audit_entry.action like '%LOGIN%'
                or audit_entry.action like 'REPORT%'
                or audit_entry.action like '%VIEWED'
                or audit_entry.action like '%READ'
                or audit_entry.action like '%LISTED'
                or audit_entry.action like '%DOWNLOADED'
                or audit_entry.action like '%EXPORTED' then 0
            else 1
        end as is_write
    from asked
    join audit_entry on audit_entry.stated_on > asked.previous_bd and audit_entry.stated_on <= asked.business_date
    join own_user on own_user.user_id = audit_entry.member_id
),
answered as (
    select
        business_date,
        document_kind || ' ' || subject_id as entity_key,
        case when is_logged = 1 then 'PASS' when is_covered = 1 then 'BREAK' else 'NOT_TESTED' end as status,
        case when is_logged = 0 and is_covered = 1 then 'CHANGE_UNLOGGED' else '' end as code,
        case when is_logged = 0 and is_covered = 1 then change else '' end as sub_code,
        case when is_logged = 0 and is_covered = 0 then 'NO_INPUT' else '' end as reason,
        cast(null as decimal(38, 6)) as left_value,
        case
            when is_logged = 1 then ''
            when is_covered = 0 then 'The audit log between the two listings has not been listed.'
            else 'The listing of ' || lower(replace(document_kind, '_', ' ')) || ' shows ' || subject_id || ' as '
                || lower(change) || '; the audit log says nothing of it.'
        end as detail
    from judged_change
    union all
    select
        business_date,
        activity_id as entity_key,
        case when is_new = 1 then 'BREAK' else 'PASS' end as status,
        case when is_new = 1 then 'NEW_CPTY_PAID' else '' end as code,
        '' as sub_code,
        '' as reason,
        amount as left_value,
        case
            when is_new = 1 then 'A payment of ' || cast(amount as string) || ' went to the counterparty ' || counterparty_id
                || ', which was made or changed within ten days.'
            else ''
        end as detail
    from paid
    union all
    select
        business_date,
        'AUDIT_LOGS ' || entry_id as entity_key,
        case when is_write = 1 then 'BREAK' else 'PASS' end as status,
        case when is_write = 1 then 'PIPELINE_WROTE' else '' end as code,
        case when is_write = 1 then action else '' end as sub_code,
        '' as reason,
        cast(null as decimal(38, 6)) as left_value,
        case
            when is_write = 1 then 'The user of the pipeline''s own credentials did ' || action
                || '; the pipeline reads and orders reports only.'
            else ''
        end as detail
    from written
)
select
    '' as pocket_id,
    business_date,
    entity_key,
    status,
    code,
    sub_code,
    reason,
    left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    detail
from answered
union all
select
    '' as pocket_id,
    asked.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case when asked.has_log then 'NO_ACTIVITY' else 'NO_INPUT' end as reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    '' as detail
from asked
left join (select distinct business_date from answered) as answered_date
    on answered_date.business_date = asked.business_date
where answered_date.business_date is null
