"""The verdict: for each pocket, which days may be booked and what the last one is worth."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib import resources

import duckdb


@dataclass(frozen=True, slots=True)
class PocketVerdict:
    """One pocket over a range of days. Amounts in US dollars; `not_ready` are days with their reasons (JSON)."""

    pocket_id: str
    pocket_name: str
    strategy: str | None
    days: int
    ready_days: int
    last_date: date | None
    closing_value: Decimal | None
    breaks: int
    open_breaks_so_far: int
    unexplained: Decimal | None
    days_with_bridge: int
    not_ready: tuple[tuple[date, str], ...]

    @property
    def held_by_breaks(self) -> bool:
        """True when a break of these days, or one of earlier days that is still open, stands against the pocket."""
        return self.breaks > 0 or self.open_breaks_so_far > 0

    @property
    def is_clean(self) -> bool:
        """True when every day is ready to book."""
        return self.days > 0 and self.ready_days == self.days


def query(name: str) -> str:
    """The text of a query of this room."""
    return (resources.files("jiko_pipeline.reporting") / "queries" / f"{name}.sql").read_text(encoding="utf-8")


def pocket_verdicts(con: duckdb.DuckDBPyConnection, customer_id: str, first: date, last: date) -> list[PocketVerdict]:
    """One verdict a pocket over the days `first` to `last`, by pocket name; empty when nothing was closed."""
    not_ready: dict[str, list[tuple[date, str]]] = {}
    for pocket_id, day, reasons in con.execute(query("days_not_ready"), [customer_id, first, last]).fetchall():
        not_ready.setdefault(pocket_id, []).append((day, reasons))
    result = con.execute(query("pocket_verdicts"), [customer_id, first, last])
    names = [column[0] for column in result.description or []]
    return [
        PocketVerdict(**dict(zip(names, row, strict=True)), not_ready=tuple(not_ready.get(row[0], ())))
        for row in result.fetchall()
    ]


def quarantine_notes(con: duckdb.DuckDBPyConnection, customer_id: str, first: date, last: date) -> list[str]:
    """A sentence for each document or row of these days that is in quarantine now."""
    return [
        f"{kind}{f' of pocket {pocket_id[:8]}' if pocket_id else ''} for {day} is quarantined: {message}"
        " `jiko sync --confirm` asks the bank for it again."
        for kind, pocket_id, day, message in con.execute(
            query("quarantined_documents"), [customer_id, first, last]
        ).fetchall()
    ]
