-- core.holding_daily: each bill that a pocket holds at the end of a day, at the stated price and at amortised cost.
-- Rates are those of the stated price, from the day on which a mark settles by the confirmed basis (the business date
-- where none is confirmed). Amortised cost is that of the lots, and null where the lots hold another number of bills
-- than is stated. Parameters: customer_id, legal_entity_id.
insert into core.holding_daily by name
with basis as (
    select effective_from, mark_settlement from recon.basis where customer_id = $customer_id
),
held as (
    select
        position.*,
        date_diff(
            'day',
            case when basis.mark_settlement = 'T1' then calendar.next_fed_business_day else position.business_date end,
            position.maturity_date
        ) as days_of_mark,
        meta.tbill_year_basis(
            case when basis.mark_settlement = 'T1' then calendar.next_fed_business_day else position.business_date end
        ) as year_basis
    from core.position_daily as position
    join closing_day as day
        on day.pocket_id = position.pocket_id and day.business_date = position.business_date
    join core.calendar as calendar on calendar.business_date = position.business_date
    asof left join basis on position.business_date >= basis.effective_from
    where position.customer_id = $customer_id
),
cash_equivalent as (
    select
        lot_day.pocket_id, lot_day.business_date, lot_day.cusip,
        sum(lot_day.quantity_after) filter (
            where lot_day.maturity_date <= cast(lot_day.accretes_from + interval 3 month as date)
        ) as quantity
    from closing_lot_day as lot_day
    group by lot_day.pocket_id, lot_day.business_date, lot_day.cusip
)
select
    $customer_id as customer_id,
    $legal_entity_id as legal_entity_id,
    held.pocket_id,
    held.business_date,
    held.cusip,
    held.quantity,
    held.face_amount,
    held.price,
    held.market_value,
    held.historical_cost,
    case when carried.quantity_left = held.quantity then closing_money(carried.carried_after) end as amortised_cost,
    case when carried.quantity_left = held.quantity then closing_money(carried.effective_carried_after) end
        as amortised_cost_effective,
    case when carried.quantity_left = held.quantity
        then held.market_value - closing_money(carried.carried_after) end as unrealised_gain,
    held.maturity_date,
    date_diff('day', held.business_date, held.maturity_date) as days_to_maturity,
    meta.tbill_discount_rate_percent(held.price, held.days_of_mark) as discount_rate_percent,
    meta.tbill_investment_rate_percent(held.price, held.days_of_mark, held.year_basis) as investment_rate_percent,
    case when carried.quantity_left = held.quantity
        then cast(coalesce(cash_equivalent.quantity, 0) as bigint) end as cash_equivalent_quantity
from held
left join closing_carried as carried
    on carried.pocket_id = held.pocket_id
    and carried.business_date = held.business_date
    and carried.cusip = held.cusip
left join cash_equivalent
    on cash_equivalent.pocket_id = held.pocket_id
    and cash_equivalent.business_date = held.business_date
    and cash_equivalent.cusip = held.cusip
order by held.business_date, held.pocket_id, held.cusip
