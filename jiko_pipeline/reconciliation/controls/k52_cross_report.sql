-- id: K52
-- version: 1.0
-- title: The trade report in CSV and in the form for Kyriba state the same trades alike.
-- key: pocket, date, trade
-- identity: rows of TRADE_REPORT as CSV = rows of TRADE_REPORT as KYRIBA_CSV, by trade reference, field by field
-- tolerance: 0
-- hides: an error that both forms share; a field that one of the two leaves empty
-- codes: REPORT_DIFF = DATA_QUALITY
-- severity: S1
-- evidence: INTRA_PROVIDER
-- inputs: TRADE_REPORT_CSV, TRADE_REPORT_KYRIBA_CSV
-- chained: no
-- gate: no
-- required: no
with delivered as (
    select distinct document_kind, pocket_id, business_date
    from delivery
    where is_current
),
day as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        judged_day.previous_bd,
        max(case when delivered.document_kind = 'TRADE_REPORT_CSV' then 1 else 0 end) = 1
            and max(case when delivered.document_kind = 'TRADE_REPORT_KYRIBA_CSV' then 1 else 0 end) = 1 as has_both
    from judged_day
    left join delivered
        on delivered.business_date = judged_day.business_date
        and (delivered.pocket_id = judged_day.pocket_id or delivered.pocket_id = '')
    group by judged_day.pocket_id, judged_day.business_date, judged_day.previous_bd
),
as_csv as (
    select trade_report.*, day.business_date as judged_on
    from day
    join trade_report
        on trade_report.pocket_id = day.pocket_id
        and trade_report.trade_date > day.previous_bd
        and trade_report.trade_date <= day.business_date
    where day.has_both and trade_report.output_format = 'CSV'
),
as_kyriba as (
    select trade_report.*, day.business_date as judged_on
    from day
    join trade_report
        on trade_report.pocket_id = day.pocket_id
        and trade_report.trade_date > day.previous_bd
        and trade_report.trade_date <= day.business_date
    where day.has_both and trade_report.output_format = 'KYRIBA_CSV'
),
compared as (
    select
        coalesce(c.pocket_id, k.pocket_id) as pocket_id,
        coalesce(c.judged_on, k.judged_on) as business_date,
        coalesce(c.trade_reference, k.trade_reference) as trade_reference,
        c.trade_reference is null as only_kyriba,
        k.trade_reference is null as only_csv,
        c.amount as csv_amount,
        k.amount as kyriba_amount,
        case when c.trade_reference is null or k.trade_reference is null then '' else
            case when c.side is distinct from k.side then ' side' else '' end
            || case when c.cusip is distinct from k.cusip then ' cusip' else '' end
            || case when c.issue_date is not null and k.issue_date is not null and c.issue_date <> k.issue_date
                then ' issue_date' else '' end
            || case when c.maturity_date is not null and k.maturity_date is not null and c.maturity_date <> k.maturity_date
                then ' maturity_date' else '' end
            || case when c.trade_date is distinct from k.trade_date then ' trade_date' else '' end
            || case when c.settlement_date is not null and k.settlement_date is not null
                and c.settlement_date <> k.settlement_date then ' settlement_date' else '' end
            || case when c.book_date is not null and k.book_date is not null and c.book_date <> k.book_date
                then ' book_date' else '' end
            || case when c.quantity is distinct from k.quantity then ' quantity' else '' end
            || case when c.price is distinct from k.price then ' price' else '' end
            || case when c.amount is distinct from k.amount then ' amount' else '' end
        end as fields
    from as_csv c
    full join as_kyriba k
        on k.trade_reference = c.trade_reference and k.pocket_id = c.pocket_id and k.judged_on = c.judged_on
)
select
    pocket_id,
    business_date,
    trade_reference as entity_key,
    case when only_csv or only_kyriba or fields <> '' then 'BREAK' else 'PASS' end as status,
    case when only_csv or only_kyriba or fields <> '' then 'REPORT_DIFF' else '' end as code,
    trim(case when only_csv then 'CSV_ONLY' when only_kyriba then 'KYRIBA_ONLY' else fields end) as sub_code,
    '' as reason,
    csv_amount as left_value,
    kyriba_amount as right_value,
    coalesce(csv_amount, 0) - coalesce(kyriba_amount, 0) as difference,
    case
        when only_csv then 'The trade of ' || cast(csv_amount as string) || ' is in the CSV form only.'
        when only_kyriba then 'The trade of ' || cast(kyriba_amount as string) || ' is in the form for Kyriba only.'
        when fields <> '' then 'The two forms differ in:' || fields || '.'
        else ''
    end as detail
from compared
union all
select
    day.pocket_id,
    day.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    case when day.has_both then 'NO_ACTIVITY' else 'NO_INPUT' end as reason,
    cast(null as decimal(38, 2)) as left_value,
    cast(null as decimal(38, 2)) as right_value,
    cast(null as decimal(38, 2)) as difference,
    case when day.has_both then 'Neither form states a trade.' else 'One of the two forms is not there.' end as detail
from day
left join (select distinct pocket_id, business_date from compared) as spoken
    on spoken.pocket_id = day.pocket_id and spoken.business_date = day.business_date
where spoken.pocket_id is null
