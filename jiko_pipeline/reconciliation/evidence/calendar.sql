-- calendar: every day of the time that judging looks at, a fortnight before it, and after it as far as the bills
-- that may be held then mature.
select
    business_date,
    is_fed_business_day,
    is_sifma_full_close,
    is_trading_day,
    next_fed_business_day as next_bd,
    previous_fed_business_day as previous_bd,
    bd_idx
from core.calendar
where business_date between getvariable('history_first') - 14 and getvariable('following_last') + 400
