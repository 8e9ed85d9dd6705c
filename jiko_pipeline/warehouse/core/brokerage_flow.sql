-- core.brokerage_flow: each booked entry of a brokerage statement, by the bank's own code.
insert into core.brokerage_flow by name
with
    booked_entries as (
        select
            e.*,
            coalesce(e.account_servicer_reference, e.entry_reference, '') as entry_name
        from staging.statement_entry as e
        inner join build_scope as scope
            on
                scope.document_kind = e.document_kind
                and scope.customer_id = e.customer_id
                and scope.scope_pocket_id = e.scope_pocket_id
                and scope.scope_date = e.scope_date
        where
            e.customer_id = getvariable('build_customer')
            and e.document_kind = 'BROKERAGE_STATEMENT'
            and e.scope_date between getvariable('build_first') and getvariable('build_last')
            and e.known_to_utc is null
            and coalesce(e.entry_status, 'BOOK') = 'BOOK'
    ),

    only_details as (
        select
            d.customer_id,
            d.scope_pocket_id,
            d.scope_date,
            d.statement_seq,
            d.entry_seq,
            min(d.end_to_end_id) as end_to_end_id
        from staging.statement_entry_detail as d
        where
            d.customer_id = getvariable('build_customer')
            and d.document_kind = 'BROKERAGE_STATEMENT'
            and d.scope_date between getvariable('build_first') and getvariable('build_last')
            and d.known_to_utc is null
        group by d.customer_id, d.scope_pocket_id, d.scope_date, d.statement_seq, d.entry_seq
        having count(*) = 1
    )

select
    e.customer_id,
    getvariable('build_entity') as legal_entity_id,
    e.scope_pocket_id as pocket_id,
    e.scope_date as business_date,
    e.entry_name || '#' || row_number() over (
        partition by e.customer_id, e.scope_pocket_id, e.scope_date, e.entry_name
        order by e.statement_seq, e.entry_seq, e.row_ordinal
    ) as brokerage_flow_key,
    case
        when e.proprietary_code in ('ADDITION', 'SUBTRACTION', 'GAIN_LOSS') then e.proprietary_code
        when e.proprietary_code in ('MANAGEMENT_FEE', 'FEE') then 'FEE'
    end as flow,
    e.signed_amount,
    d.end_to_end_id,
    e.proprietary_code,
    e.document_sha256,
    e.document_locator,
    e.known_from_utc
from booked_entries as e
left join only_details as d
    on
        d.customer_id = e.customer_id
        and d.scope_pocket_id = e.scope_pocket_id
        and d.scope_date = e.scope_date
        and d.statement_seq = e.statement_seq
        and d.entry_seq = e.entry_seq
order by business_date, pocket_id, brokerage_flow_key;
