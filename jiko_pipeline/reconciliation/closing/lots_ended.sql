-- Takes away the lots that this build states anew: those not used up before its first day, as they were stated or as
-- they are now. Parameters: customer_id, first.
delete from core.lot
where customer_id = $customer_id
    and (
        exhausted_on is null
        or exhausted_on >= $first
        or (pocket_id, cusip, lot_id) in (
            select (pocket_id, cusip, case when trade_id = '' then 'TAKE-ON' else trade_id end)
            from closing_lot
            where exhausted_on is null or exhausted_on >= $first
        )
    )
