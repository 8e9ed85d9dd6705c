"""Kinds of documents as the warehouse sees them: which frames, and which day a row belongs to.

Belongs here: frames of a kind, the scopes a document speaks of. Does not belong here: how a kind is read
(`jiko_pipeline.formats`) or asked for (`jiko_pipeline.bank`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from jiko_pipeline.calendars import days
from jiko_pipeline.errors import JikoPipelineError
from jiko_pipeline.formats.camt053.frames import STATEMENT_FRAMES

SNAPSHOT_DATE: Final = date(1, 1, 1)
"""The scope date of what has no as-of date."""


class Span(StrEnum):
    """How the rows of a document fall on days."""

    DAY = "day"
    """All rows belong to the one day asked for."""
    DATE_COLUMN = "date column"
    """Each row has a date of its own."""
    INSTANT_COLUMN = "instant column"
    """Each row has an instant; its day is the calendar day in New York."""
    PERIOD = "period"
    """All rows belong to the period asked for, which stands for its first day."""
    SNAPSHOT = "snapshot"
    """No day at all."""


class Finality(StrEnum):
    """Whether a document was made before the cut-off of the day it speaks of, or later."""

    PROVISIONAL = "PROVISIONAL"
    AFTER_CUTOFF = "AFTER_CUTOFF"


class Scope(NamedTuple):
    """One pocket (empty when the kind has none) and day of a document.

    `finality` None means that of the document.
    """

    pocket_id: str
    day: date
    finality: Finality | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its frames in order, those whose rows are counted, and the column that dates a row."""

    name: str
    frames: tuple[str, ...]
    counted: tuple[str, ...]
    span: Span
    day_column: str = ""


_STATEMENT_FRAMES: Final = tuple(spec.name for spec in STATEMENT_FRAMES)


def _ranged(name: str, frame: str, span: Span, column: str = "") -> Kind:
    return Kind(name, (frame,), (frame,), span, column)


def _snapshot(name: str, frame: str) -> Kind:
    return Kind(name, (frame,), (frame,), Span.SNAPSHOT)


KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("BANK_STATEMENT", _STATEMENT_FRAMES, ("statement_entry",), Span.DAY),
        Kind("BROKERAGE_STATEMENT", _STATEMENT_FRAMES, ("statement_entry",), Span.DAY),
        _ranged("TRADE_REPORT_CSV", "trade_report", Span.DATE_COLUMN, "trade_date"),
        _ranged("TRADE_REPORT_KYRIBA_CSV", "trade_report", Span.DATE_COLUMN, "trade_date"),
        _ranged("SECURITY_PRICE", "security_price", Span.DATE_COLUMN, "price_date"),
        Kind("POSITION", ("position", "position_cash"), ("position", "position_cash"), Span.DAY),
        _ranged("API_TRANSACTIONS", "api_transaction", Span.INSTANT_COLUMN, "booked_at_utc"),
        _ranged("API_TRADES", "api_trade", Span.INSTANT_COLUMN, "traded_at_utc"),
        _ranged("API_TRANSACTIONS_CSV", "api_transaction", Span.INSTANT_COLUMN, "booked_at_utc"),
        _ranged("API_TRADES_V1", "api_trade", Span.INSTANT_COLUMN, "traded_at_utc"),
        _ranged("API_TRADES_CSV", "api_trade", Span.INSTANT_COLUMN, "traded_at_utc"),
        _ranged("MONTHLY_STATEMENTS", "monthly_statement", Span.PERIOD),
        _ranged("TRANSFER_REQUESTS", "transfer_request", Span.INSTANT_COLUMN, "created_at_utc"),
        Kind("EVENTS", ("event", "event_delivery_attempt"), ("event",), Span.INSTANT_COLUMN, "occurred_at_utc"),
        _ranged("NOTIFICATIONS", "notification", Span.INSTANT_COLUMN, "created_at_utc"),
        _ranged("AUDIT_LOGS", "audit_log", Span.INSTANT_COLUMN, "occurred_at_utc"),
        _ranged("AUDIT_LOGS_CSV", "audit_log", Span.INSTANT_COLUMN, "occurred_at_utc"),
        _ranged("EARNINGS", "earnings", Span.PERIOD),
        _ranged("REPORT_REQUESTS", "report_request", Span.INSTANT_COLUMN, "created_at_utc"),
        _snapshot("POCKETS", "pocket"),
        _snapshot("POCKET_LIVES", "pocket_life"),
        _snapshot("PORTALS", "portal"),
        _snapshot("TRADING_STRATEGIES", "trading_strategy"),
        _snapshot("COUNTERPARTIES", "counterparty"),
        _snapshot("REVIEWERS", "reviewer"),
        _snapshot("SUBSCRIPTIONS", "subscription"),
        _snapshot("CUSTOMER", "customer"),
        _snapshot("BENEFICIAL_OWNERS", "beneficial_owner"),
        _snapshot("TEAM", "team_member"),
        _snapshot("USER", "signed_in_user"),
        _snapshot("MEMBERSHIPS", "membership"),
        _snapshot("AGREEMENTS", "agreement"),
        _snapshot("SECURITY_REFERENCE", "security_reference"),
        _snapshot("EXPECTED_PAYMENTS", "expected_payment"),
        _snapshot("DEBIT_ALLOW_LIST", "debit_allowance"),
        _snapshot("TREASURY_AUCTIONS", "security_reference"),
        _ranged("TREASURY_PRICES", "treasury_price", Span.DATE_COLUMN, "price_date"),
    )
}
"""Every kind by name."""


class UnknownKindError(JikoPipelineError):
    """A kind of document that the warehouse has no tables for: a defect of the caller."""


def kind_of(name: str) -> Kind:
    """The kind called `name`. Raises UnknownKindError."""
    try:
        return KINDS[name]
    except KeyError:
        raise UnknownKindError(f"The warehouse knows no documents of kind {name}.") from None


def scopes_of(kind_name: str, pocket_id: str | None, first: date | None, last: date | None) -> tuple[Scope, ...]:
    """The scopes of a document that was asked for `pocket_id` and the days `first` to `last`, both included.

    A ranged document has one scope a day, rows or none. Raises ValueError when a dated kind lacks its days.
    """
    pocket = pocket_id or ""
    span = kind_of(kind_name).span
    if span is Span.SNAPSHOT:
        return (Scope(pocket, SNAPSHOT_DATE),)
    if first is None or last is None:
        raise ValueError(f"a document of kind {kind_name} needs its first and last day")
    if span is Span.PERIOD:
        return (Scope(pocket, first),)
    return tuple(Scope(pocket, day) for day in days(first, last))
