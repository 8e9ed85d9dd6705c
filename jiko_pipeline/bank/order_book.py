"""What has been ordered at the bank: one SQLite file for all processes of a data directory.

Belongs here: which pull has which report request, who is ordering at the moment, and what has been delivered.
Does not belong here: speaking with the bank (`jiko_pipeline.bank.orders`).

A pull is claimed before its order is sent and recorded before it is polled. A claim of a process that has
died is taken over, and whether its order reached the bank is then looked up there.
"""

import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from jiko_pipeline.bank.contract import DateType, OutputFormat, ReportType
from jiko_pipeline.bank.private_files import private_database
from jiko_pipeline.bank.processes import is_alive, own_mark
from jiko_pipeline.bank.report_requests import PullReason, ReportPull

_SCHEMA: Final = """
create table if not exists pull (
  pull_key text primary key,
  report_type text not null,
  output_formats text not null,
  pocket_id text,
  first_day text not null,
  last_day text not null,
  date_type text,
  reason text not null,
  round text not null,
  state text not null check (state in ('ORDERING', 'ORDERED', 'DELIVERED', 'REFUSED')),
  claimer text not null,
  claimed_at text not null,
  orders integer not null default 0,
  request_id text,
  requested_at text,
  ordered_at text,
  ended_at text,
  problem text
) strict;
create table if not exists request (
  request_id text primary key,
  pull_key text not null references pull (pull_key),
  recorded_at text not null
) strict
"""


class State(StrEnum):
    """Where a pull stands. A pull that the book does not know has not been asked for."""

    ORDERING = "ORDERING"
    ORDERED = "ORDERED"
    DELIVERED = "DELIVERED"
    REFUSED = "REFUSED"


class Turn(StrEnum):
    """What the caller of `claim` has to do."""

    ORDER = "ORDER"
    LOOK_THEN_ORDER = "LOOK_THEN_ORDER"
    WAIT = "WAIT"
    POLL = "POLL"
    NOTHING = "NOTHING"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Entry:
    """A pull as the book knows it. Instants are UTC; `requested_at` is the bank's, the others are ours."""

    pull: ReportPull
    state: State
    claimer: str
    claimed_at: datetime
    orders: int
    request_id: str | None
    requested_at: datetime | None
    problem: str | None


