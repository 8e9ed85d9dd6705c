-- Takes away the results that this run replaces.
delete from recon.result
where customer_id = getvariable('customer_id')
  and (pocket_id, business_date) in (select (pocket_id, business_date) from replaced_scope)
