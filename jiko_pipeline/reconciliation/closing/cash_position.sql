-- core.cash_position: what the treasury of a pocket can count on at the end of a day, and when. The ladder is face that
-- is repaid within so many days, each step including the ones before it; averages are weighted by market value.
-- Parameters: customer_id, legal_entity_id.
insert into core.cash_position by name
with held as (
    select
        pocket_id, business_date,
        sum(face_amount) as face_amount,
        sum(market_value) as market_value,
        sum(face_amount) filter (where days_to_maturity <= 1) as maturing_1d,
        sum(face_amount) filter (where days_to_maturity <= 7) as maturing_7d,
        sum(face_amount) filter (where days_to_maturity <= 30) as maturing_30d,
        sum(face_amount) filter (where days_to_maturity <= 90) as maturing_90d,
        min(maturity_date) as next_maturity_date,
        sum(cast(market_value as double) * days_to_maturity) / nullif(sum(cast(market_value as double)), 0) as days,
        sum(cast(market_value as double) * investment_rate_percent)
            / nullif(sum(cast(market_value as double)) filter (where investment_rate_percent is not null), 0) as rate,
        bool_and(cash_equivalent_quantity = quantity) as all_cash_equivalent,
        bool_and(cash_equivalent_quantity is not null) as is_classified,
        sum(cast(cash_equivalent_quantity as decimal(36, 0)) * 100) as cash_equivalent_face
    from core.holding_daily
    where customer_id = $customer_id
        and (pocket_id, business_date) in (select (pocket_id, business_date) from closing_day)
    group by pocket_id, business_date
)
select
    $customer_id as customer_id,
    $legal_entity_id as legal_entity_id,
    day.pocket_id,
    day.business_date,
    bank.closing_balance as bank_closing,
    statement.cash_balance as brokerage_cash,
    coalesce(held.market_value, 0) as tbill_market_value,
    bank.closing_balance + statement.cash_balance + coalesce(held.market_value, 0) as total,
    coalesce(held.face_amount, 0) as face_amount,
    coalesce(held.maturing_1d, 0) as maturing_1d,
    coalesce(held.maturing_7d, 0) as maturing_7d,
    coalesce(held.maturing_30d, 0) as maturing_30d,
    coalesce(held.maturing_90d, 0) as maturing_90d,
    held.next_maturity_date,
    cast(round(held.days, 6) as decimal(18, 6)) as weighted_average_maturity_days,
    cast(round(held.rate, 6) as decimal(18, 6)) as weighted_average_yield_percent,
    case when held.pocket_id is null then cast(0 as decimal(38, 2))
        when held.is_classified then cast(held.cash_equivalent_face as decimal(38, 2)) end as cash_equivalent_face,
    case when held.pocket_id is null then true when held.is_classified then held.all_cash_equivalent end
        as is_cash_equivalent
from closing_day as day
left join held on held.pocket_id = day.pocket_id and held.business_date = day.business_date
left join core.bank_daily as bank
    on bank.customer_id = $customer_id
    and bank.pocket_id = day.pocket_id and bank.business_date = day.business_date
left join core.brokerage_daily as statement
    on statement.customer_id = $customer_id
    and statement.pocket_id = day.pocket_id and statement.business_date = day.business_date
order by day.business_date, day.pocket_id
