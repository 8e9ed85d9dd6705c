-- id: K06
-- version: 1.0
-- title: What the bank has stated of a day that was over it does not state differently later.
-- key: pocket, date, document or row
-- identity: content of each later version = content of the one before it, less message ids, times of making, and what a
--   row goes through in its life
-- tolerance: 0
-- hides: a change between two fetches that was undone before the second; a change of status or wording
-- codes: RESTATED_PRE_CLOSE = RESTATEMENT S3, RESTATED_POST_SIGNOFF = RESTATEMENT, TX_VANISHED = RESTATEMENT,
--   TRADE_VANISHED = RESTATEMENT
-- severity: S1
-- evidence: INTRA_PROVIDER
-- inputs: BANK_STATEMENT, BROKERAGE_STATEMENT, POSITION, SECURITY_PRICE, TRADE_REPORT_CSV, TRADE_REPORT_KYRIBA_CSV,
--   API_TRANSACTIONS, API_TRADES
-- chained: no
-- gate: no
-- required: no
-- gated: no
-- A final form after a provisional one is no restatement. What is restated of a day that is no business day is told on
-- the next one; prices belong to every pocket.
with restated as (
    select
        judged_day.pocket_id,
        judged_day.business_date,
        restatement.document_kind,
        restatement.row_key,
        restatement.is_gone,
        restatement.what,
        restatement.restated_at_utc,
        row_number() over (
            partition by judged_day.pocket_id, judged_day.business_date, restatement.document_kind,
                restatement.row_key, restatement.business_date
            order by restatement.restated_at_utc desc
        ) as back_no,
        case when restatement.business_date = judged_day.business_date then ''
            else ' ' || cast(restatement.business_date as string) end as of_day
    from judged_day
    join restatement
        on restatement.business_date > judged_day.previous_bd
        and restatement.business_date <= judged_day.business_date
        and (restatement.pocket_id = judged_day.pocket_id or restatement.pocket_id = '')
),
signed as (
    select distinct
        restated.pocket_id, restated.business_date, restated.document_kind, restated.row_key, restated.of_day
    from restated
    join signed_period
        on (signed_period.pocket_id = restated.pocket_id or signed_period.pocket_id = '')
        and signed_period.first_date <= restated.business_date
        and signed_period.last_date >= restated.business_date
        and signed_period.signed_at_utc < restated.restated_at_utc
),
arrived as (
    select distinct judged_day.pocket_id, judged_day.business_date
    from judged_day
    join delivery
        on delivery.business_date = judged_day.business_date
        and (delivery.pocket_id = judged_day.pocket_id or delivery.pocket_id = '')
        and delivery.is_current
)
select
    restated.pocket_id,
    restated.business_date,
    trim(restated.document_kind || restated.of_day || ' ' || restated.row_key) as entity_key,
    'BREAK' as status,
    case
        when signed.pocket_id is not null then 'RESTATED_POST_SIGNOFF'
        when restated.is_gone and restated.document_kind = 'API_TRADES' then 'TRADE_VANISHED'
        when restated.is_gone then 'TX_VANISHED'
        else 'RESTATED_PRE_CLOSE'
    end as code,
    '' as sub_code,
    '' as reason,
    null as left_value,
    null as right_value,
    null as difference,
    'The ' || lower(replace(restated.document_kind, '_', ' ')) || ' was stated anew'
        || case when signed.pocket_id is not null then ' after the day was signed off' else '' end
        || ': ' || restated.what || '.' as detail
from restated
left join signed
    on signed.pocket_id = restated.pocket_id
    and signed.business_date = restated.business_date
    and signed.document_kind = restated.document_kind
    and signed.row_key = restated.row_key
    and signed.of_day = restated.of_day
where restated.back_no = 1
union all
select
    judged_day.pocket_id,
    judged_day.business_date,
    '' as entity_key,
    case when arrived.pocket_id is null then 'NOT_TESTED' else 'PASS' end as status,
    '' as code,
    '' as sub_code,
    case when arrived.pocket_id is null then 'NO_INPUT' else '' end as reason,
    null as left_value,
    null as right_value,
    null as difference,
    case when arrived.pocket_id is null then 'No document of the day is there.' else '' end as detail
from judged_day
left join arrived on arrived.pocket_id = judged_day.pocket_id and arrived.business_date = judged_day.business_date
left join (select distinct pocket_id, business_date from restated) as spoken
    on spoken.pocket_id = judged_day.pocket_id and spoken.business_date = judged_day.business_date
where spoken.pocket_id is null
