"""A month of mornings: what a simulated bank delivers day by day, with what somebody scripted in between.

Each morning loads what has come since the one before with the real load, builds core, runs the controls and closes
the days. What a document says is taken from the ledger of the simulated bank, row by row; the script changes rows,
holds documents back and sends them again.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from jiko_pipeline import calendars
from jiko_pipeline.formats.frames import FRAMES
from jiko_pipeline.formats.reading import Reading
from jiko_pipeline.reconciliation.basis import DEMO_BASIS, confirm_basis
from jiko_pipeline.reconciliation.closing.build import build_close
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.reconciliation.runner import run_controls
from jiko_pipeline.selftest.facts import CUSTOMER, ENTITY, Facts, Row
from jiko_pipeline.selftest.worlds import clean_facts, span_of
from jiko_pipeline.warehouse import ddl
from jiko_pipeline.warehouse.connection import transaction
from jiko_pipeline.warehouse.core_build import build_core
from jiko_pipeline.warehouse.kinds import SNAPSHOT_DATE, Finality, kind_of, scopes_of
from jiko_pipeline.warehouse.load import LoadBatch, LoadedDocument, load
from jiko_pipeline.warehouse.reference import store_rules

CONTROLS = frozenset(
    "K01 K03 K04 K06 K10 K11 K12 K13 K14 K20 K21 K30 K31 K32 K33 K34 K35 K36 K37 K38 K40 K41".split()  # noqa: SIM905
)
"""Those of the catalogue that the script is about; a control that is added later leaves the month as it is."""
_ALL = Registry.load()
REGISTRY = Registry(tuple(control for control in _ALL.controls if control.control_id in CONTROLS), _ALL.rules_hash)

_OF_POCKET = ("BANK_STATEMENT", "BROKERAGE_STATEMENT", "POSITION")
_LISTED = ("SECURITY_PRICE", "API_TRANSACTIONS", "API_TRADES")
_REPORTED = ("TRADE_REPORT_CSV", "TRADE_REPORT_KYRIBA_CSV")


@dataclass(frozen=True)
class _Part:
    sha256: str
    byte_length: int = 1


@dataclass(frozen=True)
class _Document:
    """What the archive would say about a document."""

    document_id: str
    kind: str
    pocket_id: str | None
    first: date | None
    last: date | None
    fetched_at: datetime
    sha256: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    source: str = "script"
    created_at_provider: datetime | None = None
    media_type: str | None = None
    report_request_id: str | None = None
    report_id: str | None = None
    pull_key: str | None = None
    reason: str | None = None

    @property
    def parts(self) -> tuple[_Part, ...]:
        return (_Part(self.sha256),)


class Month:
    """The bank of one pocket over the business days of a month, and the warehouse that follows it."""

    def __init__(self, folder: Path, *, seed: int, days: int) -> None:
        span = span_of(days)
        self.first, self.days = span.first, span.business_days
        self.facts: Facts = clean_facts(seed, pockets=1, days=days)
        (self.pocket,) = {row["pocket_id"] for row in self.facts.all("staging.pocket")}
        self.con = duckdb.connect(str(folder / "warehouse.duckdb"), config={"threads": 1})
        with transaction(self.con):
            ddl.create_schema(self.con)
        store_rules(self.con)
        confirm_basis(self.con, customer_id=CUSTOMER, legal_entity_id=ENTITY, basis=DEMO_BASIS,
                      effective_from=self.first, confirmed_by="script")  # fmt: skip
        self._copies = 0
        self.seen: dict[date, dict[str, list[tuple[Any, ...]]]] = {}
        for kind in ("POCKETS", "POCKET_LIVES", "SECURITY_REFERENCE"):
            self.deliver(kind, "", None, at=self.morning(self.first))

    def morning(self, day: date) -> datetime:
        """Eight o'clock in New York on the business day after `day`."""
        return calendars.new_york_instant(calendars.next_fed_business_day(day), time(8))

    def rows(self, kind: str, day: date | None, frame: str) -> list[Row]:
        """What the bank would state now of a kind and day (all days of a snapshot); the script changes these rows."""
        return [
            row
            for row in self.facts.all(f"staging.{frame}")
            if row["document_kind"] == kind and row["scope_date"] == (day or SNAPSHOT_DATE)
        ]

    def deliver(self, kind: str, pocket: str, day: date | None, *, at: datetime) -> str:
        """Loads one document of the kind as the bank states it now; answers its hash."""
        self._copies += 1
        sha = hashlib.sha256(f"{kind} {pocket} {day} {self._copies}".encode()).hexdigest()
        frames = {name: _frame(name, self.rows(kind, day, name)) for name in kind_of(kind).frames}
        document = _Document(sha, kind, pocket or None, day, day, at, sha)
        counted = sum(frames[name].height for name in kind_of(kind).counted)
        item = LoadedDocument(
            document,
            scopes_of(kind, pocket, day, day),
            Finality.AFTER_CUTOFF,
            Reading(frames, rows_in_document=counted),
        )
        load(self.con, LoadBatch(kind, CUSTOMER, ENTITY, day, day, (item,)), run_id=None)
        return sha

    def documents_of(self, day: date) -> Iterable[tuple[str, str, date]]:
        """The documents that the morning after a business day brings; listings also of the days before it."""
        for kind in (*_OF_POCKET, *_REPORTED):
            yield kind, self.pocket, day
        before = calendars.previous_fed_business_day(day)
        for listed in calendars.days(before + timedelta(days=1), day):
            for kind in _LISTED:
                yield kind, "", listed

    def live(
        self,
        day: date,
        *,
        without: Callable[[str], bool] = lambda kind: False,
        again: Iterable[tuple[str, date]] = (),
        also: Iterable[date] = (),
    ) -> None:
        """One morning: what `day` brought, less the kinds held back, with some documents of earlier days `again`.

        `also` are business days before it that no morning has brought yet.
        """
        at = self.morning(day)
        earliest = min([day, *also])
        for held in also:
            for kind, pocket, of_day in self.documents_of(held):
                self.deliver(kind, pocket, of_day, at=at)
        for kind, pocket, of_day in self.documents_of(day):
            if not without(kind):
                self.deliver(kind, pocket, of_day, at=at)
        for kind, of_day in again:
            self.deliver(kind, "" if kind in _LISTED else self.pocket, of_day, at=at + timedelta(minutes=1))
            earliest = min(earliest, of_day)
        first = calendars.previous_fed_business_day(earliest) + timedelta(days=1)
        build_core(self.con, CUSTOMER, ENTITY, first, day, business_day_end=time(19))
        run_id = f"morning-{day}"
        run_controls(self.con, REGISTRY, customer_id=CUSTOMER, legal_entity_id=ENTITY, first=first, last=day,
                     run_id=run_id, now=at + timedelta(minutes=10))  # fmt: skip
        build_close(self.con, customer_id=CUSTOMER, legal_entity_id=ENTITY, first=first, last=day, run_id=run_id,
                    registry=REGISTRY, now=at + timedelta(minutes=12))  # fmt: skip
        self.seen[day] = {name: self.con.execute(query).fetchall() for name, query in _PUBLISHED.items()}

    def known_at(self, day: date) -> dict[str, list[tuple[Any, ...]]]:
        """What the tables say now of what was known when the morning after `day` was done."""
        moment = (self.morning(day) + timedelta(minutes=15)).astimezone(UTC).replace(tzinfo=None)
        return {name: self.con.execute(query, [moment]).fetchall() for name, query in _KNOWN.items()}

    def log(self) -> list[str]:
        """Every event: the day whose morning gave it, event, control, code, business date, key, person."""
        rows = self.con.execute(
            """
            select at_utc, event, control_id, code, business_date, entity_key, actor from recon.break_event
            order by at_utc, event, control_id, code, business_date, entity_key
            """
        ).fetchall()
        return [
            " ".join(
                word
                for word in (
                    str(calendars.new_york_date(at.replace(tzinfo=UTC))), event, control, code, str(day), key,
                    "" if actor == "pipeline" else f"by {actor}",
                )
                if word
            )
            for at, event, control, code, day, key, actor in rows
        ]  # fmt: skip


_RESULT = (
    "select pocket_id, business_date, control_id, entity_key, status, code, reason, left_value, right_value,"
    " difference, detail, break_id from {} order by all"
)
_CLOSE = (
    "select pocket_id, business_date, ready_to_book, not_ready_reasons, open_s1, closing_value from {} order by all"
)
_BREAK = "select * from {} order by break_id"
_PUBLISHED = {
    "result": _RESULT.format("recon.result"),
    "close": _CLOSE.format("mart.daily_close"),
    "break": _BREAK.format('recon."break"'),
}
_KNOWN = {
    "result": _RESULT.format("as_known_at.recon_result(?)"),
    "close": _CLOSE.format("as_known_at.mart_daily_close(?)"),
    "break": _BREAK.format("recon.break_known_at(?)"),
}


def _frame(name: str, rows: list[Row]) -> pl.DataFrame:
    spec = FRAMES[name]
    return pl.DataFrame([[row.get(column) for column in spec.schema] for row in rows], schema=spec.schema, orient="row")
