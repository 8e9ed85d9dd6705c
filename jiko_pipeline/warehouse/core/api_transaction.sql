-- core.api_transaction: one row an activity id, from every day on which a current listing states it.
-- The day in New York and the Fed business date come from build_instant, which lists the instants at which
-- either changes. Where an id is stated more than once the last booking stands for it.
insert into core.api_transaction by name
with
    stated as (
        select
            t.*,
            count(*) over (partition by t.customer_id, t.activity_id) as occurrences,
            row_number() over (
                partition by t.customer_id, t.activity_id
                order by t.booked_at_utc desc, t.row_hash
            ) as choice
        from staging.api_transaction as t
        where
            t.customer_id = getvariable('build_customer')
            and t.document_kind = 'API_TRANSACTIONS'
            and t.known_to_utc is null
            and t.activity_id in (select activity_id from build_touched_transaction)
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
    s.activity_id,
    s.pocket_id,
    s.transaction_id,
    s.transaction_type,
    s.transaction_status,
    s.signed_amount,
    s.currency,
    s.booked_at_utc,
    i.booked_on,
    i.business_date,
    s.settled_at_utc,
    cast(s.occurrences as integer) as occurrences,
    coalesce(
        json_extract_string(s.details, '$.wire_id'), json_extract_string(s.details, '$.on_us_transfer_id')
    ) as transfer_id,
    s.title,
    s.description,
    s.document_sha256,
    s.document_locator,
    s.known_from_utc
from stated as s
asof join build_instant as i on s.booked_at_utc >= i.from_utc
where s.choice = 1
order by booked_on, activity_id;
