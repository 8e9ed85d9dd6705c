-- What the sign-off of the period states. Reads signed_day.
-- Parameters: customer_id, pocket_id, first, last.
with result as (
    select result.*
    from recon.result as result
    where result.customer_id = $customer_id
      and (result.pocket_id, result.business_date) in (select (pocket_id, business_date) from signed_day)
),
latest_run as (
    select run.*
    from recon.run as run
    where run.customer_id = $customer_id
      and run.run_seq = (select max(run_seq) from signed_day)
),
by_control as (
    select
        control.control_id, control.control_version, control.tolerance,
        count(*) filter (where result.status in ('PASS', 'BREAK')) as tested,
        count(*) filter (where result.status = 'PASS') as passed,
        count(*) filter (where result.status = 'BREAK') as broken,
        count(*) filter (where result.status = 'NOT_TESTED') as not_tested
    from recon.control as control
    left join result on result.control_id = control.control_id
    group by control.control_id, control.control_version, control.tolerance
),
closing as (
    select
        pocket_id,
        arg_min(opening_value, business_date) as opening_value,
        arg_max(closing_value, business_date) as closing_value,
        sum(unexplained) as unexplained
    from mart.daily_close
    where customer_id = $customer_id
      and (pocket_id, business_date) in (select (pocket_id, business_date) from signed_day)
    group by pocket_id
),
own_break as (
    select *
    from recon."break"
    where customer_id = $customer_id
      and business_date <= $last
      and ($pocket_id = '' or pocket_id in ($pocket_id, ''))
),
own_day as (
    select
        day.business_date,
        (
            select max(signoff.signoff_seq)
            from recon.signoff as signoff
            where signoff.customer_id = $customer_id
              and signoff.status = 'SIGNED'
              and signoff.period = 'DAY'
              and signoff.first_date = day.business_date
              and signoff.pocket_id in ($pocket_id, '')
              and not exists (
                  select 1 from recon.signoff as reopened
                  where reopened.customer_id = $customer_id and reopened.answers_seq = signoff.signoff_seq
              )
        ) as signoff_seq
    from (select distinct business_date from signed_day) as day
)
select
    (select run_id from latest_run) as run_id,
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
            from result
        ) as lines
    ) as result_hash,
    (
        select sha256(coalesce(string_agg(line, chr(10) order by line), ''))
        from (
            select distinct concat_ws(
                '|', document_kind, scope_pocket_id, cast(scope_date as varchar), content_hash, finality
            ) as line
            from raw.delivery
            where customer_id = $customer_id
              and is_current
              and scope_date between $first and $last
              and ($pocket_id = '' or scope_pocket_id in ($pocket_id, ''))
        ) as lines
    ) as inputs_hash,
    (select rules_hash from latest_run) as rules_hash,
    (select calendar_version from latest_run) as calendar_version,
    (select knowledge_time_utc from latest_run) as knowledge_time_utc,
    (select cast(to_json(list(by_control order by control_id)) as varchar) from by_control) as controls,
    (select coalesce(cast(to_json(list(closing order by pocket_id)) as varchar), '[]') from closing) as totals,
    (
        select coalesce(cast(to_json(list({
            'break_id': break_id, 'control_id': control_id, 'code': code, 'pocket_id': pocket_id,
            'business_date': business_date, 'difference': difference, 'run_id': run_id
        } order by break_id)) as varchar), '[]')
        from own_break where status = 'ACCEPTED'
    ) as accepted_breaks,
    (
        select coalesce(cast(to_json(list({
            'break_id': break_id, 'control_id': control_id, 'code': code, 'pocket_id': pocket_id,
            'business_date': business_date, 'difference': difference, 'run_id': run_id
        } order by break_id)) as varchar), '[]')
        from own_break where status = 'OPEN' and break_class = 'TIMING'
    ) as open_timing,
    (
        select coalesce(cast(to_json(list(basis order by effective_from)) as varchar), '[]')
        from recon.basis as basis
        where basis.customer_id = $customer_id and basis.effective_from <= $last
    ) as basis,
    (
        select coalesce(cast(to_json(list(baseline order by baseline_seq)) as varchar), '[]')
        from recon.baseline as baseline
        where baseline.customer_id = $customer_id
    ) as baseline,
    (select coalesce(cast(to_json(list(own_day order by business_date)) as varchar), '[]') from own_day) as days
