-- The keys for which a run that is performed again in this file says something else than it said in `kept`.
-- Parameters: customer_id, run_id, known_at (from when its results stood).
with performed as (
    select
        control_id, pocket_id, business_date, entity_key, code,
        concat_ws(
            ' · ', status || coalesce(nullif(' ' || code, ' '), '') || coalesce(nullif(' ' || sub_code, ' '), ''),
            nullif(reason, ''), cast(left_value as varchar), cast(right_value as varchar),
            cast(difference as varchar), nullif(detail, ''), nullif(blocked_by, ''), nullif(root_break_id, '')
        ) as said
    from recon.result
    where customer_id = $customer_id and run_id = $run_id
),
stood as (
    select
        control_id, pocket_id, business_date, entity_key, code,
        concat_ws(
            ' · ', status || coalesce(nullif(' ' || code, ' '), '') || coalesce(nullif(' ' || sub_code, ' '), ''),
            nullif(reason, ''), cast(left_value as varchar), cast(right_value as varchar),
            cast(difference as varchar), nullif(detail, ''), nullif(blocked_by, ''), nullif(root_break_id, '')
        ) as said
    from kept.history.recon_result
    where customer_id = $customer_id
      and known_from_utc <= $known_at
      and (known_to_utc is null or known_to_utc > $known_at)
      and (pocket_id, business_date) in (select (pocket_id, business_date) from performed)
)
select
    coalesce(stood.control_id, performed.control_id),
    coalesce(stood.pocket_id, performed.pocket_id),
    coalesce(stood.business_date, performed.business_date),
    coalesce(stood.entity_key, performed.entity_key),
    coalesce(stood.code, performed.code),
    stood.said,
    performed.said
from stood
full join performed using (control_id, pocket_id, business_date, entity_key, code)
where stood.said is distinct from performed.said
order by all
