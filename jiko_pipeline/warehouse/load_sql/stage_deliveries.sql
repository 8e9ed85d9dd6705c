-- One row for each scope of each document of the batch: its content, its turn, and a place for what becomes
-- of it. Placeholder: {row_hashes}, a union of (document_no, scope_date, row_hash) over the frames and the
-- rejected rows.
create or replace temp table load_delivery as
with
    row_hashes as (
        {row_hashes}
    ),

    contents as (
        select
            document_no,
            scope_date,
            count(*) as row_count,
            md5(string_agg(row_hash, '' order by row_hash)) as content_hash
        from row_hashes
        group by document_no, scope_date
    )

select
    s.document_no,
    s.scope_pocket_id,
    s.scope_date,
    s.finality,
    s.refusal_code is not null as is_refused,
    case
        when s.refusal_code is not null then md5('refused|' || s.refusal_code || '|' || s.refusal_locator || '|' || s.refusal_message)
        else coalesce(contents.content_hash, md5(''))
    end as content_hash,
    case when s.refusal_code is not null then 0 else coalesce(contents.row_count, 0) end as row_count,
    d.created_at_provider_utc,
    coalesce(d.created_at_provider_utc, d.fetched_at_utc) as made_at_utc,
    d.fetched_at_utc as known_from_utc,
    row_number() over (partition by s.scope_pocket_id, s.scope_date order by s.document_no) as turn,
    cast(null as varchar) as outcome,
    cast(null as integer) as version_no
from load_scope as s
inner join load_document as d on d.document_no = s.document_no
left join contents on contents.document_no = s.document_no and contents.scope_date = s.scope_date;
