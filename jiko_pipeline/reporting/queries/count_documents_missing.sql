-- Number of expected documents that never came: open breaks of the control on expected documents. Parameter: customer.
select count(*)
from recon.break
where customer_id = $1 and status = 'OPEN' and control_id = 'K01'
