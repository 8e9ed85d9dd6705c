-- The pocket-days whose results this run replaces: those judged, each judged date of the customer, and every day of
-- the window for pockets that turned out not to live then.
create or replace temp table replaced_scope as
select pocket_id, business_date from judged_day
union
select '' as pocket_id, business_date from judged_day
union
select distinct pocket_id, business_date
from recon.result
where customer_id = getvariable('customer_id')
  and business_date between getvariable('window_first') and getvariable('window_last')
