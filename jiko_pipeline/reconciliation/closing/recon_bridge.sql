-- From the previous closing value of the brokerage account to this one, line by line, for every pocket-day of
-- closing_day. The last line is the closing value less all others. Nothing on the way is taken from the gain that the
-- statement states: it is the bank's own entries, the trades, the positions at their prices, and the lots.
-- Transit is what left the bank and has not arrived at the broker: the sweeps of both statements against each other,
-- and what stayed on the bank account (and cash, where the confirmed closing value leaves it out).
-- A market value that is a cent off face x price is taken as stated (K36 allows it), any other is computed.
-- Lines are null where an input is missing, the basis is not confirmed, or the day is the pocket's first one in the
-- data and it is older.
-- Parameters: customer_id, legal_entity_id.
insert into mart.recon_bridge
with basis as (
    select effective_from, close_basis, fee_path from recon.basis where customer_id = $customer_id
),
first_document as (
    select scope_pocket_id as pocket_id, min(scope_date) as first_document_date
    from raw.delivery
    where customer_id = $customer_id
        and scope_pocket_id <> ''
        and document_kind in ('BROKERAGE_STATEMENT', 'POSITION')
    group by scope_pocket_id
),
day as (
    select
        closing_day.*,
        basis.close_basis,
        basis.fee_path,
        coalesce(
            pocket.opened_on > closing_day.previous_bd and pocket.opened_on <= closing_day.business_date, false
        ) as opens,
        first_document.first_document_date
    from closing_day
    asof left join basis on closing_day.business_date >= basis.effective_from
    left join core.pocket as pocket
        on pocket.customer_id = $customer_id and pocket.pocket_id = closing_day.pocket_id
    left join first_document on first_document.pocket_id = closing_day.pocket_id
),
bank_activity as (
    select
        pocket_id, business_date,
        sum(signed_amount) filter (where category in ('DEPOSIT', 'CREDIT', 'INTEREST')) as deposits,
        sum(signed_amount) filter (where category in ('PAYMENT', 'CARD')) as payments,
        sum(signed_amount) filter (where category in ('ONUS_IN', 'ONUS_OUT')) as on_us,
        sum(signed_amount) filter (where category in ('RETURN', 'ADJUSTMENT')) as returns,
        sum(signed_amount) filter (where category = 'FEE') as bank_fees,
        sum(signed_amount) filter (where category in ('SWEEP_OUT', 'SWEEP_IN')) as sweeps
    from core.bank_transaction
    where customer_id = $customer_id
    group by pocket_id, business_date
),
held as (
    select
        pocket_id, business_date,
        sum(
            case
                when abs(market_value - round(cast(face_amount as decimal(24, 2)) * price * 0.01, 2)) <= 0.01
                    then market_value
                else cast(round(cast(face_amount as decimal(24, 2)) * price * 0.01, 2) as decimal(38, 2))
            end
        ) as market_value
    from core.position_daily
    where customer_id = $customer_id
    group by pocket_id, business_date
),
traded as (
    select
        day.pocket_id, day.business_date,
        sum(flow.notional) filter (where flow.direction = -1) as proceeds,
        sum(flow.direction * flow.notional) filter (where flow.is_in_kind) as in_kind
    from day
    join closing_flow as flow
        on flow.pocket_id = day.pocket_id
        and flow.effective_on > day.previous_bd
        and flow.effective_on <= day.business_date
    group by day.pocket_id, day.business_date
),
carried as (
    select
        pocket_id, business_date,
        sum(carried_before) as carried_before, sum(carried_after) as carried_after,
        sum(accreted) as accreted, sum(relieved) as relieved
    from closing_carried
    group by pocket_id, business_date
),
facts as (
    select
        day.*,
        statement.opening_value, statement.closing_value, statement.fees,
        statement.additions - statement.subtractions as net_additions,
        case when day.opens then cast(0 as decimal(38, 2)) else before.closing_value end as previous_close,
        coalesce(bank_activity.deposits, 0) as deposits,
        coalesce(bank_activity.payments, 0) as payments,
        coalesce(bank_activity.on_us, 0) as on_us,
        coalesce(bank_activity.returns, 0) as returns,
        coalesce(bank_activity.bank_fees, 0) as bank_fees,
        coalesce(bank_activity.sweeps, 0) as sweeps,
        bank.opening_balance - bank.closing_balance as taken_from_bank,
        coalesce(traded.proceeds, 0) as proceeds,
        coalesce(traded.in_kind, 0) as in_kind,
        statement.cash_balance - case when day.opens then 0 else before.cash_balance end as cash_change,
        case when day.fee_path = 'BANK' then statement.fees else 0 end as fees_through_bank,
        closing_money(carried.accreted) as accretion,
        closing_money(carried.relieved) as relieved,
        coalesce(held.market_value, 0) - closing_money(carried.carried_after) as unrealised,
        coalesce(held_before.market_value, 0) - closing_money(carried.carried_before) as unrealised_before,
        day.close_basis is not null
            and bank.pocket_id is not null
            and (day.opens or day.first_document_date < day.business_date) as is_buildable
    from day
    left join core.brokerage_daily as statement
        on statement.customer_id = $customer_id
        and statement.pocket_id = day.pocket_id and statement.business_date = day.business_date
    left join core.brokerage_daily as before
        on before.customer_id = $customer_id
        and before.pocket_id = day.pocket_id and before.business_date = day.previous_bd
    left join core.bank_daily as bank
        on bank.customer_id = $customer_id
        and bank.pocket_id = day.pocket_id and bank.business_date = day.business_date
    left join bank_activity
        on bank_activity.pocket_id = day.pocket_id and bank_activity.business_date = day.business_date
    left join traded on traded.pocket_id = day.pocket_id and traded.business_date = day.business_date
    left join held on held.pocket_id = day.pocket_id and held.business_date = day.business_date
    left join held as held_before
        on held_before.pocket_id = day.pocket_id and held_before.business_date = day.previous_bd
    left join carried
        on carried.pocket_id = day.pocket_id and carried.business_date = day.business_date
),
-- cash_change is null when a position summary is missing on either day: nothing can then be said of the bills
stated as (
    select facts.*, is_buildable and cash_change is not null as is_told from facts
),
line as (
    select pocket_id, business_date, 1 as line_no, 'opening' as label, previous_close as amount from stated
    union all
    select pocket_id, business_date, 2, 'deposits', case when is_told then deposits end from stated
    union all
    select pocket_id, business_date, 3, 'payments', case when is_told then payments end from stated
    union all
    select pocket_id, business_date, 4, 'on-us', case when is_told then on_us end from stated
    union all
    select pocket_id, business_date, 5, 'returns', case when is_told then returns end from stated
    union all
    select pocket_id, business_date, 6, 'in-kind in and out', case when is_told then in_kind end from stated
    union all
    select pocket_id, business_date, 7, 'transit',
        case when is_told then
            net_additions - in_kind - fees_through_bank + sweeps + taken_from_bank
                - case when close_basis = 'MV' then cash_change else 0 end
        end
    from stated
    union all
    select pocket_id, business_date, 8, 'accretion', case when is_told then accretion end from stated
    union all
    select pocket_id, business_date, 9, 'realised gain', case when is_told then proceeds - relieved end from stated
    union all
    select pocket_id, business_date, 10, 'change in unrealised',
        case when is_told then unrealised - unrealised_before end
    from stated
    union all
    select pocket_id, business_date, 11, 'brokerage fees',
        case when is_told then fees_through_bank - fees end
    from stated
    union all
    select pocket_id, business_date, 12, 'bank fees', case when is_told then bank_fees end from stated
    union all
    select pocket_id, business_date, 13, 'restatement of opening',
        case when is_told then opening_value - previous_close end
    from stated
    union all
    select pocket_id, business_date, 14, 'closing', closing_value from stated
),
left_over as (
    select
        pocket_id, business_date, 15 as line_no, 'unexplained' as label,
        case when count(amount) = 14 then sum(case when line_no = 14 then amount else -amount end) end as amount
    from line
    group by pocket_id, business_date
)
select $customer_id, $legal_entity_id, pocket_id, business_date, line_no, label, cast(amount as decimal(38, 2))
from (select * from line union all select * from left_over)
order by business_date, pocket_id, line_no
