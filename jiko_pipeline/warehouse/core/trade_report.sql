-- core.trade_report: one row a trade reference and form of the report, from every day on which a current
-- report states it.
insert into core.trade_report by name
with
    stated as (
        select
            t.*,
            count(*) over (partition by t.customer_id, t.output_format, t.trade_reference) as occurrences,
            row_number() over (
                partition by t.customer_id, t.output_format, t.trade_reference
                order by t.trade_date desc, t.row_hash
            ) as choice
        from staging.trade_report as t
        where
            t.customer_id = getvariable('build_customer')
            and t.known_to_utc is null
            and t.trade_reference in (select trade_reference from build_touched_report)
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
    s.output_format,
    s.trade_reference,
    s.pocket_id,
    s.side,
    s.cusip,
    s.issue_date,
    s.maturity_date,
    s.trade_date,
    s.settlement_date,
    s.book_date,
    s.quantity,
    s.price,
    s.amount,
    cast(s.occurrences as integer) as occurrences,
    s.document_sha256,
    s.document_locator,
    s.known_from_utc
from stated as s
where s.choice = 1
order by trade_date, output_format, trade_reference;
