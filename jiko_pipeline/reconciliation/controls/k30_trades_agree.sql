-- id: K30
-- version: 1.0
-- title: Every purchase and sale of the trades listing stands in the trade report, field by field, and the reverse.
-- key: pocket, date, trade
-- identity: trades of the API (BUY, SELL) = rows of TRADE_REPORT, by reference, in each form that was delivered
-- tolerance: 0
-- hides: a book, settlement or maturity date that one of the two sources leaves empty; maturities, which the report never has
-- codes: TRD_API_ONLY = MISSING, TRD_RPT_ONLY = MISSING, TRD_FIELD = AMOUNT
-- severity: S1
-- evidence: INTRA_PROVIDER
-- inputs: TRADE_REPORT_CSV, TRADE_REPORT_KYRIBA_CSV, API_TRADES
-- chained: no
-- gate: no
-- required: yes
with delivered as (
    select distinct document_kind, business_date
    from delivery
    where is_current
),
-- a trade dated on a day that is no business day is judged on the next one
covered_day as (
    select
        c.business_date as trade_date,
        case when c.is_fed_business_day then c.business_date else c.next_bd end as business_date,
        csv_report.business_date is not null as has_csv,
        kyriba_report.business_date is not null as has_kyriba,
        listing.business_date is not null as has_api
    from calendar c
    left join delivered csv_report
        on csv_report.document_kind = 'TRADE_REPORT_CSV' and csv_report.business_date = c.business_date
    left join delivered kyriba_report
        on kyriba_report.document_kind = 'TRADE_REPORT_KYRIBA_CSV' and kyriba_report.business_date = c.business_date
    left join delivered listing
        on listing.document_kind = 'API_TRADES' and listing.business_date = c.business_date
),
form as (
    select 'CSV' as output_format
    union all
    select 'KYRIBA_CSV' as output_format
),
listed as (
    select f.output_format, t.trade_id, t.pocket_id, t.activity, t.cusip, t.quantity, t.price, t.notional,
        t.trade_date, t.settlement_date, t.book_date, t.maturity_date
    from trade t
    join covered_day d on d.trade_date = t.trade_date
    cross join form f
    where t.activity in ('BUY', 'SELL')
        and d.has_api
        and ((f.output_format = 'CSV' and d.has_csv) or (f.output_format = 'KYRIBA_CSV' and d.has_kyriba))
),
reported as (
    select r.output_format, r.trade_reference, r.pocket_id, r.side, r.cusip, r.quantity, r.price, r.amount,
        r.trade_date, r.settlement_date, r.book_date, r.maturity_date
    from trade_report r
    join covered_day d on d.trade_date = r.trade_date
    where d.has_api
        and ((r.output_format = 'CSV' and d.has_csv) or (r.output_format = 'KYRIBA_CSV' and d.has_kyriba))
),
-- without a common reference: the same attributes, and only one such trade on either side
listed_alone as (
    select l.*, count(*) over (
        partition by l.output_format, l.pocket_id, l.activity, l.cusip, l.trade_date, l.quantity, l.price
    ) as alike
    from listed l
    left join reported r on r.output_format = l.output_format and r.trade_reference = l.trade_id
    where r.trade_reference is null
),
reported_alone as (
    select r.*, count(*) over (
        partition by r.output_format, r.pocket_id, r.side, r.cusip, r.trade_date, r.quantity, r.price
    ) as alike
    from reported r
    left join listed l on l.output_format = r.output_format and l.trade_id = r.trade_reference
    where l.trade_id is null
),
by_attributes as (
    select l.output_format, l.trade_id, r.trade_reference
    from listed_alone l
    join reported_alone r
        on r.output_format = l.output_format and r.pocket_id = l.pocket_id and r.side = l.activity
        and r.cusip = l.cusip and r.trade_date = l.trade_date and r.quantity = l.quantity and r.price = l.price
    where l.alike = 1 and r.alike = 1
),
paired_report as (
    select r.*, coalesce(a.trade_id, r.trade_reference) as match_id
    from reported r
    left join by_attributes a on a.output_format = r.output_format and a.trade_reference = r.trade_reference
),
compared as (
    select
        coalesce(l.trade_id, r.match_id) as entity_key,
        coalesce(l.output_format, r.output_format) as output_format,
        coalesce(l.pocket_id, r.pocket_id) as pocket_id,
        coalesce(l.trade_date, r.trade_date) as trade_date,
        l.notional as listed_amount,
        r.amount as reported_amount,
        case when r.match_id is null then 1 when l.trade_id is null then 2 else 0 end as side_missing,
        case when l.trade_id is null or r.match_id is null then '' else
            case when l.pocket_id is distinct from r.pocket_id then ',pocket_id' else '' end
            || case when l.activity is distinct from r.side then ',side' else '' end
            || case when l.cusip is distinct from r.cusip then ',cusip' else '' end
            || case when l.trade_date is distinct from r.trade_date then ',trade_date' else '' end
            || case when l.quantity is distinct from r.quantity then ',quantity' else '' end
            || case when l.price is distinct from r.price then ',price' else '' end
            || case when l.notional is distinct from r.amount then ',amount' else '' end
            || case when l.settlement_date is not null and r.settlement_date is not null
                and l.settlement_date is distinct from r.settlement_date then ',settlement_date' else '' end
            || case when l.book_date is not null and r.book_date is not null
                and l.book_date is distinct from r.book_date then ',book_date' else '' end
            || case when l.maturity_date is not null and r.maturity_date is not null
                and l.maturity_date is distinct from r.maturity_date then ',maturity_date' else '' end
        end as fields
    from listed l
    full join paired_report r on r.output_format = l.output_format and r.match_id = l.trade_id
),
by_trade as (
    select
        x.entity_key,
        min(x.pocket_id) as pocket_id,
        min(d.business_date) as business_date,
        max(x.listed_amount) as listed_amount,
        max(x.reported_amount) as reported_amount,
        count(*) filter (where x.side_missing = 1) as forms_without_report,
        count(*) filter (where x.side_missing = 2) as forms_without_listing,
        max(x.fields) as fields,
        case
            when count(*) filter (where x.side_missing > 0 or x.fields is distinct from '') > 1 then 'CSV and KYRIBA_CSV'
            else max(case when x.side_missing > 0 or x.fields is distinct from '' then x.output_format else '' end)
        end as forms
    from compared x
    join covered_day d on d.trade_date = x.trade_date
    group by x.entity_key
),
judged_trade as (
    select j.pocket_id, j.business_date, t.entity_key, t.listed_amount, t.reported_amount, t.fields, t.forms,
        case
            when t.forms_without_report > 0 then 'TRD_API_ONLY'
            when t.forms_without_listing > 0 then 'TRD_RPT_ONLY'
            when t.fields is distinct from '' then 'TRD_FIELD'
            else ''
        end as code
    from by_trade t
    join judged_day j on j.pocket_id = t.pocket_id and j.business_date = t.business_date
),
quiet_day as (
    select j.pocket_id, j.business_date,
        case when d.has_api and (d.has_csv or d.has_kyriba) then 'NO_ACTIVITY' else 'NO_INPUT' end as reason
    from judged_day j
    join covered_day d on d.trade_date = j.business_date
    left join (select distinct pocket_id, business_date from judged_trade) t
        on t.pocket_id = j.pocket_id and t.business_date = j.business_date
    where t.pocket_id is null
)
select
    pocket_id,
    business_date,
    entity_key,
    case when code = '' then 'PASS' else 'BREAK' end as status,
    code,
    case when code = 'TRD_FIELD' then substr(fields, 2) else '' end as sub_code,
    '' as reason,
    cast(listed_amount as decimal(38, 6)) as left_value,
    cast(reported_amount as decimal(38, 6)) as right_value,
    cast(coalesce(listed_amount, cast(0 as decimal(38, 2)))
        - coalesce(reported_amount, cast(0 as decimal(38, 2))) as decimal(38, 6)) as difference,
    case code
        when 'TRD_API_ONLY' then 'Trade ' || entity_key || ' stands in the trades listing but not in the trade report (' || forms || ').'
        when 'TRD_RPT_ONLY' then 'Trade ' || entity_key || ' stands in the trade report (' || forms || ') but not in the trades listing.'
        when 'TRD_FIELD' then 'Trade ' || entity_key || ' differs between listing and report (' || forms || ') in ' || substr(fields, 2) || '.'
        else ''
    end as detail
from judged_trade
union all
select
    pocket_id,
    business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    '' as detail
from quiet_day
