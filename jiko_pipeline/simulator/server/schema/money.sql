-- What the customer ordered about money: pockets opened and changed, transfers requested and carried out (SQLite).
-- Times are ISO 8601 text in UTC. Nothing is ever taken out of these tables; the ledger follows from them.

create table if not exists opened_pocket (
    number integer primary key,
    id text not null unique,
    name text not null,
    strategy_id text not null,
    reinvestment_strategy_id text not null,
    account_number text not null,
    opened_at text not null
);

-- A change of a pocket; null leaves a part as it was, a closure reason closes the pocket.
create table if not exists pocket_change (
    number integer primary key,
    pocket_id text not null,
    at text not null,
    name text,
    strategy_id text,
    reinvestment_strategy_id text,
    closure_reason text
);

-- Requests as they were made (`body`, canonical JSON) and what became of them.
create table if not exists transfer_request (
    number integer primary key,
    id text not null unique,
    body text not null,
    created_by text not null,
    created_at text not null,
    status text not null,
    reviewed_by text,
    updated_at text,
    reason text
);

-- Approved requests that the ledger carries out; an amount of null is all the money of the pocket.
create table if not exists transfer (
    number integer primary key,
    id text not null unique,
    kind text not null,
    origin_id text not null,
    amount_cents integer,
    approved_at text not null,
    counterparty text not null,
    target_id text,
    description text,
    end_to_end_identification text
);
