-- id: K50
-- version: 1.0
-- title: Every payment that needs approval was asked for by one person and approved by another who was entitled to it.
-- key: pocket, date, payment; or pocket, date, request
-- identity: payment = one approved request of the same amount, origin and destination; approver is not the creator and
--   is an active reviewer at that moment; the counterparty is as it was when approved; executed request = payment
-- tolerance: 0.00
-- hides: a request and a payment that are wrong alike; a change of a counterparty undone before it was listed again; a
--   wrong beneficiary whom the bank names as the right one
-- codes: AUTH_NONE = MISSING, AUTH_SELF = DATA_QUALITY, AUTH_DIFF = AMOUNT, AUTH_NOT_ENTITLED = DATA_QUALITY,
--   CPTY_CHANGED = REFERENCE_DATA, REQUEST_UNPAID = MISSING
-- severity: S1
-- evidence: CUSTOMER_RECORD
-- inputs: API_TRANSACTIONS, TRANSFER_REQUESTS, AUDIT_LOGS, TEAM, REVIEWERS, COUNTERPARTIES
-- chained: no
-- gate: no
-- required: no
-- A payment may have been asked for a month before it, so requests must have been listed that far back. Who was who
-- before the first listing of the team nobody can say: a person whom that listing does not show as entitled is then
-- no proof of anything.
with asked as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        count(*) filter (
            where delivery.document_kind = 'API_TRANSACTIONS' and delivery.business_date = judged_day.business_date
        ) > 0 as has_transactions,
        count(*) filter (
            where delivery.document_kind = 'TRANSFER_REQUESTS' and delivery.business_date = judged_day.business_date
        ) > 0
        and count(*) filter (
            where delivery.document_kind = 'TRANSFER_REQUESTS' and delivery.business_date <= judged_day.business_date - 31
        ) > 0 as has_requests
    from judged_day
    left join delivery
        on delivery.document_kind in ('API_TRANSACTIONS', 'TRANSFER_REQUESTS')
        and delivery.outcome in ('NEW_VERSION', 'UNCHANGED')
        and delivery.business_date <= judged_day.business_date
    group by judged_day.pocket_id, judged_day.business_date
),
first_listing as (
    select
        min(known_from_utc) filter (where document_kind = 'TEAM') as team_from,
        min(known_from_utc) filter (where document_kind = 'REVIEWERS') as reviewers_from
    from listing
),
payment as (
    select
        asked.pocket_id,
        asked.business_date,
        asked.has_requests,
        movement.activity_id,
        movement.transfer_id,
        movement.booked_at_utc,
        - movement.signed_amount as paid,
        request.transfer_id as request_id,
        request.requests,
        request.request_status,
        request.origin_pocket_id,
        request.destination_pocket_id,
        request.counterparty_id,
        request.amount,
        request.created_by_id,
        request.approved_by_id,
        coalesce(request.approved_at_utc, movement.booked_at_utc) as decided_at_utc
    from asked
    join api_transaction as movement
        on movement.pocket_id = asked.pocket_id and movement.business_date = asked.business_date
    left join transfer_request as request
        on request.transfer_id = movement.transfer_id and request.request_no = 1
    where movement.signed_amount < 0
      and movement.transaction_type in ('WIRE', 'INTERNATIONAL_WIRE', 'ON_US', 'USDC')
),
approver as (
    select
        payment.activity_id,
        min(first_listing.team_from) as team_from,
        min(first_listing.reviewers_from) as reviewers_from,
        count(team_member.member_id) > 0 as is_member,
        count(team_member.member_id) filter (where team_member.member_status = 'ACTIVE') > 0 as is_active,
        count(reviewer.user_id) > 0 as is_reviewer
    from payment
    cross join first_listing
    left join team_member
        on team_member.member_id = payment.approved_by_id
        and (
            (
                team_member.known_from_utc <= payment.decided_at_utc
                and (team_member.known_to_utc is null or payment.decided_at_utc < team_member.known_to_utc)
            )
            or (payment.decided_at_utc < first_listing.team_from and team_member.known_from_utc = first_listing.team_from)
        )
    left join reviewer
        on reviewer.user_id = payment.approved_by_id
        and (
            (
                reviewer.known_from_utc <= payment.decided_at_utc
                and (reviewer.known_to_utc is null or payment.decided_at_utc < reviewer.known_to_utc)
            )
            or (
                payment.decided_at_utc < first_listing.reviewers_from
                and reviewer.known_from_utc = first_listing.reviewers_from
            )
        )
    group by payment.activity_id
),
changed_account as (
    select distinct payment.activity_id
    from payment
    join counterparty
        on counterparty.counterparty_id = payment.counterparty_id
        and counterparty.known_from_utc > payment.decided_at_utc
        and counterparty.known_from_utc <= payment.booked_at_utc
    where counterparty.account_before is not null
      and counterparty.account is distinct from counterparty.account_before
    union
    select distinct payment.activity_id
    from payment
    join audit_entry
        on audit_entry.subject_id = payment.counterparty_id
        and audit_entry.occurred_at_utc > payment.decided_at_utc
        and audit_entry.occurred_at_utc <= payment.booked_at_utc
    where audit_entry.action like 'COUNTERPARTY%'
),
other_receiver as (
    select distinct payment.activity_id
    from payment
    join api_transaction as received
        on received.transfer_id = payment.transfer_id and received.signed_amount > 0
    where payment.destination_pocket_id is not null
      and received.pocket_id is distinct from payment.destination_pocket_id
    union
    select distinct payment.activity_id
    from payment
    join transaction_party on transaction_party.activity_id = payment.activity_id
    join counterparty as named on lower(named.name_on_account) = transaction_party.counterparty
    join counterparty as wanted on wanted.counterparty_id = payment.counterparty_id
    where not exists (
        select 1
        from counterparty as same
        where same.counterparty_id = payment.counterparty_id
          and lower(same.name_on_account) = transaction_party.counterparty
    )
),
judged as (
    select
        payment.*,
        approver.is_member,
        case
            when not payment.has_requests and payment.request_id is null then 'NO_INPUT'
            when payment.request_id is null then 'NO_REQUEST'
            when payment.requests > 1 then 'SEVERAL'
            when payment.request_status in ('PENDING', 'DENIED', 'CANCELLED', 'REJECTED')
                or payment.approved_by_id is null then 'NOT_APPROVED'
            when payment.approved_by_id = payment.created_by_id then 'SELF'
            when payment.amount is not null and payment.amount is distinct from payment.paid then 'AMOUNT'
            when payment.origin_pocket_id is distinct from payment.pocket_id then 'POCKET'
            when other_receiver.activity_id is not null then 'RECEIVER'
            when approver.team_from is null or approver.reviewers_from is null then 'NO_TEAM'
            when (not approver.is_active or not approver.is_reviewer)
                and (payment.decided_at_utc < approver.team_from or payment.decided_at_utc < approver.reviewers_from)
                then 'BASELINE'
            when not approver.is_member then 'NOT_A_MEMBER'
            when not approver.is_active then 'INACTIVE'
            when not approver.is_reviewer then 'NOT_A_REVIEWER'
            when changed_account.activity_id is not null then 'CHANGED'
            else ''
        end as finding
    from payment
    join approver on approver.activity_id = payment.activity_id
    left join changed_account on changed_account.activity_id = payment.activity_id
    left join other_receiver on other_receiver.activity_id = payment.activity_id
),
executed as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        request.transfer_id,
        request.amount,
        count(delivery.business_date) filter (where delivery.business_date = request.created_on) > 0
            and count(delivery.business_date) filter (where delivery.business_date = request.updated_on) > 0
            as is_covered
    from judged_day
    join transfer_request as request
        on request.origin_pocket_id = judged_day.pocket_id
        and request.updated_on > judged_day.previous_bd
        and request.updated_on <= judged_day.business_date
    left join api_transaction as movement
        on movement.transfer_id = request.transfer_id
        and movement.signed_amount < 0
    left join delivery
        on delivery.document_kind = 'API_TRANSACTIONS'
        and delivery.outcome in ('NEW_VERSION', 'UNCHANGED')
        and delivery.business_date in (request.created_on, request.updated_on)
    where request.request_status = 'COMPLETED'
      and request.request_no = 1
      and movement.activity_id is null
    group by judged_day.pocket_id, judged_day.business_date, request.transfer_id, request.amount
)
select
    pocket_id,
    business_date,
    activity_id as entity_key,
    case
        when finding = '' then 'PASS'
        when finding in ('NO_INPUT', 'NO_TEAM', 'BASELINE') then 'NOT_TESTED'
        else 'BREAK'
    end as status,
    case
        when finding in ('NO_REQUEST', 'SEVERAL', 'NOT_APPROVED') then 'AUTH_NONE'
        when finding = 'SELF' then 'AUTH_SELF'
        when finding in ('AMOUNT', 'POCKET', 'RECEIVER') then 'AUTH_DIFF'
        when finding in ('NOT_A_MEMBER', 'INACTIVE', 'NOT_A_REVIEWER') then 'AUTH_NOT_ENTITLED'
        when finding = 'CHANGED' then 'CPTY_CHANGED'
        else ''
    end as code,
    case when finding in ('', 'NO_INPUT', 'NO_TEAM', 'BASELINE', 'SELF', 'CHANGED') then '' else finding end as sub_code,
    case
        when finding in ('NO_INPUT', 'NO_TEAM') then 'NO_INPUT'
        when finding = 'BASELINE' then 'BASELINE'
        else ''
    end as reason,
    paid as left_value,
    amount as right_value,
    case when finding = 'AMOUNT' then paid - amount end as difference,
    case finding
        when 'NO_INPUT' then 'The transfer requests of the month before the payment have not been listed.'
        when 'NO_REQUEST' then 'A payment of ' || cast(paid as string) || ' left without any transfer request.'
        when 'SEVERAL' then 'Several transfer requests name the transfer ' || transfer_id || '.'
        when 'NOT_APPROVED' then 'The request of the payment is ' || request_status || ' and nobody is known to have approved it.'
        when 'SELF' then 'The member ' || approved_by_id || ' asked for the payment and approved it.'
        when 'AMOUNT' then 'Approved were ' || cast(amount as string) || ', paid were ' || cast(paid as string) || '.'
        when 'POCKET' then 'The request names the pocket ' || coalesce(origin_pocket_id, 'none') || ' as the one that pays.'
        when 'RECEIVER' then 'The money went to another receiver than the request names.'
        when 'NO_TEAM' then 'The team and its reviewers have not been listed.'
        when 'BASELINE' then 'The member ' || approved_by_id || ' approved it before the team was first listed.'
        when 'NOT_A_MEMBER' then 'The approver ' || approved_by_id || ' is nobody of the team.'
        when 'INACTIVE' then 'The member ' || approved_by_id || ' was not active when the payment was approved.'
        when 'NOT_A_REVIEWER' then 'The member ' || approved_by_id || ' was not entitled to approve transfers.'
        when 'CHANGED' then 'The counterparty was changed after the approval and before the payment.'
        else ''
    end as detail
