-- Breaks with what their control tests and how many keys each keeps from being tested. A parameter that is null lets
-- everything through: customer_id, statuses (list), pocket (id or name), control_id, severity, break_class, owner, code,
-- first and last (business dates).
with blocked as (
    select root_break_id, count(*) as blocks
    from recon.result
    where root_break_id <> ''
    group by root_break_id
)
select
    found.break_id,
    found.effective_severity,
    found.severity,
    found.control_id,
    found.code,
    found.sub_code,
    found.effective_class,
    found.pocket_id,
    coalesce(pocket.pocket_name, ''),
    found.business_date,
    found.entity_key,
    found.left_value,
    found.right_value,
    found.difference,
    found.age_business_days,
    found.age_bucket,
    found.case_id,
    found.first_seen_business_date,
    found.case_days,
    found.status,
    found.owner,
    found.clear_by,
    found.accepted_until,
    found.acceptance_asked_by,
    found.is_immaterial,
    coalesce(blocked.blocks, 0),
    coalesce(control.title, ''),
    coalesce(control.identity, ''),
    coalesce(control.evidence_class, ''),
    found.detail
from recon."break" as found
left join recon.control as control on control.control_id = found.control_id
left join core.pocket as pocket
    on pocket.customer_id = found.customer_id and pocket.pocket_id = found.pocket_id
left join blocked on blocked.root_break_id = found.break_id
where ($customer_id is null or found.customer_id = $customer_id)
  and ($statuses is null or list_contains($statuses, found.status))
  and ($pocket is null or found.pocket_id = $pocket or pocket.pocket_name = $pocket)
  and ($control_id is null or found.control_id = $control_id)
  and ($code is null or found.code = $code)
  and ($severity is null or found.effective_severity = $severity)
  and ($break_class is null or found.effective_class = $break_class)
  and ($owner is null or lower(found.owner) = lower($owner))
  and ($first is null or found.business_date >= $first)
  and ($last is null or found.business_date <= $last)
order by
    found.effective_severity, found.business_date, found.control_id, found.pocket_id, found.entity_key, found.code
