-- treasury_price: Treasury's own prices in the time that judging looks at, as they stand now.
select cusip, price_date, maturity_date, buy, sell, end_of_day
from core.treasury_price
where customer_id = getvariable('customer_id')
  and known_to_utc is null
  and price_date between getvariable('history_first') and getvariable('following_last')
