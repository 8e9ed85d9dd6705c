-- core.position_daily: each bill that a current position summary states, with its maturity by the reference
-- lists. A bill has a face of 100 USD. Built after core.security.
insert into core.position_daily by name
with
    stated as (
        select
            p.*,
            scope.finality,
            count(*) over (partition by p.customer_id, p.pocket_id, p.scope_date, p.cusip) as occurrences,
            row_number() over (
                partition by p.customer_id, p.pocket_id, p.scope_date, p.cusip
                order by p.row_hash
            ) as choice
        from staging.position as p
        inner join build_scope as scope
            on
                scope.document_kind = p.document_kind
                and scope.customer_id = p.customer_id
                and scope.scope_pocket_id = p.scope_pocket_id
                and scope.scope_date = p.scope_date
        where
            p.customer_id = getvariable('build_customer')
            and p.document_kind = 'POSITION'
            and p.scope_date between getvariable('build_first') and getvariable('build_last')
            and p.known_to_utc is null
    )

select
    s.customer_id,
    getvariable('build_entity') as legal_entity_id,
    s.pocket_id,
    s.scope_date as business_date,
    s.cusip,
    s.quantity,
    cast(s.quantity as decimal(36, 0)) * 100 as face_amount,
    s.market_price as price,
    s.market_value,
    s.historical_cost,
    security.maturity_date,
    date_diff('day', s.scope_date, security.maturity_date) as days_to_maturity,
    cast(s.occurrences as integer) as occurrences,
    s.finality,
    s.document_sha256,
    s.document_locator,
    s.known_from_utc
from stated as s
left join core.security as security on security.cusip = s.cusip
where s.choice = 1
order by business_date, pocket_id, s.cusip;
