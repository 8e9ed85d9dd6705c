-- seen_pocket: every pocket that anything but the list of pockets speaks of, by day and source.
select distinct document_kind as source, scope_pocket_id as pocket_id, scope_date as seen_on
from raw.delivery
where customer_id = getvariable('customer_id')
  and scope_pocket_id <> ''
  and outcome in ('NEW_VERSION', 'UNCHANGED')
  and document_kind in ('BANK_STATEMENT', 'BROKERAGE_STATEMENT', 'POSITION')
  and scope_date between getvariable('history_first') and getvariable('following_last')
union
select 'API_TRANSACTIONS', pocket_id, business_date
from core.api_transaction
where customer_id = getvariable('customer_id')
  and business_date between getvariable('history_first') and getvariable('following_last')
union
select 'API_TRADES', pocket_id, trade_date
from core.trade
where customer_id = getvariable('customer_id')
  and trade_date between getvariable('history_first') and getvariable('following_last')
union
select 'TRADE_REPORT_CSV', pocket_id, trade_date
from core.trade_report
where customer_id = getvariable('customer_id')
  and trade_date between getvariable('history_first') and getvariable('following_last')
union
select 'TRANSFER_REQUESTS', pocket.pocket_id, request.stated_on
from core.transfer_request as request
cross join lateral (
    select request.origin_pocket_id as pocket_id
    union all
    select request.destination_pocket_id
) as pocket
where request.customer_id = getvariable('customer_id')
  and pocket.pocket_id is not null
  and request.stated_on between getvariable('history_first') and getvariable('following_last')
union
select 'PORTALS', pocket_id, cast(timezone('America/New_York', timezone('UTC', known_from_utc)) as date)
from core.portal
where customer_id = getvariable('customer_id')
  and known_from_utc between cast(getvariable('history_first') as timestamp)
      and cast(getvariable('following_last') + 1 as timestamp)
