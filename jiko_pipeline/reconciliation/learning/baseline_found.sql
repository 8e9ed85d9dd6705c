-- Of each pocket whose first position summary is that of the day: cash, number and face of its bills, a hash of all of
-- it, the document, and the last step of its take-on. Parameters: customer_id, day.
with first_summary as (
    select scope_pocket_id as pocket_id, min(scope_date) as business_date
    from raw.delivery
    where customer_id = $customer_id
      and document_kind = 'POSITION'
      and scope_pocket_id <> ''
      and is_current
      and finality <> 'PROVISIONAL'
    group by scope_pocket_id
),
bill as (
    select
        pocket_id,
        count(*) as bills,
        sum(face_amount) as face_amount,
        min(document_sha256) as document_sha256,
        string_agg(
            concat_ws(' ', cusip, cast(face_amount as varchar), coalesce(cast(historical_cost as varchar), '-')),
            chr(10) order by cusip
        ) as content
    from core.position_daily
    where customer_id = $customer_id and business_date = $day
    group by pocket_id
),
last_step as (
    select pocket_id, status, content_hash, actor
    from (
        select *, row_number() over (partition by pocket_id order by baseline_seq desc) as back_no
        from recon.baseline
        where customer_id = $customer_id and business_date = $day
    )
    where back_no = 1
)
select
    first_summary.pocket_id,
    statement.cash_balance,
    coalesce(bill.bills, 0),
    coalesce(bill.face_amount, cast(0 as decimal(38, 2))),
    sha256(cast(statement.cash_balance as varchar) || chr(10) || coalesce(bill.content, '')) as content_hash,
    bill.document_sha256,
    last_step.status,
    last_step.content_hash,
    last_step.actor
from first_summary
join core.brokerage_daily as statement
    on statement.customer_id = $customer_id
    and statement.pocket_id = first_summary.pocket_id
    and statement.business_date = first_summary.business_date
left join bill on bill.pocket_id = first_summary.pocket_id
left join last_step on last_step.pocket_id = first_summary.pocket_id
where first_summary.business_date = $day and statement.cash_balance is not null
order by first_summary.pocket_id
