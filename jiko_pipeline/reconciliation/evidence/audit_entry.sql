-- audit_entry: what the audit log says around the judged time, with the id of what was changed. A change of something
-- is looked for between two listings of it, which may lie a month before the judged days.
select
    entry_id,
    stated_on,
    occurred_at_utc,
    member_id,
    action,
    coalesce(
        json_extract_string(action_details, '$.counterparty_id'),
        json_extract_string(action_details, '$.subscription_id'),
        json_extract_string(action_details, '$.transfer_id'),
        json_extract_string(action_details, '$.pocket_id'),
        json_extract_string(action_details, '$.member_id')
    ) as subject_id
from core.audit_log
where customer_id = getvariable('customer_id')
  and stated_on between getvariable('history_first') - 31 and getvariable('following_last')
