-- counterparty: whom the customer pays, every version. account is everything that says where money goes, account_before
-- that of the version before; a verification that ends changes no account.
with version as (
    select
        counterparty.*,
        concat_ws(
            '|', counterparty_type, coalesce(name_on_account, ''), coalesce(account_number, ''),
            coalesce(routing_number, ''), coalesce(identifier_code, ''), coalesce(wire_instructions, '')
        ) as account
    from core.counterparty as counterparty
    where customer_id = getvariable('customer_id')
)
select
    counterparty_id,
    counterparty_type,
    counterparty_status,
    name_on_account,
    account,
    lag(account) over (partition by counterparty_id order by known_from_utc) as account_before,
    created_at_utc,
    cast(timezone('America/New_York', timezone('UTC', created_at_utc)) as date) as created_on,
    known_from_utc,
    cast(timezone('America/New_York', timezone('UTC', known_from_utc)) as date) as known_from_on,
    known_to_utc
from version
