-- What the simulated bank remembers between requests and restarts (SQLite).
-- Times are unix seconds where they are compared with the clock only, else ISO 8601 text in UTC.
-- Secrets are kept as their SHA-256.

create table if not exists fact (
    name text primary key,
    value text not null
) without rowid;

-- Month snapshots of the ledger, so that a late month does not replay the past.
create table if not exists snapshot (
    month text primary key,
    text text not null
) without rowid;

create table if not exists used_assertion (
    jti_hash text primary key,
    expires_at real not null
) without rowid;

create table if not exists access_token (
    token_hash text primary key,
    client_id text not null,
    scope text not null,
    expires_at real not null
) without rowid;

create table if not exists report_request (
    number integer primary key,
    id text not null unique,
    body text not null,
    created_at text not null,
    created_day text not null,
    looks integer not null default 0,
    status text not null,
    error text,
    completed_at text
);
create index if not exists report_request_time on report_request (created_at, number);
create index if not exists report_request_body on report_request (body);

create table if not exists report (
    id text primary key,
    request_number integer not null references report_request (number),
    position integer not null,
    output_format text not null,
    pocket_id text,
    file_name text not null,
    delivered integer not null default 0
) without rowid;
create index if not exists report_of_request on report (request_number, position);

create table if not exists calls (
    operation text primary key,
    number integer not null
) without rowid;

-- Requests of a client in the present window of a limit group.
create table if not exists used_limit (
    client_id text not null,
    limit_group text not null,
    window integer not null,
    used integer not null,
    primary key (client_id, limit_group)
) without rowid;
