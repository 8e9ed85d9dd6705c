-- What the bank tells its customer of its own accord: events, notifications, webhooks (SQLite).
-- Times are ISO 8601 text in UTC with microseconds, so that they sort as they follow each other.

-- Events that an API call caused; those that follow from the ledger are computed, not kept.
create table if not exists event (
    event_id text primary key,
    at text not null,
    event_type text not null,
    payload text not null
) without rowid;
create index if not exists event_time on event (at, event_id);

-- Notifications that an API call caused; those that follow from the ledger are computed, not kept.
create table if not exists notification (
    id text primary key,
    at text not null,
    type text not null,
    title text not null,
    description text not null,
    metadata text not null
) without rowid;
create index if not exists notification_time on notification (at, id);

-- What a reader has marked; a notification that is not here is unread.
create table if not exists notification_mark (
    id text primary key,
    status text not null
) without rowid;

-- Webhooks. The shared secret signs every delivery, so it is kept as it is; this file is its owner's alone.
-- Events after `enabled_at` are delivered; those of the ledger are queued up to `queued_to`.
create table if not exists subscription (
    id text primary key,
    client_id text not null,
    description text not null,
    events text not null,
    url text not null,
    retry_policy text,
    shared_secret text not null,
    status text not null,
    created_at text not null,
    updated_at text not null,
    enabled_at text not null,
    queued_to text not null
) without rowid;
create index if not exists subscription_time on subscription (created_at, id);

-- An event on its way to a subscription, or arrived, or given up: then `due_at` and `body` are null.
create table if not exists delivery (
    subscription_id text not null,
    event_id text not null,
    body text,
    attempts integer not null default 0,
    due_at text,
    primary key (subscription_id, event_id)
) without rowid;
create index if not exists delivery_due on delivery (due_at) where due_at is not null;

create table if not exists delivery_attempt (
    id text primary key,
    subscription_id text not null,
    event_id text not null,
    success integer not null,
    response_code integer not null,
    response_message text,
    called_at text not null
) without rowid;
create index if not exists delivery_attempt_event on delivery_attempt (event_id, called_at);
