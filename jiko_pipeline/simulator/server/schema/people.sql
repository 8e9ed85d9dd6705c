-- People and what they did: the audit log (SQLite).

-- Every change made through the API, oldest first. `details` is a JSON object without secrets.
create table if not exists audit_log (
    number integer primary key,
    id text not null unique,
    at text not null,
    member_id text,
    action text not null,
    details text not null
);
create index if not exists audit_log_time on audit_log (at, id);
