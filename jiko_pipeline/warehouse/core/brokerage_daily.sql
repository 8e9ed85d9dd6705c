-- core.brokerage_daily: balances and flows of each brokerage statement, with the cash and the market value
-- that the position summary of the same pocket and day states. Built after core.brokerage_flow.
insert into core.brokerage_daily by name
with
    statements as (
        select
            s.*,
            min(s.statement_seq) over (partition by s.customer_id, s.scope_pocket_id, s.scope_date) as first_seq,
            max(s.statement_seq) over (partition by s.customer_id, s.scope_pocket_id, s.scope_date) as last_seq
        from staging.statement as s
        where
            s.customer_id = getvariable('build_customer')
            and s.document_kind = 'BROKERAGE_STATEMENT'
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
            and b.document_kind = 'BROKERAGE_STATEMENT'
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
            ) as opening_value
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
            ) as closing_value
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

    flows as (
        select
            f.customer_id,
            f.pocket_id,
            f.business_date,
            sum(f.signed_amount) filter (where f.flow = 'ADDITION') as additions,
            -sum(f.signed_amount) filter (where f.flow = 'SUBTRACTION') as subtractions,
            sum(f.signed_amount) filter (where f.flow = 'GAIN_LOSS') as gains,
            -sum(f.signed_amount) filter (where f.flow = 'FEE') as fees,
            sum(f.signed_amount) filter (where f.flow is null) as unknown_flows,
            sum(f.signed_amount) as booked_net
        from core.brokerage_flow as f
        where
            f.customer_id = getvariable('build_customer')
            and f.business_date between getvariable('build_first') and getvariable('build_last')
        group by f.customer_id, f.pocket_id, f.business_date
    ),

    position_values as (
        select p.customer_id, p.scope_pocket_id, p.scope_date, sum(p.market_value) as market_value
        from staging.position as p
        where
            p.customer_id = getvariable('build_customer')
            and p.document_kind = 'POSITION'
            and p.scope_date between getvariable('build_first') and getvariable('build_last')
            and p.known_to_utc is null
        group by p.customer_id, p.scope_pocket_id, p.scope_date
    ),

    position_cash as (
        select c.customer_id, c.scope_pocket_id, c.scope_date, sum(c.cash) as cash_balance
        from staging.position_cash as c
        where
            c.customer_id = getvariable('build_customer')
            and c.document_kind = 'POSITION'
            and c.scope_date between getvariable('build_first') and getvariable('build_last')
            and c.known_to_utc is null
        group by c.customer_id, c.scope_pocket_id, c.scope_date
    ),

    summaries as (
        select
            scope.customer_id,
            scope.scope_pocket_id,
            scope.scope_date,
            coalesce(position_values.market_value, 0) as market_value,
            position_cash.cash_balance
        from build_scope as scope
        left join position_values
            on
                position_values.customer_id = scope.customer_id
                and position_values.scope_pocket_id = scope.scope_pocket_id
                and position_values.scope_date = scope.scope_date
        left join position_cash
            on
                position_cash.customer_id = scope.customer_id
                and position_cash.scope_pocket_id = scope.scope_pocket_id
                and position_cash.scope_date = scope.scope_date
        where scope.document_kind = 'POSITION'
    )

select
    s.customer_id,
    getvariable('build_entity') as legal_entity_id,
    s.scope_pocket_id as pocket_id,
    s.scope_date as business_date,
    openings.opening_value,
    coalesce(flows.additions, 0) as additions,
    coalesce(flows.subtractions, 0) as subtractions,
    coalesce(flows.gains, 0) as gains,
    coalesce(flows.fees, 0) as fees,
    coalesce(flows.unknown_flows, 0) as unknown_flows,
    closings.closing_value,
    coalesce(flows.booked_net, 0) as booked_net,
    summaries.cash_balance,
    summaries.market_value,
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
left join flows
    on
        flows.customer_id = s.customer_id
        and flows.pocket_id = s.scope_pocket_id
        and flows.business_date = s.scope_date
left join summaries
    on
        summaries.customer_id = s.customer_id
        and summaries.scope_pocket_id = s.scope_pocket_id
        and summaries.scope_date = s.scope_date
where s.statement_seq = s.first_seq and s.row_ordinal = 1
order by business_date, pocket_id;
