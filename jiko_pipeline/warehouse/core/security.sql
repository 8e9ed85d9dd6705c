-- core.security: each bill of the reference lists, Treasury's own list first. Needs build_isin (cusip, isin).
select
    r.cusip,
    min(build_isin.isin) as isin,
    'United States Treasury' as issuer,
    'TBILL' as security_type,
    min(r.maturity_date) as maturity_date,
    min(r.issue_date) as first_issue_date,
    cast(count(distinct r.maturity_date) as integer) as maturity_dates,
    cast(100 as decimal(38, 2)) as denomination,
    case when bool_or(r.reference_source = 'TREASURY') then 'TREASURY' else 'SIMULATED' end as reference_source
from staging.security_reference as r
left join build_isin on build_isin.cusip = r.cusip
where r.known_to_utc is null
group by r.cusip
