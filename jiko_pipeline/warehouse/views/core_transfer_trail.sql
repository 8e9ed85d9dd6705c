-- core.transfer_trail: one row a transfer that was asked for, with everything that followed: who approved it, the
-- transaction, the bank entry that names it, the sweep that brought the day's money in, the sales of bills of the day.
create or replace view core.transfer_trail as
with
    approvals as (
        select
            a.customer_id,
            json_extract_string(a.action_details, '$.transfer_id') as transfer_id,
            a.occurred_at_utc,
            a.member_id,
            row_number() over (
                partition by a.customer_id, json_extract_string(a.action_details, '$.transfer_id')
                order by a.occurred_at_utc desc, a.entry_id
            ) as choice
        from core.audit_log as a
        where a.action = 'TRANSFER_REQUEST_APPROVED'
    ),

    payments as (
        select
            t.customer_id,
            t.pocket_id,
            t.transfer_id,
            t.activity_id,
            t.transaction_status,
            t.signed_amount,
            row_number() over (
                partition by t.customer_id, t.pocket_id, t.transfer_id order by t.booked_at_utc, t.activity_id
            ) as choice
        from core.api_transaction as t
        where t.transfer_id is not null and t.signed_amount < 0
    ),

    sweeps as (
        select
            b.customer_id,
            b.pocket_id,
            b.business_date,
            b.bank_transaction_key,
            b.end_to_end_id,
            f.brokerage_flow_key,
            row_number() over (
                partition by b.customer_id, b.pocket_id, b.business_date order by b.bank_transaction_key
            ) as choice
        from core.bank_transaction as b
        left join core.brokerage_flow as f
            on
                f.customer_id = b.customer_id
                and f.pocket_id = b.pocket_id
                and f.business_date = b.business_date
                and f.end_to_end_id = b.end_to_end_id
        where b.category = 'SWEEP_IN'
    ),

    sales as (
        select
            s.customer_id,
            s.pocket_id,
            s.trade_date,
            string_agg(s.trade_id, ',' order by s.trade_id) as trade_ids,
            count(*) as trades,
            sum(s.notional) as amount
        from core.trade as s
        where s.activity = 'SELL'
        group by s.customer_id, s.pocket_id, s.trade_date
    )

select
    r.customer_id,
    r.legal_entity_id,
    r.transfer_id,
    r.request_status,
    r.transfer_type,
    r.amount,
    r.origin_pocket_id,
    r.destination_pocket_id,
    r.counterparty_id,
    r.created_at_utc as requested_at_utc,
    r.created_by_id as requested_by_id,
    approvals.occurred_at_utc as approved_at_utc,
    approvals.member_id as approved_by_id,
    case when approvals.transfer_id is not null then approvals.member_id is distinct from r.created_by_id end
        as is_approved_by_another,
    payments.activity_id,
    payments.transaction_status,
    payments.signed_amount as paid_amount,
    e.business_date,
    e.bank_transaction_key,
    sweeps.bank_transaction_key as sweep_transaction_key,
    sweeps.end_to_end_id as sweep_reference,
    sweeps.brokerage_flow_key,
    sales.trade_ids as sale_trade_ids,
    sales.trades as sales,
    sales.amount as sale_amount
from core.transfer_request as r
left join approvals
    on approvals.customer_id = r.customer_id and approvals.transfer_id = r.transfer_id and approvals.choice = 1
left join payments
    on
        payments.customer_id = r.customer_id
        and payments.pocket_id = r.origin_pocket_id
        and payments.transfer_id = r.transfer_id
        and payments.choice = 1
left join core.bank_transaction as e
    on e.customer_id = r.customer_id and e.pocket_id = r.origin_pocket_id and e.activity_id = payments.activity_id
left join sweeps
    on
        sweeps.customer_id = r.customer_id
        and sweeps.pocket_id = r.origin_pocket_id
        and sweeps.business_date = e.business_date
        and sweeps.choice = 1
left join sales
    on
        sales.customer_id = r.customer_id
        and sales.pocket_id = r.origin_pocket_id
        and sales.trade_date = e.business_date;

comment on view core.transfer_trail is 'One row a transfer that was asked for, with its approval, transaction, bank entry, sweep and sales of bills.';
comment on column core.transfer_trail.customer_id is 'Jiko customer.';
comment on column core.transfer_trail.legal_entity_id is 'Legal entity the customer belongs to.';
comment on column core.transfer_trail.transfer_id is 'Transfer.';
comment on column core.transfer_trail.request_status is 'Status of the request as listed last.';
comment on column core.transfer_trail.transfer_type is 'ON_US, WIRE, USDC.';
comment on column core.transfer_trail.amount is 'Amount asked for, unsigned.';
comment on column core.transfer_trail.origin_pocket_id is 'Pocket that pays.';
comment on column core.transfer_trail.destination_pocket_id is 'Own pocket that is paid; null for others.';
comment on column core.transfer_trail.counterparty_id is 'Counterparty that is paid.';
comment on column core.transfer_trail.requested_at_utc is 'When it was asked for, UTC.';
comment on column core.transfer_trail.requested_by_id is 'Who asked for it.';
comment on column core.transfer_trail.approved_at_utc is 'When it was approved, UTC; null when the audit log names no approval.';
comment on column core.transfer_trail.approved_by_id is 'Who approved it.';
comment on column core.transfer_trail.is_approved_by_another is 'Whether another person approved it than asked for it; null without approval.';
comment on column core.transfer_trail.activity_id is 'Transaction that paid it.';
comment on column core.transfer_trail.transaction_status is 'Status of that transaction.';
comment on column core.transfer_trail.paid_amount is 'Amount of that transaction, negative.';
comment on column core.transfer_trail.business_date is 'Day of the bank entry.';
comment on column core.transfer_trail.bank_transaction_key is 'Bank entry that names the transaction.';
comment on column core.transfer_trail.sweep_transaction_key is 'Bank entry that swept the money of that day in.';
comment on column core.transfer_trail.sweep_reference is 'Reference shared by both legs of that sweep.';
comment on column core.transfer_trail.brokerage_flow_key is 'Brokerage entry of the same sweep.';
comment on column core.transfer_trail.sale_trade_ids is 'Sales of bills of the pocket on that day; ids with commas.';
comment on column core.transfer_trail.sales is 'Number of those sales.';
comment on column core.transfer_trail.sale_amount is 'Money of those sales.';
