-- id: K03
-- version: 1.0
-- title: Every document could be read whole, and holds as many entries and as much money as it declares.
-- key: pocket, date, document
-- identity: rows in the document = rows taken + rows rejected; entries and net declared = entries and net read
-- tolerance: 0
-- hides: a fault inside a document that declares no counts and no sums
-- codes: DOC_CORRUPT = DATA_QUALITY, ROW_REJECTED = DATA_QUALITY, COUNT_MISMATCH = DATA_QUALITY
-- severity: S1
-- evidence: ARITHMETIC
-- inputs: BANK_STATEMENT, BROKERAGE_STATEMENT, POSITION, SECURITY_PRICE, TRADE_REPORT_CSV,
--   TRADE_REPORT_KYRIBA_CSV, API_TRANSACTIONS, API_TRADES
-- chained: no
-- gate: yes
-- required: yes
with kept_aside as (
    select
        document_kind,
        pocket_id,
        business_date,
        count(*) filter (where is_whole_document) as documents,
        count(*) as rejected_rows,
        min(message) as message
    from quarantined
    group by document_kind, pocket_id, business_date
),
arrived as (
    select document_kind, pocket_id, business_date, count(*) as copies
    from delivery
    group by document_kind, pocket_id, business_date
),
counted as (
    select
        document_kind,
        pocket_id,
        business_date,
        max(rows_in_document) as rows_in_document,
        sum(rows_in_document - rows_loaded - rows_rejected) as rows_lost
    from document_fact
    group by document_kind, pocket_id, business_date
),
subject as (
    select pocket_id, business_date, document_kind, scope_pocket_id, scope_date
    from expected_document
    union
    select
        judged_day.pocket_id,
        judged_day.business_date,
        kept_aside.document_kind,
        kept_aside.pocket_id as scope_pocket_id,
        kept_aside.business_date as scope_date
    from kept_aside
    join judged_day
        on kept_aside.business_date <= judged_day.business_date
        and kept_aside.business_date > judged_day.previous_bd
        and (kept_aside.pocket_id = '' or kept_aside.pocket_id = judged_day.pocket_id)
    where kept_aside.document_kind in (
        'BANK_STATEMENT', 'BROKERAGE_STATEMENT', 'POSITION', 'SECURITY_PRICE', 'TRADE_REPORT_CSV',
        'TRADE_REPORT_KYRIBA_CSV', 'API_TRANSACTIONS', 'API_TRADES'
    )
),
compared as (
    select
        subject.pocket_id,
        subject.business_date,
        subject.document_kind,
        case
            when subject.scope_date is distinct from subject.business_date
                then subject.document_kind || ' ' || cast(subject.scope_date as string)
            else subject.document_kind
        end as entity_key,
        arrived.copies,
        kept_aside.documents as corrupt_documents,
        kept_aside.rejected_rows,
        kept_aside.message,
        counted.rows_in_document,
        counted.rows_lost,
        statement_fact.summary_entries,
        statement_fact.entries,
        statement_fact.summary_net_amount,
        statement_fact.entries_net
    from subject
    left join arrived
        on arrived.document_kind = subject.document_kind
        and arrived.pocket_id = subject.scope_pocket_id
        and arrived.business_date = subject.scope_date
    left join kept_aside
        on kept_aside.document_kind = subject.document_kind
        and kept_aside.pocket_id = subject.scope_pocket_id
        and kept_aside.business_date = subject.scope_date
    left join counted
        on counted.document_kind = subject.document_kind
        and counted.pocket_id = subject.scope_pocket_id
        and counted.business_date = subject.scope_date
    left join statement_fact
        on statement_fact.document_kind = subject.document_kind
        and statement_fact.pocket_id = subject.scope_pocket_id
        and statement_fact.business_date = subject.scope_date
),
judged as (
    select
        compared.*,
        case
            when corrupt_documents > 0 then 'CORRUPT'
            when rejected_rows > 0 then 'REJECTED'
            when copies is null then 'ABSENT'
            when rows_lost <> 0 then 'ROWS'
            when summary_entries is not null and summary_entries is distinct from entries then 'ENTRIES'
            when summary_net_amount is not null and summary_net_amount is distinct from entries_net then 'NET'
            else 'WHOLE'
        end as finding
    from compared
)
select
    pocket_id,
    business_date,
    entity_key,
    case finding when 'WHOLE' then 'PASS' when 'ABSENT' then 'NOT_TESTED' else 'BREAK' end as status,
    case finding
        when 'CORRUPT' then 'DOC_CORRUPT'
        when 'REJECTED' then 'ROW_REJECTED'
        when 'ROWS' then 'COUNT_MISMATCH'
        when 'ENTRIES' then 'COUNT_MISMATCH'
        when 'NET' then 'COUNT_MISMATCH'
        else ''
    end as code,
    '' as sub_code,
    case when finding = 'ABSENT' then 'NO_INPUT' else '' end as reason,
    cast(case finding
        when 'CORRUPT' then 1
        when 'REJECTED' then coalesce(rows_in_document, 0)
        when 'ROWS' then rows_in_document
        when 'ENTRIES' then summary_entries
        when 'NET' then summary_net_amount
    end as decimal(38, 2)) as left_value,
    cast(case finding
        when 'CORRUPT' then 0
        when 'REJECTED' then coalesce(rows_in_document, 0) - rejected_rows
        when 'ROWS' then rows_in_document - rows_lost
        when 'ENTRIES' then entries
        when 'NET' then entries_net
    end as decimal(38, 2)) as right_value,
    cast(case finding
        when 'CORRUPT' then 1
        when 'REJECTED' then rejected_rows
        when 'ROWS' then rows_lost
        when 'ENTRIES' then summary_entries - entries
        when 'NET' then summary_net_amount - entries_net
    end as decimal(38, 2)) as difference,
    case finding
        when 'CORRUPT' then 'The ' || lower(replace(document_kind, '_', ' ')) || ' is kept aside: ' || message
        when 'REJECTED'
            then cast(rejected_rows as string) || ' row(s) of the '
                || lower(replace(document_kind, '_', ' ')) || ' are kept aside: ' || message
        when 'ROWS'
            then cast(rows_lost as string) || ' row(s) of the '
                || lower(replace(document_kind, '_', ' ')) || ' went nowhere.'
        when 'ENTRIES'
            then 'The statement declares ' || cast(summary_entries as string) || ' entries and holds '
                || cast(entries as string) || '.'
        when 'NET'
            then 'The statement declares a net of ' || cast(summary_net_amount as string)
                || ' and its entries come to ' || cast(entries_net as string) || '.'
        when 'ABSENT' then 'There is no document to read.'
        else ''
    end as detail
from judged
union all
select
    judged_day.pocket_id,
    judged_day.business_date,
    '' as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    'NO_INPUT' as reason,
    null as left_value,
    null as right_value,
    null as difference,
    'No document is expected and none is there.' as detail
from judged_day
left join (select distinct pocket_id, business_date from subject) as spoken
    on spoken.pocket_id = judged_day.pocket_id
    and spoken.business_date = judged_day.business_date
where spoken.pocket_id is null
