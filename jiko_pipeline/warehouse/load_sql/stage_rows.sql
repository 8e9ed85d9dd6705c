-- The rows of one frame of the batch with their scope, ordinal and hash, as a temporary table.
-- Placeholders: {rows} (temporary table), {frame} (registered frame), {table_literal} (name of the staging
-- table), {columns} (declared columns of the frame), {row_text} (canonical text of the content), {key}
-- (columns of the key). The ordinal follows the content, so that it does not depend on the order in which a
-- bank lists equal keys.
create or replace temp table {rows} as
with
    scoped_rows as (
        select
            f.document_no,
            d.customer_id,
            d.document_kind,
            d.scope_pocket_id,
            f.scope_date,
            {columns},
            md5(
                {table_literal} || '|' || d.customer_id || '|' || d.document_kind || '|' || d.scope_pocket_id
                || '|' || cast(f.scope_date as varchar) || '|' || {row_text}
            ) as content_md5
        from {frame} as f
        inner join load_document as d on d.document_no = f.document_no
    ),

    numbered_rows as (
        select
            *,
            cast(
                row_number() over (
                    partition by document_no, scope_date{key}
                    order by content_md5, {tie_breaker}
                ) as integer
            ) as row_ordinal
        from scoped_rows
    )

select
    *,
    md5(content_md5 || ':' || row_ordinal) as row_hash
from numbered_rows;
