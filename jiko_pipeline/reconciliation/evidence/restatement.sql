-- restatement: what the bank stated once, after the day was over, and states differently or no more: a report of one
-- pocket and day in a later version, a movement or trade of a listing by its id. What a row goes through in its life
-- (its status, its settlement, its wording) is no restatement, nor is a final form after a provisional one.
with version as (
    select
        document_kind,
        scope_pocket_id as pocket_id,
        scope_date as business_date,
        version_no,
        finality,
        known_from_utc,
        row_count,
        lag(finality) over scope as earlier_finality,
        lag(row_count) over scope as earlier_rows
    from raw.delivery
    where customer_id = getvariable('customer_id')
      and outcome = 'NEW_VERSION'
      and document_kind in (
          'BANK_STATEMENT', 'BROKERAGE_STATEMENT', 'POSITION', 'SECURITY_PRICE', 'TRADE_REPORT_CSV',
          'TRADE_REPORT_KYRIBA_CSV'
      )
      and scope_date between getvariable('history_first') and getvariable('following_last')
    window scope as (partition by document_kind, scope_pocket_id, scope_date order by version_no)
),
ended as (
    select
        row.document_kind, row.activity_id as row_key, row.pocket_id, row.scope_date as business_date,
        row.known_from_utc, row.known_to_utc,
        cast((row.transaction_id, row.transaction_type, row.signed_amount, row.currency, row.booked_at_utc) as varchar)
            as said
    from staging.api_transaction as row
    join raw.document as document on document.document_id = row.document_id
    where row.customer_id = getvariable('customer_id')
      and row.document_kind = 'API_TRANSACTIONS'
      and row.known_to_utc is not null
      and document.finality <> 'PROVISIONAL'
      and row.scope_date between getvariable('history_first') and getvariable('following_last')
    union all
    select
        row.document_kind, row.trade_id, row.pocket_id, row.scope_date,
        row.known_from_utc, row.known_to_utc,
        cast((row.activity, row.cusip, row.quantity, row.price, row.notional, row.traded_at_utc, row.book_date,
            row.settlement_date) as varchar)
    from staging.api_trade as row
    join raw.document as document on document.document_id = row.document_id
    where row.customer_id = getvariable('customer_id')
      and row.document_kind = 'API_TRADES'
      and row.known_to_utc is not null
      and document.finality <> 'PROVISIONAL'
      and row.scope_date between getvariable('history_first') and getvariable('following_last')
),
standing as (
    select
        document_kind, activity_id as row_key, pocket_id,
        cast((transaction_id, transaction_type, signed_amount, currency, booked_at_utc) as varchar) as said
    from staging.api_transaction
    where customer_id = getvariable('customer_id')
      and document_kind = 'API_TRANSACTIONS'
      and known_to_utc is null
      and activity_id in (select row_key from ended)
    union all
    select
        document_kind, trade_id, pocket_id,
        cast((activity, cusip, quantity, price, notional, traded_at_utc, book_date, settlement_date) as varchar)
    from staging.api_trade
    where customer_id = getvariable('customer_id')
      and document_kind = 'API_TRADES'
      and known_to_utc is null
      and trade_id in (select row_key from ended)
),
last_ended as (
    select ended.*, row_number() over (partition by document_kind, row_key order by known_to_utc desc) as choice
    from ended
),
last_standing as (
    select document_kind, row_key, min(pocket_id) as pocket_id, min(said) as said
    from standing
    group by document_kind, row_key
)
select
    document_kind,
    pocket_id,
    business_date,
    '' as row_key,
    false as is_gone,
    known_from_utc as restated_at_utc,
    'version ' || cast(version_no as varchar) || ' has ' || cast(row_count as varchar) || ' rows, the one before it '
        || cast(earlier_rows as varchar) as what
from version
where earlier_finality is not null and earlier_finality <> 'PROVISIONAL' and finality <> 'PROVISIONAL'
union all
select
    last_ended.document_kind,
    last_ended.pocket_id,
    last_ended.business_date,
    last_ended.row_key,
    last_standing.row_key is null as is_gone,
    last_ended.known_to_utc,
    case
        when last_standing.row_key is null then 'it is stated no more'
        else 'it was ' || last_ended.said || ' and is ' || last_standing.said
    end
from last_ended
left join last_standing
    on last_standing.document_kind = last_ended.document_kind and last_standing.row_key = last_ended.row_key
where last_ended.choice = 1
  and (
      last_standing.row_key is null
      or last_standing.said is distinct from last_ended.said
      or last_standing.pocket_id is distinct from last_ended.pocket_id
  )
