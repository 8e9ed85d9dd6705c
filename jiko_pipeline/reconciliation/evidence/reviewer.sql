-- reviewer: who may approve transfers of others, every version.
select user_id, known_from_utc, known_to_utc
from core.reviewer
where customer_id = getvariable('customer_id')
