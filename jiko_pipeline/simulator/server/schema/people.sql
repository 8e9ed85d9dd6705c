-- People and what they did: the team as the API changed it, the audit log, uploaded documents (SQLite).

-- Members that the API made or changed; `record` is the whole member as JSON. All others follow from the seed.
create table if not exists member_record (
    number integer primary key,
    id text not null unique,
    record text not null
);

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

-- Uploaded documents: what is known of each, not its bytes.
create table if not exists uploaded_document (
    id text primary key,
    at text not null,
    member_id text not null,
    document_type text not null,
    content_type text not null,
    bytes integer not null,
    sha256 text not null
) without rowid;
create index if not exists uploaded_document_time on uploaded_document (at);
