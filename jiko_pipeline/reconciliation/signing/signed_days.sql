-- signed_day: the closed pocket-days of the scope and period, with the run that judged them last.
-- Parameters: customer_id, pocket_id (empty for the legal entity), first, last.
create or replace temp table signed_day as
select
    result.pocket_id,
    result.business_date,
    max(run.run_seq) as run_seq
from recon.result as result
join recon.run as run on run.customer_id = result.customer_id and run.run_id = result.run_id
where result.customer_id = $customer_id
  and result.business_date between $first and $last
  and ($pocket_id = '' or result.pocket_id in ($pocket_id, ''))
group by result.pocket_id, result.business_date
