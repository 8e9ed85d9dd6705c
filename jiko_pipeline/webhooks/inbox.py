"""The inbox: every event that the pipeline was told of, once, in order of arrival.

Belongs here: one SQLite file of mode 0600 in the data directory, filled by the webhook receiver and by polling.
Does not belong here: who may put something in (`receiver`), which days an event concerns
(`jiko_pipeline.pipeline.events`).

Events are numbered and never removed, so a reader needs to remember one number, and may read again what it did
not live to act on.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jiko_pipeline.bank.private_files import private_database
from jiko_pipeline.errors import StorageError
from jiko_pipeline.webhooks.event import BankEvent, parse_event

_SCHEMA: Final = """
create table if not exists received (
  number integer primary key,
  event_id text not null unique,
  event_type text not null,
  at_utc text not null,
  body blob not null,
  received_at_utc text not null
) strict
"""


@dataclass(frozen=True, slots=True)
class Received:
    """An event and its number in the inbox; numbers rise with arrival."""

    number: int
    event: BankEvent


class Inbox:
    """The inbox in `file`. Each call is a connection of its own, so threads and processes may share the file.

    Every method raises StorageError when the file cannot be used.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def put(self, *bodies: bytes) -> tuple[BankEvent, ...]:
        """Keep events on disk; those of them that had not come before. Raises UnreadableEventError."""
        events = [(parse_event(body), body) for body in bodies]
        received_at = datetime.now(UTC).isoformat()
        new = []
        with self._opened() as database:
            # An event whose receipt was answered for is not told again: it has to survive a power cut.
            database.execute("pragma synchronous = full")
            database.execute("begin immediate")
            for event, body in events:
                cursor = database.execute(
                    "insert or ignore into received (event_id, event_type, at_utc, body, received_at_utc)"
                    " values (?, ?, ?, ?, ?)",
                    (event.event_id, event.event_type, event.at.isoformat(), body, received_at),
                )
                if cursor.rowcount == 1:
                    new.append(event)
            database.execute("commit")
        return tuple(new)

    def unknown(self, event_ids: Iterable[str]) -> set[str]:
        """The ids among `event_ids` that have not come yet."""
        with self._opened() as database:
            return {
                event_id
                for event_id in event_ids
                if database.execute("select 1 from received where event_id = ?", (event_id,)).fetchone() is None
            }

    def after(self, number: int) -> list[Received]:
        """The events that came after that number, in order of arrival."""
        with self._opened() as database:
            rows = database.execute("select number, body from received where number > ? order by number", (number,))
            return [Received(at, parse_event(body)) for at, body in rows]

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with closing(private_database(self._file, _SCHEMA)) as database:
            try:
                yield database
            except sqlite3.Error as error:
                raise StorageError(f"The inbox of events {self._file} cannot be used: {error}.") from None
