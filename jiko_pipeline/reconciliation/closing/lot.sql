-- core.lot: every lot that was not used up before the first day of this build, with its terms at purchase.
-- A lot is a cash equivalent when its maturity is at most three calendar months after its settlement.
-- Parameters: customer_id, legal_entity_id, first.
insert into core.lot by name
with priced as (
    select
        lot.*,
        date_diff('day', accretes_from, maturity_date) as days_at_purchase,
        cast(round(cast(cost_cents as double) / face_cents * 100, 6) as decimal(12, 6)) as cost_per_100
    from closing_lot as lot
    where exhausted_on is null or exhausted_on >= $first
)
select
    $customer_id as customer_id,
    $legal_entity_id as legal_entity_id,
    pocket_id,
    cusip,
    case when trade_id = '' then 'TAKE-ON' else trade_id end as lot_id,
    lot_source,
    acquired_on,
    accretes_from as settled_on,
    maturity_date,
    cast(quantity as bigint) as quantity,
    closing_money(face_cents) as face_amount,
    closing_money(cost_cents) as historical_cost,
    cost_per_100,
    days_at_purchase,
    meta.tbill_discount_rate_percent(cost_per_100, days_at_purchase) as discount_rate_percent,
    meta.tbill_investment_rate_percent(cost_per_100, days_at_purchase, meta.tbill_year_basis(accretes_from))
        as investment_rate_percent,
    maturity_date <= cast(accretes_from + interval 3 month as date) as is_cash_equivalent,
    exhausted_on
from priced
order by pocket_id, cusip, acquired_on, lot_id
