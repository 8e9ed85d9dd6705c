-- overlapping_delivery: pockets and days that two trade reports asked for different ranges state differently, though
-- both were made after the day was over and within one New York day, so that nothing had changed between them.
with stated as (
    select
        delivery.document_kind,
        delivery.scope_pocket_id as pocket_id,
        delivery.scope_date as business_date,
        document.first_date,
        document.last_date,
        delivery.content_hash,
        cast(delivery.known_from_utc - interval 5 hour as date) as made_on
    from raw.delivery as delivery
    join raw.document as document on document.document_id = delivery.document_id
    where delivery.customer_id = getvariable('customer_id')
      and delivery.document_kind in ('TRADE_REPORT_CSV', 'TRADE_REPORT_KYRIBA_CSV')
      and delivery.outcome <> 'QUARANTINED'
      and delivery.finality <> 'PROVISIONAL'
      and delivery.scope_date between getvariable('history_first') and getvariable('following_last')
)
select document_kind, pocket_id, business_date, count(distinct content_hash) as statements
from stated
group by document_kind, pocket_id, business_date, made_on
having count(distinct content_hash) > 1 and count(distinct (first_date, last_date)) > 1
