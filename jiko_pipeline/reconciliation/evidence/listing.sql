-- listing: when what has no as-of date was listed whole: the first listing of each kind, the last one before the time
-- in sight, and those within it.
with listed as (
    select distinct document_kind, known_from_utc
    from raw.delivery
    where customer_id = getvariable('customer_id')
      and scope_date = date '0001-01-01'
      and outcome in ('NEW_VERSION', 'UNCHANGED')
),
placed as (
    select
        document_kind,
        known_from_utc,
        row_number() over (partition by document_kind order by known_from_utc) as listing_no,
        max(known_from_utc) filter (where known_from_utc < cast(getvariable('history_first') as timestamp)) over (
            partition by document_kind
        ) as last_before
    from listed
)
select document_kind, known_from_utc, listing_no = 1 as is_first
from placed
where listing_no = 1
   or known_from_utc = last_before
   or known_from_utc between cast(getvariable('history_first') as timestamp)
      and cast(getvariable('following_last') + 1 as timestamp)
