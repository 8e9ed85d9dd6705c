-- Open breaks with what their control tests and how many keys each keeps from being tested.
with blocked as (
    select root_break_id, count(*) as blocks
    from recon.result
    where root_break_id <> ''
    group by root_break_id
)
select
    found.break_id,
    found.severity,
    found.control_id,
    found.code,
    found.sub_code,
    found.break_class,
    found.pocket_id,
    coalesce(pocket.pocket_name, ''),
    found.business_date,
    found.entity_key,
    found.left_value,
    found.right_value,
    found.difference,
    found.age_business_days,
    coalesce(blocked.blocks, 0),
    coalesce(control.title, ''),
    coalesce(control.identity, ''),
    found.detail
from recon."break" as found
left join recon.control as control on control.control_id = found.control_id
left join core.pocket as pocket
    on pocket.customer_id = found.customer_id and pocket.pocket_id = found.pocket_id
left join blocked on blocked.root_break_id = found.break_id
where found.status = 'OPEN'
  and ($customer_id is null or found.customer_id = $customer_id)
order by
    found.severity, found.business_date, found.control_id, found.pocket_id, found.entity_key, found.code
