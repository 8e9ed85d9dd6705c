-- The record of this run. Reads judged_result for the sums of both sides.
-- Parameters: see run_record.py.
insert into recon.run by name
select
    $run_id as run_id,
    getvariable('customer_id') as customer_id,
    $legal_entity_id as legal_entity_id,
    cast($first as date) as first_date,
    cast($last as date) as last_date,
    cast($knowledge_time as timestamp) as knowledge_time_utc,
    $code_version as code_version,
    $rules_hash as rules_hash,
    $calendar_version as calendar_version,
    $inputs_hash as inputs_hash,
    $result_hash as result_hash,
    count(*) filter (where status <> 'NOT_TESTED') as tested,
    count(*) filter (where status = 'PASS') as passed,
    count(*) filter (where status = 'BREAK') as broken,
    count(*) filter (where status = 'NOT_TESTED') as not_tested,
    cast($started as timestamp) as started_at_utc,
    cast($finished as timestamp) as finished_at_utc,
    cast($run_seq as bigint) as run_seq,
    cast(getvariable('window_first') as date) as window_first_date,
    cast(getvariable('window_last') as date) as window_last_date,
    cast(getvariable('history_first') as date) as sight_first_date,
    cast(getvariable('following_last') as date) as sight_last_date,
    cast($known_from as timestamp) as known_from_utc,
    cast(sum(left_value) filter (where status <> 'NOT_TESTED') as decimal(38, 6)) as left_sum,
    cast(sum(right_value) filter (where status <> 'NOT_TESTED') as decimal(38, 6)) as right_sum
from judged_result
