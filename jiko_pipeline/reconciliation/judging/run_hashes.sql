-- What went in (the content of every document in sight) and what came out, as two hashes; and the latest arrival that
-- the warehouse knew of. Reads run_input and judged_result.
select
    (select max(known_from_utc) from raw.delivery) as knowledge_time_utc,
    (
        select sha256(coalesce(string_agg(line, chr(10) order by line), ''))
        from (
            select concat_ws(
                '|', document_kind, scope_pocket_id, cast(scope_date as varchar), content_hash, finality,
                cast(is_refused as varchar)
            ) as line
            from run_input
        )
    ) as inputs_hash,
    (
        select sha256(coalesce(string_agg(line, chr(10) order by line), ''))
        from (
            select concat_ws(
                '|', control_id, pocket_id, cast(business_date as varchar), entity_key, status, code, sub_code,
                reason,
                coalesce(cast(left_value as varchar), '-'),
                coalesce(cast(right_value as varchar), '-'),
                coalesce(cast(difference as varchar), '-'),
                detail, blocked_by, root_break_id, break_id
            ) as line
            from judged_result
        )
    ) as result_hash
