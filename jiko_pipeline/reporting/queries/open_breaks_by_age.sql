-- Open breaks by severity and age in Fed business days. Parameter: customer.
select severity, age_business_days, count(*)
from recon.break
where customer_id = $1 and status = 'OPEN'
group by severity, age_business_days
order by severity, age_business_days
