"""What controls may look at: session tables for one customer and the time around the judged days.

Belongs here: making these tables for a run and taking them away after it. Does not belong here: their
definitions (`evidence/*.sql`, one select each) and the controls.

The tables are copies in the session, so that every control reads the same bounded facts, whatever the
warehouse holds, and no control can name another customer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import resources
from typing import Final

import duckdb

from jiko_pipeline.reconciliation.matching.engine import match_evidence

_BEFORE_JUDGING: Final = ("pocket", "landed_day", "judged_day")
_FACTS: Final = (
    "calendar",
    "basis",
    "delivery",
    "quarantined",
    "document_fact",
    "statement_fact",
    "repeated_row",
    "expected_document",
    "bank_daily",
    "bank_transaction",
    "brokerage_flow",
    "brokerage_daily",
    "api_transaction",
    "trade",
    "trade_report",
    "position_daily",
    "security_price",
    "security",
    "transaction_form",
    "trade_form",
    "audit_form",
    "basis_fit",
    "baseline",
    "baseline_lot",
    "movement_link",
    "returned_movement",
    "earnings",
    "security_issue",
    "asked_range",
    "overlapping_delivery",
    "schema_finding",
    "restatement",
    "signed_period",
    "transfer_request",
    "audit_entry",
    "listing",
    "team_member",
    "reviewer",
    "own_user",
    "counterparty",
    "pocket_version",
    "party_change",
    "event",
    "seen_pocket",
    "transaction_party",
    "expected_payment",
    "expected_list",
    "debit_allowance",
    "treasury_price",
)
EVIDENCE_TABLES: Final = (*_BEFORE_JUDGING, *_FACTS, "matched")
"""Every name a control may read."""

_HISTORY_DAYS: Final = 30
"""Calendar days before the first judged day that are always in sight."""
_FOLLOWING_DAYS: Final = 14
"""Calendar days after the last judged day: five business days over any holiday."""


@dataclass(frozen=True, slots=True)
class JudgedSpan:
    """The first and the last judged day, both included."""

    first: date
    last: date


def sql_text(folder: str, name: str) -> str:
    """The text of an SQL file of this room; `folder` is empty for the room itself."""
    room = resources.files("jiko_pipeline.reconciliation")
    return (room / folder / name if folder else room / name).read_text(encoding="utf-8")


@contextmanager
def evidence(
    con: duckdb.DuckDBPyConnection, *, customer_id: str, first: date, last: date
) -> Iterator[JudgedSpan | None]:
    """The evidence tables for judging the window from `first` to `last` (both included), while it lasts.

    Yields None when no day of the window is to be judged: no pocket lives then, or no business day is in it.
    """
    con.execute(sql_text("", "prelude.duckdb.sql"))
    _bind(con, customer_id=customer_id, window_first=first, window_last=last)
    try:
        for name in _BEFORE_JUDGING:
            _copy(con, name)
        span = _span(con)
        if span is not None:
            _bind(con, history_first=_history_first(con, span), following_last=_following_last(span))
            for name in _FACTS:
                _copy(con, name)
            match_evidence(con)
        yield span
    finally:
        for name in EVIDENCE_TABLES:
            con.execute(f"drop table if exists temp.{name}")


def _bind(con: duckdb.DuckDBPyConnection, **values: str | date) -> None:
    for name, value in values.items():
        con.execute(f"set variable {name} = ?", [value])


def _copy(con: duckdb.DuckDBPyConnection, name: str) -> None:
    con.execute(f"create or replace temp table {name} as\n{sql_text('evidence', f'{name}.sql')}")


def _span(con: duckdb.DuckDBPyConnection) -> JudgedSpan | None:
    first, last = con.execute("select min(business_date), max(business_date) from judged_day").fetchall()[0]
    return None if first is None else JudgedSpan(first, last)


def _history_first(con: duckdb.DuckDBPyConnection, span: JudgedSpan) -> date:
    """Far enough back that each judged pocket's last documented day before the span is in sight."""
    before = con.execute(
        """
        select min(last_before) from (
            select max(scope_date) as last_before
            from raw.delivery
            where customer_id = getvariable('customer_id')
              and scope_pocket_id in (select pocket_id from judged_day)
              and scope_date < ?
            group by scope_pocket_id
        )
        """,
        [span.first],
    ).fetchall()[0][0]
    usual = span.first - timedelta(days=_HISTORY_DAYS)
    return usual if before is None or before < date(1900, 1, 1) else min(before, usual)


def _following_last(span: JudgedSpan) -> date:
    return span.last + timedelta(days=_FOLLOWING_DAYS)
