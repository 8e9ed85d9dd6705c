-- transfer_request: transfers that were asked for around the judged time, as they were listed last, each with who
-- approved it and when: by the audit log, else the reviewer whom the request itself names, without a time. A request
-- may wait two months for its payment. updated_on is the New York day of its last change, requests the number of
-- requests that name the same transfer.
with approval as (
    select
        transfer_id,
        member_id,
        occurred_at_utc,
        row_number() over (partition by transfer_id order by occurred_at_utc desc, entry_id) as choice
    from (
        select entry_id, member_id, occurred_at_utc, json_extract_string(action_details, '$.transfer_id') as transfer_id
        from core.audit_log
        where customer_id = getvariable('customer_id')
          and action = 'TRANSFER_REQUEST_APPROVED'
          and stated_on between getvariable('history_first') - 62 and getvariable('following_last')
    ) as entry
)
select
    request.transfer_id,
    request.request_status,
    request.transfer_type,
    request.origin_pocket_id,
    request.destination_pocket_id,
    request.counterparty_id,
    request.amount,
    request.created_by_id,
    request.created_at_utc,
    request.stated_on as created_on,
    cast(timezone('America/New_York', timezone('UTC', request.updated_at_utc)) as date) as updated_on,
    approval.transfer_id is not null as is_approval_logged,
    approval.occurred_at_utc as approved_at_utc,
    coalesce(approval.member_id, json_extract_string(request.details, '$.reviewed_by.user_id')) as approved_by_id,
    row_number() over (
        partition by request.transfer_id order by request.created_at_utc, request.request_id
    ) as request_no,
    count(*) over (partition by request.transfer_id) as requests
from core.transfer_request as request
left join approval on approval.transfer_id = request.transfer_id and approval.choice = 1
where request.customer_id = getvariable('customer_id')
  and request.stated_on between getvariable('history_first') - 62 and getvariable('following_last')
