-- asked_range: the days that each request for a ranged document covers, with the date they were asked by.
select distinct
    document.document_kind,
    coalesce(document.pocket_id, '') as pocket_id,
    coalesce(json_extract_string(document.parameters, '$.date_type'), '') as date_type,
    document.first_date,
    document.last_date,
    document.outcome,
    document.finality
from raw.document as document
where document.customer_id = getvariable('customer_id')
  and document.document_kind in (
      'TRADE_REPORT_CSV', 'TRADE_REPORT_KYRIBA_CSV', 'SECURITY_PRICE', 'API_TRANSACTIONS', 'API_TRANSACTIONS_CSV',
      'API_TRADES', 'API_TRADES_V1', 'API_TRADES_CSV', 'AUDIT_LOGS', 'AUDIT_LOGS_CSV'
  )
  and document.last_date >= getvariable('history_first')
  and document.first_date <= getvariable('following_last')
