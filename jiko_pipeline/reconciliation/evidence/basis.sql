-- basis: how the bank books, for each calendar day on which a basis is confirmed.
select
    calendar.business_date,
    basis.pos_basis,
    basis.cash_basis,
    basis.close_basis,
    basis.gain_basis,
    basis.quantity_factor,
    basis.fee_path,
    basis.mark_settlement
from core.calendar as calendar
join (
    select
        confirmed.*,
        lead(effective_from) over (order by effective_from) as superseded_from
    from recon.basis as confirmed
    where confirmed.customer_id = getvariable('customer_id')
) as basis
    on calendar.business_date >= basis.effective_from
    and (basis.superseded_from is null or calendar.business_date < basis.superseded_from)
where calendar.business_date between getvariable('history_first') and getvariable('following_last')
