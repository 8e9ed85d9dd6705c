-- What the bank tells its customer of its own accord: events and notifications (SQLite).

-- Events that an API call caused; those that follow from the ledger are computed, not kept.
create table if not exists event (
    event_id text primary key,
    at text not null,
    event_type text not null,
    payload text not null
) without rowid;
create index if not exists event_time on event (at, event_id);

create table if not exists notification (
    id text primary key,
    at text not null,
    type text not null,
    title text not null,
    description text not null,
    metadata text not null
) without rowid;
