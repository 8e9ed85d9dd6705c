-- audit_form: entries of the audit log, as each form of the listing states it now, by the New York day asked for.
select
    document_kind,
    entry_id as row_key,
    scope_date as stated_on,
    occurred_at_utc,
    member_id,
    action,
    action_details,
    ip_address
from staging.audit_log
where customer_id = getvariable('customer_id')
  and known_to_utc is null
  and row_ordinal = 1
  and scope_date between getvariable('history_first') and getvariable('following_last')
