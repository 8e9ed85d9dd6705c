-- landed_day: the Fed business days whose statements have been asked for and loaded, with whatever came of it.
with loaded as (
    select distinct first_date, last_date
    from raw.load
    where customer_id = getvariable('customer_id')
      and document_kind in ('BANK_STATEMENT', 'BROKERAGE_STATEMENT', 'POSITION')
),
delivered as (
    select distinct scope_date
    from raw.delivery
    where customer_id = getvariable('customer_id')
      and document_kind in ('BANK_STATEMENT', 'BROKERAGE_STATEMENT', 'POSITION')
)
select calendar.business_date, calendar.bd_idx
from core.calendar as calendar
where calendar.is_fed_business_day
  and (
      calendar.business_date in (select scope_date from delivered)
      or exists (
          select 1 from loaded
          where calendar.business_date between loaded.first_date and loaded.last_date
      )
  )