class OrderBook:
    """The book.

    Thread-safe; usable as a context manager. Raises StorageError when its file cannot be used.
    """

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._database = private_database(file, _SCHEMA)
        self._me = own_mark()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def entry(self, key: str) -> Entry | None:
        """The pull of that key, or None."""
        with self._lock:
            return self._entry(key)

    def open_pulls(self) -> list[Entry]:
        """Pulls that are ordered, or being ordered, and not delivered; oldest first."""
        with self._lock:
            rows = self._database.execute(
                f"select {_COLUMNS} from pull where state in ('ORDERING', 'ORDERED') order by claimed_at, pull_key"
            ).fetchall()
        return [_entry_of(row) for row in rows]

    def claim(self, pull: ReportPull, now: datetime) -> Turn:
        """Decide whose turn it is to order `pull`, and take it if it is ours.

        ORDER: claimed by us, nothing was sent. LOOK_THEN_ORDER: claimed by us, an order may already be at the
        bank. WAIT: a living process is ordering. POLL: ordered. NOTHING: delivered. REFUSED: given up.
        """
        with self._lock, self._database:
            self._database.execute("begin immediate")
            entry = self._entry(pull.key)
            if entry is None:
                self._database.execute(
                    "insert into pull (pull_key, report_type, output_formats, pocket_id, first_day, last_day,"
                    " date_type, reason, round, state, claimer, claimed_at)"
                    " values (?, ?, ?, ?, ?, ?, ?, ?, ?, 'ORDERING', ?, ?)",
                    (
                        pull.key,
                        pull.report_type.value,
                        json.dumps([form.value for form in pull.output_formats]),
                        pull.pocket_id,
                        pull.first.isoformat(),
                        pull.last.isoformat(),
                        None if pull.date_type is None else pull.date_type.value,
                        pull.reason.value,
                        pull.round,
                        self._me,
                        _text(now),
                    ),
                )
                return Turn.ORDER
            if entry.state is State.ORDERED:
                return Turn.POLL
            if entry.state is State.DELIVERED:
                return Turn.NOTHING
            if entry.state is State.REFUSED:
                return Turn.REFUSED
            if entry.claimer and is_alive(entry.claimer):
                return Turn.WAIT
            self._database.execute("update pull set claimer = ? where pull_key = ?", (self._me, pull.key))
            return Turn.LOOK_THEN_ORDER

    def record_order(self, pull: ReportPull, request_id: str, requested_at: datetime | None, now: datetime) -> bool:
        """Enter the report request of a pull.

        False when it already is another pull's, and nothing is entered.
        """
        with self._lock, self._database:
            self._database.execute("begin immediate")
            owner = self._database.execute(
                "select pull_key from request where request_id = ?", (request_id,)
            ).fetchone()
            if owner is not None:
                return False
            self._database.execute("insert into request values (?, ?, ?)", (request_id, pull.key, _text(now)))
            self._database.execute(
                "update pull set state = 'ORDERED', claimer = '', orders = orders + 1, request_id = ?,"
                " requested_at = ?, ordered_at = ?, problem = null where pull_key = ?",
                (request_id, None if requested_at is None else _text(requested_at), _text(now), pull.key),
            )
        return True

    def known_requests(self, request_ids: Iterable[str]) -> set[str]:
        """Those of `request_ids` that belong to a pull of this book, present or past."""
        with self._lock:
            return {
                request_id
                for request_id in request_ids
                if self._database.execute("select 1 from request where request_id = ?", (request_id,)).fetchone()
            }

    def claim_again(self, pull: ReportPull, failed_request_id: str, orders_at_most: int, now: datetime) -> bool:
        """After the bank failed a request: True when we may order once more, and the claim is ours.

        False when the orders of this pull are used up, or another process has already ordered anew.
        """
        with self._lock, self._database:
            self._database.execute("begin immediate")
            changed = self._database.execute(
                "update pull set state = 'ORDERING', claimer = ?, claimed_at = ?, request_id = null"
                " where pull_key = ? and state = 'ORDERED' and request_id = ? and orders < ?",
                (self._me, _text(now), pull.key, failed_request_id, orders_at_most),
            )
            return changed.rowcount == 1

    def release(self, pull: ReportPull) -> None:
        """Give a claim back whose order certainly did not reach the bank."""
        with self._lock, self._database:
            self._database.execute("begin immediate")
            self._database.execute(
                "delete from pull where pull_key = ? and state = 'ORDERING' and claimer = ? and orders = 0",
                (pull.key, self._me),
            )
            self._database.execute(
                "update pull set claimer = '' where pull_key = ? and state = 'ORDERING' and claimer = ?",
                (pull.key, self._me),
            )

    def leave_open(self, pull: ReportPull) -> None:
        """Give a claim back whose order may have reached the bank; whoever is next looks there first."""
        with self._lock, self._database:
            self._database.execute("begin immediate")
            self._database.execute(
                "update pull set claimer = '' where pull_key = ? and state = 'ORDERING' and claimer = ?",
                (pull.key, self._me),
            )

    def mark_delivered(self, pull: ReportPull, now: datetime) -> None:
        """All reports of the pull are kept."""
        self._end(pull, State.DELIVERED, None, now)

    def mark_refused(self, pull: ReportPull, problem: str, now: datetime) -> None:
        """The bank has failed the pull as often as it may be ordered."""
        self._end(pull, State.REFUSED, problem, now)

    def forget(self, pull: ReportPull) -> None:
        """Let a refused pull be ordered again; the request ids it had stay known as its own."""
        with self._lock, self._database:
            self._database.execute("begin immediate")
            self._database.execute(
                "update pull set state = 'ORDERING', claimer = '', orders = 0, request_id = null,"
                " problem = null where pull_key = ? and state = 'REFUSED'",
                (pull.key,),
            )

    def _end(self, pull: ReportPull, state: State, problem: str | None, now: datetime) -> None:
        with self._lock, self._database:
            self._database.execute("begin immediate")
            self._database.execute(
                "update pull set state = ?, claimer = '', problem = ?, ended_at = ? where pull_key = ?",
                (state.value, problem, _text(now), pull.key),
            )

    def _entry(self, key: str) -> Entry | None:
        row = self._database.execute(f"select {_COLUMNS} from pull where pull_key = ?", (key,)).fetchone()
        return None if row is None else _entry_of(row)


_COLUMNS: Final = (
    "report_type, output_formats, pocket_id, first_day, last_day, date_type, reason, round,"
    " state, claimer, claimed_at, orders, request_id, requested_at, problem"
)


def _entry_of(row: tuple[Any, ...]) -> Entry:
    (kind, formats, pocket, first, last, date_type, reason, round_, *rest) = row
    state, claimer, claimed_at, orders, request_id, requested_at, problem = rest
    return Entry(
        pull=ReportPull(
            report_type=ReportType(kind),
            output_formats=tuple(OutputFormat(form) for form in json.loads(formats)),
            pocket_id=pocket,
            first=date.fromisoformat(first),
            last=date.fromisoformat(last),
            date_type=None if date_type is None else DateType(date_type),
            reason=PullReason(reason),
            round=round_,
        ),
        state=State(state),
        claimer=claimer,
        claimed_at=datetime.fromisoformat(claimed_at),
        orders=orders,
        request_id=request_id,
        requested_at=None if requested_at is None else datetime.fromisoformat(requested_at),
        problem=problem,
    )


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()
