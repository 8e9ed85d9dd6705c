-- Treasury's bill arithmetic for queries, the same as jiko_pipeline.tbill: 31 CFR 356 Appendix B section VI (price and
-- rates), ANSI X9.6 (CUSIP), ISO 6166 (ISIN). Prices are per 100 of face with six decimals, rates in percent. Integers
-- as far as they reach: only the square root of the investment rate beyond half a year is taken in double precision.
-- Only functions that DuckDB 1.2 and later share.
create or replace macro meta.tbill_price(discount_rate_percent, days) as
    cast(
        cast(
            100000000 - (50 * cast(cast(discount_rate_percent as decimal(18, 3)) * 1000 as bigint) * days + 9) // 18
            as decimal(18, 0)
        ) * 0.000001
        as decimal(12, 6)
    );
comment on macro meta.tbill_price is
    'Price per 100 of a bank discount rate in percent (three decimals) and days to maturity, as Treasury rounds it.';

create or replace macro meta.tbill_discount_rate_percent(price, days) as
    case when days > 0 then cast(
        cast(
            (2 * (100000000 - cast(cast(price as decimal(18, 6)) * 1000000 as hugeint)) * 360 + days) // (2 * days)
            as decimal(18, 0)
        ) * 0.000001
        as decimal(18, 6)
    ) end;
comment on macro meta.tbill_discount_rate_percent is
    'Bank discount rate in percent, six decimals, of a price per 100 and days to maturity; null at and after maturity.';

create or replace macro meta.tbill_year_basis(issue_date) as
    case
        when month(issue_date) = 2 and day(issue_date) = 29 then 366
        else date_diff('day', issue_date, cast(issue_date + interval 1 year as date))
    end;
comment on macro meta.tbill_year_basis is
    'Days of the year that follows a date: 366 when it holds a 29 February, else 365.';

create or replace macro meta.tbill_investment_rate_percent(price, days, basis) as
    case
        when days <= 0 or price <= 0 then null
        when 2 * days <= basis then cast(round(
            (100 - cast(price as double)) / cast(price as double) * basis / days * 100, 6
        ) as decimal(18, 6))
        when 2 * days > basis then cast(round(
            (
                sqrt(
                    pow(cast(days as double) / basis, 2)
                    - 4 * (cast(days as double) / basis / 2 - 0.25)
                        * (cast(price as double) - 100) / cast(price as double)
                )
                - cast(days as double) / basis
            ) / (2 * (cast(days as double) / basis / 2 - 0.25)) * 100, 6
        ) as decimal(18, 6))
    end;
comment on macro meta.tbill_investment_rate_percent is
    'Investment rate (coupon equivalent) in percent, six decimals, both branches; basis is meta.tbill_year_basis.';

create or replace macro meta.cusip_check_digit(first_eight) as (
    select cast((10 - sum(worth // 10 + worth % 10) % 10) % 10 as varchar)
    from (
        select
            (strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*@#', substr(first_eight, cast(place as bigint), 1)) - 1)
            * (2 - place % 2) as worth
        from range(1, 9) as places (place)
    )
);
comment on macro meta.cusip_check_digit is 'The ninth character of a CUSIP, of its first eight.';

create or replace macro meta.isin_of(cusip) as (
    select 'US' || cusip || cast((10 - sum(worth // 10 + worth % 10) % 10) % 10 as varchar)
    from (
        select
            cast(substr(reverse(digits), cast(place as bigint), 1) as bigint) * (1 + place % 2) as worth
        from (
            select string_agg(
                cast(
                    strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr('US' || cusip, cast(place as bigint), 1)) - 1
                    as varchar
                ), '' order by place
            ) as digits
            from range(1, 12) as places (place)
        ) as spelled
        cross join range(1, 23) as places (place)
        where place <= length(digits)
    )
);
comment on macro meta.isin_of is 'The US ISIN of a CUSIP: country code, CUSIP, Luhn digit.';
