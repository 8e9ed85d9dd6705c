-- id: K51
-- version: 1.1
-- title: JSON and CSV of transactions, trades and audit log, and both versions of the trades listing, are the same rows.
-- key: pocket, date, form and row
-- identity: rows of the JSON listing = rows of each other form, by id, field by field
-- tolerance: 0
-- hides: a field that a form leaves out; a book or maturity date or a yield that one of the two leaves empty; transfers in
--   kind, which only the newer trades listing has; an error that all forms share; forms of different fetches
-- codes: FORMAT_DIFF = DATA_QUALITY
-- severity: S1
-- evidence: INTRA_PROVIDER
-- inputs: API_TRANSACTIONS, API_TRANSACTIONS_CSV, API_TRADES, API_TRADES_V1, API_TRADES_CSV, AUDIT_LOGS, AUDIT_LOGS_CSV
-- chained: no
-- gate: no
-- required: no
with form_pair as (
    select 'API_TRANSACTIONS' as base_kind, 'API_TRANSACTIONS_CSV' as other_kind
    union all
    select 'API_TRADES' as base_kind, 'API_TRADES_V1' as other_kind
    union all
    select 'API_TRADES' as base_kind, 'API_TRADES_CSV' as other_kind
    union all
    select 'AUDIT_LOGS' as base_kind, 'AUDIT_LOGS_CSV' as other_kind
),
-- a form fetched before the day was over may have missed what its other form, fetched a moment later, has
delivered as (
    select
        document_kind,
        business_date as stated_on,
        max(case when finality = 'AFTER_CUTOFF' then 1 else 0 end) as is_final,
        max(known_from_utc) as stated_at
    from delivery
    where is_current
    group by document_kind, business_date
),
-- each fetch asks for the JSON listing and then for its other forms; where one of them was refused or could not be
-- read, the other is of another time, and what has changed meanwhile is no difference of form
fetched_since as (
    select p.base_kind, p.other_kind, b.stated_on, count(*) as times
    from form_pair p
    join delivered b on b.document_kind = p.base_kind
    join delivery d
        on d.document_kind = p.other_kind and d.business_date = b.stated_on and d.known_from_utc >= b.stated_at
    group by p.base_kind, p.other_kind, b.stated_on
),
-- what is stated of a day that is no business day is judged on the next one
covered_day as (
    select
        p.base_kind,
        p.other_kind,
        c.business_date as stated_on,
        case when c.is_fed_business_day then c.business_date else c.next_bd end as business_date,
        case
            when b.stated_on is null or o.stated_on is null then 'NO_INPUT'
            when b.is_final = 0 or o.is_final = 0 then 'PROVISIONAL'
            when o.stated_at < b.stated_at or coalesce(f.times, 0) <> 1 then 'OTHER_FETCH'
            else ''
        end as reason
    from calendar c
    cross join form_pair p
    left join delivered b on b.document_kind = p.base_kind and b.stated_on = c.business_date
    left join delivered o on o.document_kind = p.other_kind and o.stated_on = c.business_date
    left join fetched_since f
        on f.base_kind = p.base_kind and f.other_kind = p.other_kind and f.stated_on = c.business_date
),
comparable as (
    select base_kind, other_kind, stated_on, business_date
    from covered_day
    where reason = ''
),
-- an entry of the audit log has no pocket: it is judged once, with the first pocket of its day
first_pocket as (
    select business_date, min(pocket_id) as pocket_id
    from judged_day
    group by business_date
),
transaction_base as (
    select p.other_kind, p.stated_on as asked_on, f.row_key, f.pocket_id, f.stated_on, f.transaction_id, f.transaction_type, f.transaction_status, f.direction, f.signed_amount, f.currency, f.booked_at_utc, f.settled_at_utc, f.title, f.description
    from transaction_form f
    join comparable p on p.base_kind = f.document_kind and p.stated_on = f.stated_on
    where f.document_kind = 'API_TRANSACTIONS'
),
transaction_other as (
    select p.other_kind, p.stated_on as asked_on, f.row_key, f.pocket_id, f.stated_on, f.transaction_id, f.transaction_type, f.transaction_status, f.direction, f.signed_amount, f.currency, f.booked_at_utc, f.settled_at_utc, f.title, f.description
    from transaction_form f
    join comparable p on p.other_kind = f.document_kind and p.stated_on = f.stated_on
),
transaction_compared as (
    select
        coalesce(b.other_kind, o.other_kind) as other_kind,
        coalesce(b.row_key, o.row_key) as row_key,
        coalesce(b.pocket_id, o.pocket_id) as pocket_id,
        coalesce(b.asked_on, o.asked_on) as stated_on,
        case when o.row_key is null then 'MISSING' when b.row_key is null then 'ONLY_THERE' else '' end as one_side,
        case when b.row_key is null or o.row_key is null then '' else
            case when b.pocket_id is distinct from o.pocket_id then ',pocket_id' else '' end
            || case when b.transaction_id is distinct from o.transaction_id then ',transaction_id' else '' end
            || case when b.transaction_type is distinct from o.transaction_type then ',transaction_type' else '' end
            || case when b.transaction_status is distinct from o.transaction_status then ',transaction_status' else '' end
            || case when b.direction is distinct from o.direction then ',direction' else '' end
            || case when b.signed_amount is distinct from o.signed_amount then ',amount' else '' end
            || case when b.currency is distinct from o.currency then ',currency' else '' end
            || case when b.booked_at_utc is distinct from o.booked_at_utc then ',booked_at_utc' else '' end
            || case when b.settled_at_utc is distinct from o.settled_at_utc then ',settled_at_utc' else '' end
            || case when b.title is distinct from o.title then ',title' else '' end
            || case when b.description is distinct from o.description then ',description' else '' end
        end as fields
    from transaction_base b
    full join transaction_other o on o.other_kind = b.other_kind and o.row_key = b.row_key
),
trade_base as (
    select p.other_kind, p.stated_on as asked_on, f.row_key, f.pocket_id, f.stated_on, f.activity, f.cusip, f.quantity, f.price, f.notional, f.currency, f.traded_at_utc, f.settlement_date, f.trade_status, f.book_date, f.maturity_date, f.yield_to_maturity, f.description
    from trade_form f
    join comparable p on p.base_kind = f.document_kind and p.stated_on = f.stated_on
    where f.document_kind = 'API_TRADES'
        and (f.activity in ('BUY', 'SELL', 'MATURITY')
            or f.row_key in (select v.row_key from trade_form v where v.document_kind in ('API_TRADES_V1', 'API_TRADES_CSV')))
),
trade_other as (
    select p.other_kind, p.stated_on as asked_on, f.row_key, f.pocket_id, f.stated_on, f.activity, f.cusip, f.quantity, f.price, f.notional, f.currency, f.traded_at_utc, f.settlement_date, f.trade_status, f.book_date, f.maturity_date, f.yield_to_maturity, f.description
    from trade_form f
    join comparable p on p.other_kind = f.document_kind and p.stated_on = f.stated_on
),
trade_compared as (
    select
        coalesce(b.other_kind, o.other_kind) as other_kind,
        coalesce(b.row_key, o.row_key) as row_key,
        coalesce(b.pocket_id, o.pocket_id) as pocket_id,
        coalesce(b.asked_on, o.asked_on) as stated_on,
        case when o.row_key is null then 'MISSING' when b.row_key is null then 'ONLY_THERE' else '' end as one_side,
        case when b.row_key is null or o.row_key is null then '' else
            case when b.pocket_id is distinct from o.pocket_id then ',pocket_id' else '' end
            || case when b.activity is distinct from o.activity then ',activity' else '' end
            || case when b.cusip is distinct from o.cusip then ',cusip' else '' end
            || case when b.quantity is distinct from o.quantity then ',quantity' else '' end
            || case when b.price is distinct from o.price then ',price' else '' end
            || case when b.notional is distinct from o.notional then ',notional' else '' end
            || case when b.currency is distinct from o.currency then ',currency' else '' end
            || case when b.traded_at_utc is distinct from o.traded_at_utc then ',traded_at_utc' else '' end
            || case when b.settlement_date is distinct from o.settlement_date then ',settlement_date' else '' end
            || case when b.trade_status is distinct from o.trade_status then ',trade_status' else '' end
            || case when b.book_date is not null and o.book_date is not null
                and b.book_date is distinct from o.book_date then ',book_date' else '' end
            || case when b.maturity_date is not null and o.maturity_date is not null
                and b.maturity_date is distinct from o.maturity_date then ',maturity_date' else '' end
            || case when b.yield_to_maturity is not null and o.yield_to_maturity is not null
                and b.yield_to_maturity is distinct from o.yield_to_maturity then ',yield_to_maturity' else '' end
            || case when b.description is distinct from o.description then ',description' else '' end
        end as fields
    from trade_base b
    full join trade_other o on o.other_kind = b.other_kind and o.row_key = b.row_key
),
audit_base as (
    select p.other_kind, p.stated_on as asked_on, f.row_key, f.stated_on, f.occurred_at_utc, f.member_id, f.action, f.action_details, f.ip_address
    from audit_form f
    join comparable p on p.base_kind = f.document_kind and p.stated_on = f.stated_on
    where f.document_kind = 'AUDIT_LOGS'
),
audit_other as (
    select p.other_kind, p.stated_on as asked_on, f.row_key, f.stated_on, f.occurred_at_utc, f.member_id, f.action, f.action_details, f.ip_address
    from audit_form f
    join comparable p on p.other_kind = f.document_kind and p.stated_on = f.stated_on
),
audit_compared as (
    select
        coalesce(b.other_kind, o.other_kind) as other_kind,
        coalesce(b.row_key, o.row_key) as row_key,
        cast(null as string) as pocket_id,
        coalesce(b.asked_on, o.asked_on) as stated_on,
        case when o.row_key is null then 'MISSING' when b.row_key is null then 'ONLY_THERE' else '' end as one_side,
        case when b.row_key is null or o.row_key is null then '' else
            case when b.occurred_at_utc is distinct from o.occurred_at_utc then ',occurred_at_utc' else '' end
            || case when b.member_id is distinct from o.member_id then ',member_id' else '' end
            || case when b.action is distinct from o.action then ',action' else '' end
            || case when b.action_details is distinct from o.action_details then ',action_details' else '' end
            || case when b.ip_address is distinct from o.ip_address then ',ip_address' else '' end
        end as fields
    from audit_base b
    full join audit_other o on o.other_kind = b.other_kind and o.row_key = b.row_key
),
compared as (
    select other_kind, row_key, pocket_id, stated_on, one_side, fields from transaction_compared
    union all
    select other_kind, row_key, pocket_id, stated_on, one_side, fields from trade_compared
    union all
    select other_kind, row_key, pocket_id, stated_on, one_side, fields from audit_compared
),
judged_row as (
    select
        j.pocket_id,
        j.business_date,
        x.other_kind,
        x.other_kind || ' ' || x.row_key as entity_key,
        min(x.one_side) as one_side,
        max(x.fields) as fields
    from compared x
    join comparable p on p.other_kind = x.other_kind and p.stated_on = x.stated_on
    left join first_pocket s on s.business_date = p.business_date
    join judged_day j
        on j.business_date = p.business_date and j.pocket_id = coalesce(x.pocket_id, s.pocket_id)
    group by j.pocket_id, j.business_date, x.other_kind, x.row_key
),
quiet_form as (
    select
        j.pocket_id,
        j.business_date,
        d.other_kind,
        case when d.reason = '' then 'NO_ACTIVITY' else d.reason end as reason
    from judged_day j
    join covered_day d on d.stated_on = j.business_date
    left join (select distinct pocket_id, business_date, other_kind from judged_row) r
        on r.pocket_id = j.pocket_id and r.business_date = j.business_date and r.other_kind = d.other_kind
    where r.pocket_id is null
)
select
    pocket_id,
    business_date,
    entity_key,
    case when one_side = '' and fields = '' then 'PASS' else 'BREAK' end as status,
    case when one_side = '' and fields = '' then '' else 'FORMAT_DIFF' end as code,
    case when one_side = '' then substr(fields, 2) else one_side end as sub_code,
    '' as reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    case
        when one_side = 'MISSING' then 'The JSON listing has a row that ' || other_kind || ' has not.'
        when one_side = 'ONLY_THERE' then other_kind || ' has a row that the JSON listing has not.'
        when fields = '' then ''
        else 'The JSON listing and ' || other_kind || ' differ in ' || substr(fields, 2) || '.'
    end as detail
from judged_row
union all
select
    pocket_id,
    business_date,
    other_kind as entity_key,
    'NOT_TESTED' as status,
    '' as code,
    '' as sub_code,
    reason,
    cast(null as decimal(38, 6)) as left_value,
    cast(null as decimal(38, 6)) as right_value,
    cast(null as decimal(38, 6)) as difference,
    '' as detail
from quiet_form
