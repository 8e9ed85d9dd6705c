-- Puts the matches of the pocket-days that this run replaces in the place of the ones before.
-- Parameters: legal_entity_id, run_id.
delete from recon.match
where customer_id = getvariable('customer_id')
  and (pocket_id, business_date) in (select (pocket_id, business_date) from replaced_scope);
insert into recon.match by name
select
    getvariable('customer_id') as customer_id,
    $legal_entity_id as legal_entity_id,
    matched.*,
    $run_id as run_id
from matched
where (pocket_id, business_date) in (select (pocket_id, business_date) from replaced_scope)
order by business_date, pocket_id, subject, side, row_key;
