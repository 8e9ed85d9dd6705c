-- core.bank_transaction: each booked entry of a bank statement, classified.
-- Of the rules that fit an entry those with a proprietary code come first; the category is null when none
-- fits or when the rules that come first disagree. An end-to-end id of 32 hexadecimal digits is an activity
-- id without hyphens.
insert into core.bank_transaction by name
with
    booked_entries as (
        select
            e.*,
            coalesce(e.account_servicer_reference, e.entry_reference, '') as entry_name,
            case when e.signed_amount < 0 then 'DEBIT' else 'CREDIT' end as direction
        from staging.statement_entry as e
        inner join build_scope as scope
            on
                scope.document_kind = e.document_kind
                and scope.customer_id = e.customer_id
                and scope.scope_pocket_id = e.scope_pocket_id
                and scope.scope_date = e.scope_date
        where
            e.customer_id = getvariable('build_customer')
            and e.document_kind = 'BANK_STATEMENT'
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
            min(d.end_to_end_id) as end_to_end_id,
            min(d.debtor_name) as debtor_name,
            min(d.creditor_name) as creditor_name,
            min(d.remittance_unstructured) as remittance_unstructured
        from staging.statement_entry_detail as d
        where
            d.customer_id = getvariable('build_customer')
            and d.document_kind = 'BANK_STATEMENT'
            and d.scope_date between getvariable('build_first') and getvariable('build_last')
            and d.known_to_utc is null
        group by d.customer_id, d.scope_pocket_id, d.scope_date, d.statement_seq, d.entry_seq
        having count(*) = 1
    ),

    codes as (
        select distinct proprietary_code, domain_code, family_code, direction
        from booked_entries
    ),

    fitting_rules as (
        select
            codes.proprietary_code,
            codes.domain_code,
            codes.family_code,
            codes.direction,
            rule.category,
            case when rule.proprietary_code is null then 2 else 1 end as rule_rank
        from codes
        inner join core.classification_rule as rule
            on
                (rule.proprietary_code is null or rule.proprietary_code = codes.proprietary_code)
                and (rule.domain_code is null or rule.domain_code = codes.domain_code)
                and (rule.family_code is null or rule.family_code = codes.family_code)
                and (rule.direction is null or rule.direction = codes.direction)
    ),

    first_rules as (
        select
            fitting_rules.*,
            min(rule_rank) over (
                partition by proprietary_code, domain_code, family_code, direction
            ) as first_rank
        from fitting_rules
    ),

    classified as (
        select
            proprietary_code,
            domain_code,
            family_code,
            direction,
            count(*) as matching_rules,
            case when count(distinct category) = 1 then min(category) end as category
        from first_rules
        where rule_rank = first_rank
        group by proprietary_code, domain_code, family_code, direction
    )

select
    e.customer_id,
    getvariable('build_entity') as legal_entity_id,
    e.scope_pocket_id as pocket_id,
    e.scope_date as business_date,
    e.entry_name || '#' || row_number() over (
        partition by e.customer_id, e.scope_pocket_id, e.scope_date, e.entry_name
        order by e.statement_seq, e.entry_seq, e.row_ordinal
    ) as bank_transaction_key,
    e.booking_date,
    e.value_date,
    classified.category,
    cast(coalesce(classified.matching_rules, 0) as integer) as matching_rules,
    e.signed_amount,
    e.currency,
    e.proprietary_code,
    e.account_servicer_reference,
    d.end_to_end_id,
    case
        when regexp_full_match(d.end_to_end_id, '[0-9a-fA-F]{32}')
            then lower(
                substr(d.end_to_end_id, 1, 8) || '-' || substr(d.end_to_end_id, 9, 4)
                || '-' || substr(d.end_to_end_id, 13, 4) || '-' || substr(d.end_to_end_id, 17, 4)
                || '-' || substr(d.end_to_end_id, 21, 12)
            )
    end as activity_id,
    case when e.signed_amount < 0 then d.creditor_name else d.debtor_name end as counterparty,
    coalesce(d.remittance_unstructured, e.additional_information) as remittance,
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
left join classified
    on
        classified.proprietary_code is not distinct from e.proprietary_code
        and classified.domain_code is not distinct from e.domain_code
        and classified.family_code is not distinct from e.family_code
        and classified.direction = e.direction
order by business_date, pocket_id, bank_transaction_key;
