-- Counterparties: those that the API made, and the changes of status of all (SQLite).

-- `details` is the counterparty as JSON without its status, which follows from its verification and the clock.
create table if not exists counterparty (
    number integer primary key,
    id text not null unique,
    created_at text not null,
    details text not null
);

-- The last link or unlink of a counterparty, also of one that was there before the API was used.
create table if not exists counterparty_link (
    id text primary key,
    status text not null,
    at text not null
) without rowid;
