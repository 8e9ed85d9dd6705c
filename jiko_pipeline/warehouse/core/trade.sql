-- core.trade: one row a trade id, from every day on which a current listing states it; the trade date is
-- the calendar day in New York. Where an id is stated more than once the last instant stands for it.
insert into core.trade by name
with
    stated as (
        select
            t.*,
            count(*) over (partition by t.customer_id, t.trade_id) as occurrences,
            row_number() over (
                partition by t.customer_id, t.trade_id
                order by t.traded_at_utc desc, t.row_hash
            ) as choice
        from staging.api_trade as t
        where
            t.customer_id = getvariable('build_customer')
            and t.document_kind = 'API_TRADES'
            and t.known_to_utc is null
            and t.trade_id in (select trade_id from build_touched_trade)
            and not exists (
                select 1
                from build_refused as r
                where
                    r.document_kind = t.document_kind
                    and r.customer_id = t.customer_id
                    and r.scope_pocket_id = t.scope_pocket_id
                    and r.scope_date = t.scope_date
            )
    )

select
    s.customer_id,
    getvariable('build_entity') as legal_entity_id,
    s.trade_id,
    s.pocket_id,
    s.activity,
    s.cusip,
    s.quantity,
    cast(s.quantity as decimal(36, 0)) * 100 as face_amount,
    s.price,
    s.notional,
    s.traded_at_utc,
    i.booked_on as trade_date,
    s.book_date,
    s.settlement_date,
    s.trade_status,
    s.maturity_date,
    s.yield_to_maturity,
    cast(s.occurrences as integer) as occurrences,
    s.document_sha256,
    s.document_locator,
    s.known_from_utc
from stated as s
asof join build_instant as i on s.traded_at_utc >= i.from_utc
where s.choice = 1
order by trade_date, trade_id;
