-- core.income_daily: what each bill earned in each pocket from the previous close to this one.
-- total_gain = closing value - opening value - bought + proceeds, and it is accretion (time) plus price effect (rate):
-- price_effect = realised_gain + unrealised_change, both against amortised cost straight-line. Proceeds are sales,
-- repayments at maturity and what left in kind. The gains against historical cost are given for both methods of relief:
-- first in first out from the lots, and the average of the cost that the bank stated at the previous close.
-- Null where the position summary of one of the two closes is not there.
-- Parameters: customer_id, legal_entity_id.
insert into core.income_daily by name
with summary as (
    select distinct scope_pocket_id as pocket_id, scope_date as business_date
    from raw.delivery
    where customer_id = $customer_id and document_kind = 'POSITION' and is_current
),
value as (
    select pocket_id, business_date, cusip, quantity, market_value, historical_cost
    from core.position_daily
    where customer_id = $customer_id
),
traded as (
    select
        day.pocket_id, day.business_date, flow.cusip,
        sum(flow.notional) filter (where flow.direction = 1) as bought,
        sum(flow.quantity) filter (where flow.direction = 1) as bought_quantity,
        sum(flow.notional) filter (where flow.direction = -1) as proceeds,
        sum(flow.quantity) filter (where flow.direction = -1) as relieved_quantity
    from closing_day as day
    join closing_flow as flow
        on flow.pocket_id = day.pocket_id
        and flow.effective_on > day.previous_bd
        and flow.effective_on <= day.business_date
    where flow.cusip is not null
    group by day.pocket_id, day.business_date, flow.cusip
),
named as (
    select day.pocket_id, day.business_date, day.previous_bd, value.cusip
    from closing_day as day
    join value on value.pocket_id = day.pocket_id and value.business_date in (day.previous_bd, day.business_date)
    union
    select day.pocket_id, day.business_date, day.previous_bd, traded.cusip
    from closing_day as day
    join traded on traded.pocket_id = day.pocket_id and traded.business_date = day.business_date
),
bill as (
    select
        named.pocket_id,
        named.business_date,
        named.cusip,
        here.pocket_id is not null
            and (earlier.pocket_id is not null or coalesce(origin.opens_empty and origin.start_date = named.business_date, false))
            as is_told,
        coalesce(before.market_value, 0) as opening_market_value,
        coalesce(after.market_value, 0) as closing_market_value,
        coalesce(before.quantity, 0) as opening_quantity,
        before.historical_cost as opening_cost,
        coalesce(traded.bought, 0) as bought,
        coalesce(traded.bought_quantity, 0) as bought_quantity,
        coalesce(traded.proceeds, 0) as proceeds,
        coalesce(traded.relieved_quantity, 0) as relieved_quantity,
        closing_money(carried.accreted) as accretion,
        closing_money(carried.effective_accreted) as accretion_effective,
        closing_money(carried.relieved) as relieved,
        closing_money(carried.historical_relieved) as relieved_fifo,
        closing_money(carried.carried_before) as carried_before,
        closing_money(carried.carried_after) as carried_after
    from named
    left join summary as here
        on here.pocket_id = named.pocket_id and here.business_date = named.business_date
    left join summary as earlier
        on earlier.pocket_id = named.pocket_id and earlier.business_date = named.previous_bd
    left join closing_origin as origin on origin.pocket_id = named.pocket_id
    left join value as before
        on before.pocket_id = named.pocket_id and before.business_date = named.previous_bd and before.cusip = named.cusip
    left join value as after
        on after.pocket_id = named.pocket_id and after.business_date = named.business_date and after.cusip = named.cusip
    left join traded
        on traded.pocket_id = named.pocket_id and traded.business_date = named.business_date
        and traded.cusip = named.cusip
    left join closing_carried as carried
        on carried.pocket_id = named.pocket_id and carried.business_date = named.business_date
        and carried.cusip = named.cusip
)
select
    $customer_id as customer_id,
    $legal_entity_id as legal_entity_id,
    pocket_id,
    business_date,
    cusip,
    opening_market_value,
    bought,
    proceeds,
    closing_market_value,
    case when is_told then closing_market_value - opening_market_value - bought + proceeds end as total_gain,
    case when is_told then accretion end as discount_accretion_sl,
    case when is_told then accretion_effective end as discount_accretion_effective,
    case when is_told then closing_market_value - opening_market_value - bought + proceeds - accretion end as price_effect,
    case when is_told then proceeds - relieved end as realised_gain,
    case when is_told then (closing_market_value - carried_after) - (opening_market_value - carried_before) end
        as unrealised_change,
    case when is_told and relieved_quantity > 0 then proceeds - relieved_fifo end as realised_gain_fifo,
    case
        when is_told and relieved_quantity > 0 and opening_quantity + bought_quantity > 0
            and (opening_cost is not null or opening_quantity = 0)
            then proceeds - cast(
                cast(
                    (
                        2 * cast(relieved_quantity as hugeint)
                            * cast((coalesce(opening_cost, 0) + bought) * 100 as hugeint)
                        + opening_quantity + bought_quantity
                    ) // (2 * cast(opening_quantity + bought_quantity as hugeint))
                    as decimal(30, 0)
                ) * 0.01 as decimal(38, 2)
            )
    end as realised_gain_average
from bill
order by business_date, pocket_id, cusip
