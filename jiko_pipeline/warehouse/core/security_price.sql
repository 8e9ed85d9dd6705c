-- core.security_price: the end-of-day price of each bill and day that a current price report states.
insert into core.security_price by name
with
    stated as (
        select
            p.*,
            count(*) over (partition by p.customer_id, p.cusip, p.price_date) as occurrences,
            row_number() over (partition by p.customer_id, p.cusip, p.price_date order by p.row_hash) as choice
        from staging.security_price as p
        inner join build_scope as scope
            on
                scope.document_kind = p.document_kind
                and scope.customer_id = p.customer_id
                and scope.scope_pocket_id = p.scope_pocket_id
                and scope.scope_date = p.scope_date
        where
            p.customer_id = getvariable('build_customer')
            and p.document_kind = 'SECURITY_PRICE'
            and p.scope_date between getvariable('build_first') and getvariable('build_last')
            and p.known_to_utc is null
    )

select
    s.customer_id,
    getvariable('build_entity') as legal_entity_id,
    s.cusip,
    s.price_date,
    s.price,
    cast(s.occurrences as integer) as occurrences,
    s.document_sha256,
    s.document_locator,
    s.known_from_utc
from stated as s
where s.choice = 1
order by price_date, s.cusip;
