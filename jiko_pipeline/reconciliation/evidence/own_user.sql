-- own_user: whom the pipeline's own credentials have belonged to.
select distinct user_id
from core.signed_in_user
where customer_id = getvariable('customer_id')
