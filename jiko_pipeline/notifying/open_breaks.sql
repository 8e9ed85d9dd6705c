-- Open breaks of a customer with the name of their pocket, gravest and oldest first. Parameter: customer.
select
    found.break_id,
    found.control_id,
    found.severity,
    found.business_date,
    coalesce(pocket.pocket_name, '') as pocket_name
from recon.break as found
left join core.pocket as pocket
    on pocket.customer_id = found.customer_id
    and pocket.pocket_id = found.pocket_id
where found.customer_id = $1 and found.status = 'OPEN'
order by found.severity, found.business_date, found.control_id, found.break_id
