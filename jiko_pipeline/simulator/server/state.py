"""What the simulated bank remembers between requests and restarts: one SQLite file.

Belongs here: the file, its tables, one transaction for each request, the virtual clock, counters and the
month snapshots of the ledger. Does not belong here: what a request means.
"""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Final, Self

_SCHEMA: Final = "\n".join(
    file.read_text(encoding="utf-8")
    for file in sorted(
        (resources.files("jiko_pipeline.simulator.server") / "schema").iterdir(), key=lambda file: file.name
    )
    if file.name.endswith(".sql")
)
"""Every table of the state, one file of `schema/` a subject; each statement may be run again."""


_SKEW: Final[ContextVar[timedelta]] = ContextVar("clock_skew", default=timedelta(0))
"""How far the clock is off for the request that is being answered."""


class AnotherWorldError(Exception):
    """The state directory was born to another simulated world."""


class State:
    """The state file of one simulator process. Used from one thread; `transaction` wraps each request."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        file.chmod(0o600)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = normal")
        self._connection.executescript(_SCHEMA)
        self._offset = timedelta(seconds=float(self.fact("clock_offset_seconds") or 0))
        self._depth = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction; an inner one joins the outer one. Rolled back when the block raises."""
        if self._depth:
            yield self._connection
            return
        self._connection.execute("begin immediate")
        self._depth += 1
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("rollback")
            raise
        else:
            self._connection.execute("commit")
        finally:
            self._depth -= 1

    @property
    def changes(self) -> int:
        """Rises with every row that this process writes: equal numbers mean that nothing has changed."""
        return self._connection.total_changes

    def fact(self, name: str) -> str | None:
        """A named value, or None."""
        row = self._connection.execute("select value from fact where name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_fact(self, name: str, value: str) -> None:
        """Keep a named value."""
        self._connection.execute(
            "insert into fact values (?, ?) on conflict (name) do update set value = excluded.value",
            (name, value),
        )

    def secret(self, name: str) -> str:
        """A random value that this state was born with."""
        with self.transaction():
            value = self.fact(name)
            if value is None:
                value = secrets.token_hex(32)
                self.set_fact(name, value)
            return value

    def bind_world(self, world_id: str) -> None:
        """Tie a new state to a world. Raises AnotherWorldError when it already belongs to another one."""
        with self.transaction():
            known = self.fact("world_id")
            if known is None:
                self.set_fact("world_id", world_id)
            elif known != world_id:
                raise AnotherWorldError(
                    f"the state belongs to the simulated world {known[:12]}, not to {world_id[:12]}"
                )

    def now(self) -> datetime:
        """The simulator's time: the wall clock moved by the offset, in UTC."""
        return datetime.now(UTC) + self._offset + _SKEW.get()

    @contextmanager
    def skewed(self, by: timedelta) -> Iterator[None]:
        """The clock shows another time within the block, for the request that is being answered only."""
        before = _SKEW.set(_SKEW.get() + by)
        try:
            yield
        finally:
            _SKEW.reset(before)

    def set_now(self, now: datetime) -> None:
        """Move the clock so that it shows `now` and runs on from there."""
        self._offset = now - datetime.now(UTC)
        self.set_fact("clock_offset_seconds", repr(self._offset.total_seconds()))

    def count(self, operation: str, number: int = 1) -> None:
        """Add to the counter of an operation."""
        self._connection.execute(
            "insert into calls values (?, ?) on conflict (operation) do update set number = number + excluded.number",
            (operation, number),
        )

    def counts(self) -> dict[str, int]:
        """Every counter by operation."""
        return dict(self._connection.execute("select operation, number from calls order by operation"))

    def use_limit(self, client_id: str, group: str, window: int) -> int:
        """Count a request in a window of the limits; the number counted in it so far, this one included."""
        row = self._connection.execute(
            """
            insert into used_limit values (?, ?, ?, 1)
            on conflict (client_id, limit_group) do update set
                used = case when window = excluded.window then used + 1 else 1 end,
                window = excluded.window
            returning used
            """,
            (client_id, group, window),
        ).fetchone()
        return int(row[0])


class Snapshots:
    """The ledger's month snapshots, kept in the state file."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, month: object) -> str | None:
        """The snapshot at the start of a month, or None."""
        with self._state.transaction() as connection:
            row = connection.execute("select text from snapshot where month = ?", (str(month),)).fetchone()
        return None if row is None else str(row[0])

    def put(self, month: object, text: str) -> None:
        """Keep the snapshot at the start of a month."""
        with self._state.transaction() as connection:
            connection.execute("insert or replace into snapshot values (?, ?)", (str(month), text))

    def forget_after(self, month: object) -> None:
        """Drop the snapshots of the months after the one that starts on `month`."""
        with self._state.transaction() as connection:
            connection.execute("delete from snapshot where month > ?", (str(month),))
