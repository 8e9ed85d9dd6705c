-- repeated_row: keys that current documents state more than once, with the number of different statements about
-- each. Core keeps one row a key, so only here can a repetition be told from a contradiction.
with stated as (
    select
        document_kind,
        activity_id as row_key,
        cast((transaction_id, pocket_id, transaction_type, transaction_status, signed_amount, currency, booked_at_utc,
            settled_at_utc) as varchar) as said
    from staging.api_transaction
    where customer_id = getvariable('customer_id')
      and known_to_utc is null
      and scope_date between getvariable('history_first') and getvariable('following_last')
    union all
    select
        document_kind,
        trade_id,
        cast((pocket_id, activity, cusip, quantity, price, notional, traded_at_utc, book_date, settlement_date,
            trade_status, maturity_date) as varchar)
    from staging.api_trade
    where customer_id = getvariable('customer_id')
      and known_to_utc is null
      and scope_date between getvariable('history_first') and getvariable('following_last')
    union all
    select
        document_kind,
        trade_reference,
        cast((pocket_id, side, cusip, trade_date, settlement_date, book_date, quantity, price, amount) as varchar)
    from staging.trade_report
    where customer_id = getvariable('customer_id')
      and known_to_utc is null
      and scope_date between getvariable('history_first') and getvariable('following_last')
    union all
    select
        document_kind,
        pocket_id || ' ' || cast(as_of_date as varchar) || ' ' || cusip,
        cast((quantity, market_price, market_value, historical_cost) as varchar)
    from staging.position
    where customer_id = getvariable('customer_id')
      and known_to_utc is null
      and scope_date between getvariable('history_first') and getvariable('following_last')
    union all
    select
        document_kind,
        cast(price_date as varchar) || ' ' || cusip,
        cast((price, provider) as varchar)
    from staging.security_price
    where customer_id = getvariable('customer_id')
      and known_to_utc is null
      and scope_date between getvariable('history_first') and getvariable('following_last')
)
select document_kind, row_key, count(*) as copies, count(distinct said) as statements
from stated
group by document_kind, row_key
having count(*) > 1
