-- earnings: what the API says a pocket has earned over a period.
select
    stated.pocket_id,
    stated.first_date,
    stated.last_date,
    stated.earnings
from staging.earnings as stated
where stated.customer_id = getvariable('customer_id')
  and stated.document_kind = 'EARNINGS'
  and stated.known_to_utc is null
  and stated.row_ordinal = 1
  and stated.scope_date between getvariable('history_first') - 31 and getvariable('following_last')
