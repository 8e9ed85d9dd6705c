-- core.bank_daily: the balances of each bank statement that is current and not in quarantine.
-- Opening is OPBD, else PRCD, else the first ITBD of the first statement; closing is CLBD, else the last
-- ITBD of the last statement (a day that a bank splits into several statements stays one day).
insert into core.bank_daily by name
with
    statements as (
        select
            s.*,
            min(s.statement_seq) over (partition by s.customer_id, s.scope_pocket_id, s.scope_date) as first_seq,
            max(s.statement_seq) over (partition by s.customer_id, s.scope_pocket_id, s.scope_date) as last_seq,
            count(*) over (partition by s.customer_id, s.scope_pocket_id, s.scope_date) as statements
        from staging.statement as s
        where
            s.customer_id = getvariable('build_customer')
            and s.document_kind = 'BANK_STATEMENT'
            and s.scope_date between getvariable('build_first') and getvariable('build_last')
            and s.known_to_utc is null
    ),

    balances as (
        select
            b.customer_id,
            b.scope_pocket_id,
            b.scope_date,
            b.statement_seq,
            b.balance_seq,
            b.balance_code,
            b.signed_amount
        from staging.statement_balance as b
        where
            b.customer_id = getvariable('build_customer')
            and b.document_kind = 'BANK_STATEMENT'
            and b.scope_date between getvariable('build_first') and getvariable('build_last')
            and b.known_to_utc is null
    ),

    openings as (
        select
            s.customer_id,
            s.scope_pocket_id,
            s.scope_date,
            arg_min(
                b.signed_amount,
                (case b.balance_code when 'OPBD' then 1 when 'PRCD' then 2 else 3 end, b.balance_seq)
            ) as opening_balance
        from statements as s
        inner join balances as b
            on
                b.customer_id = s.customer_id
                and b.scope_pocket_id = s.scope_pocket_id
                and b.scope_date = s.scope_date
                and b.statement_seq = s.statement_seq
        where s.statement_seq = s.first_seq and b.balance_code in ('OPBD', 'PRCD', 'ITBD')
        group by s.customer_id, s.scope_pocket_id, s.scope_date
    ),

    closings as (
        select
            s.customer_id,
            s.scope_pocket_id,
            s.scope_date,
            arg_min(
                b.signed_amount, (case b.balance_code when 'CLBD' then 1 else 2 end, -b.balance_seq)
            ) as closing_balance
        from statements as s
        inner join balances as b
            on
                b.customer_id = s.customer_id
                and b.scope_pocket_id = s.scope_pocket_id
                and b.scope_date = s.scope_date
                and b.statement_seq = s.statement_seq
        where s.statement_seq = s.last_seq and b.balance_code in ('CLBD', 'ITBD')
        group by s.customer_id, s.scope_pocket_id, s.scope_date
    ),

    booked as (
        select
            e.customer_id,
            e.scope_pocket_id,
            e.scope_date,
            count(*) as booked_entries,
            sum(e.signed_amount) as booked_net
        from staging.statement_entry as e
        where
            e.customer_id = getvariable('build_customer')
            and e.document_kind = 'BANK_STATEMENT'
            and e.scope_date between getvariable('build_first') and getvariable('build_last')
            and e.known_to_utc is null
            and coalesce(e.entry_status, 'BOOK') = 'BOOK'
        group by e.customer_id, e.scope_pocket_id, e.scope_date
    )

select
    s.customer_id,
    getvariable('build_entity') as legal_entity_id,
    s.scope_pocket_id as pocket_id,
    s.scope_date as business_date,
    openings.opening_balance,
    closings.closing_balance,
    coalesce(booked.booked_entries, 0) as booked_entries,
    coalesce(booked.booked_net, 0) as booked_net,
    s.statements,
    scope.finality,
    s.document_sha256,
    s.document_locator,
    s.known_from_utc
from statements as s
inner join build_scope as scope
    on
        scope.document_kind = s.document_kind
        and scope.customer_id = s.customer_id
        and scope.scope_pocket_id = s.scope_pocket_id
        and scope.scope_date = s.scope_date
left join openings
    on
        openings.customer_id = s.customer_id
        and openings.scope_pocket_id = s.scope_pocket_id
        and openings.scope_date = s.scope_date
left join closings
    on
        closings.customer_id = s.customer_id
        and closings.scope_pocket_id = s.scope_pocket_id
        and closings.scope_date = s.scope_date
left join booked
    on
        booked.customer_id = s.customer_id
        and booked.scope_pocket_id = s.scope_pocket_id
        and booked.scope_date = s.scope_date
where s.statement_seq = s.first_seq and s.row_ordinal = 1
order by business_date, pocket_id;
