-- party_change: every difference between two listings of the team, the counterparties, the subscriptions and the
-- pockets' strategies that became known in the time that judging looks at, with the time of the listing before.
-- The first listing of a kind changes nothing. changed_on is the New York day of the listing that showed it.
with version as (
    select 'TEAM' as document_kind, member_id as subject_id, coalesce(role, '') || '|' || coalesce(member_status, '') as told,
        known_from_utc, known_to_utc
    from core.team_member
    where customer_id = getvariable('customer_id')
    union all
    select 'COUNTERPARTIES', counterparty_id,
        concat_ws(
            '|', counterparty_type, coalesce(name_on_account, ''), coalesce(account_number, ''),
            coalesce(routing_number, ''), coalesce(identifier_code, ''), coalesce(wire_instructions, ''),
            case when counterparty_status = 'UNLINKED' then 'UNLINKED' else '' end
        ),
        known_from_utc, known_to_utc
    from core.counterparty
    where customer_id = getvariable('customer_id')
    union all
    select 'SUBSCRIPTIONS', subscription_id,
        concat_ws('|', coalesce(event_types, ''), coalesce(target_address, ''), subscription_status),
        known_from_utc, known_to_utc
    from core.subscription
    where customer_id = getvariable('customer_id')
    union all
    select 'POCKETS', pocket_id,
        concat_ws('|', coalesce(deposit_strategy_id, ''), coalesce(reinvestment_strategy_id, '')),
        known_from_utc, known_to_utc
    from core.pocket_history
    where customer_id = getvariable('customer_id')
),
stepped as (
    select
        version.*,
        lag(told) over (partition by document_kind, subject_id order by known_from_utc) as told_before,
        lag(known_to_utc) over (partition by document_kind, subject_id order by known_from_utc) as ended_before,
        lead(known_from_utc) over (partition by document_kind, subject_id order by known_from_utc) as next_from
    from version
),
change as (
    select
        document_kind,
        subject_id,
        case when told_before is null or ended_before < known_from_utc then 'NEW' else 'CHANGED' end as change,
        known_from_utc
    from stepped
    where told_before is null or ended_before < known_from_utc or told is distinct from told_before
    union all
    select document_kind, subject_id, 'GONE', known_to_utc
    from stepped
    where known_to_utc is not null and next_from is distinct from known_to_utc
),
listed as (
    select distinct document_kind, known_from_utc
    from raw.delivery
    where customer_id = getvariable('customer_id')
      and scope_date = date '0001-01-01'
      and outcome in ('NEW_VERSION', 'UNCHANGED')
)
select
    change.document_kind,
    change.subject_id,
    change.change,
    change.known_from_utc,
    cast(timezone('America/New_York', timezone('UTC', change.known_from_utc)) as date) as changed_on,
    max(listed.known_from_utc) as listed_before_utc,
    cast(timezone('America/New_York', timezone('UTC', max(listed.known_from_utc))) as date) as listed_before_on
from change
join listed on listed.document_kind = change.document_kind and listed.known_from_utc < change.known_from_utc
where change.known_from_utc between cast(getvariable('history_first') as timestamp)
      and cast(getvariable('following_last') + 1 as timestamp)
  and not (change.document_kind = 'POCKETS' and change.change <> 'CHANGED')
group by change.document_kind, change.subject_id, change.change, change.known_from_utc