from judged
union all
select
    pocket_id,
    business_date,
    'request ' || transfer_id as entity_key,
    case when is_covered then 'BREAK' else 'NOT_TESTED' end as status,
    case when is_covered then 'REQUEST_UNPAID' else '' end as code,
    '' as sub_code,
    case when is_covered then '' else 'NO_INPUT' end as reason,
    amount as left_value,
    cast(null as decimal(38, 2)) as right_value,
    cast(null as decimal(38, 2)) as difference,
    'The request is told as carried out, yet no payment names it.' as detail
from executed
union all
select
    asked.pocket_id,
    asked.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case when asked.has_transactions then 'NO_ACTIVITY' else 'NO_INPUT' end as reason,
    cast(null as decimal(38, 2)) as left_value,
    cast(null as decimal(38, 2)) as right_value,
    cast(null as decimal(38, 2)) as difference,
    '' as detail
from asked
left join (select distinct pocket_id, business_date from payment) as paid_day
    on paid_day.pocket_id = asked.pocket_id and paid_day.business_date = asked.business_date
left join (select distinct pocket_id, business_date from executed) as executed_day
    on executed_day.pocket_id = asked.pocket_id and executed_day.business_date = asked.business_date
where paid_day.pocket_id is null
  and executed_day.pocket_id is null
