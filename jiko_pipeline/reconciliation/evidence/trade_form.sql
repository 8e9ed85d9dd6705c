-- trade_form: trades, as each form of the listing states it now, by the New York day asked for.
select
    document_kind,
    trade_id as row_key,
    pocket_id,
    scope_date as stated_on,
    activity,
    cusip,
    quantity,
    price,
    notional,
    currency,
    traded_at_utc,
    settlement_date,
    trade_status,
    book_date,
    maturity_date,
    yield_to_maturity,
    description
from staging.api_trade
where customer_id = getvariable('customer_id')
  and known_to_utc is null
  and row_ordinal = 1
  and scope_date between getvariable('history_first') and getvariable('following_last')
