"""Trade confirmations: each fetched just in time, compared with its trade, and let go.

Belongs here: which trades have one, fetching, what is kept of it. Does not belong here: reading it
(`formats.confirmation`).

Jiko asks that confirmations be fetched when needed: hash and result are kept, the file only when
`JIKO_KEEP_CONFIRMATIONS` says so, the link never.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import duckdb

from jiko_pipeline.archive import Document
from jiko_pipeline.bank.client.jiko import JikoClient
from jiko_pipeline.bank.errors import (
    ContractBrokenError,
    DownloadRefusedError,
    NotFoundError,
    PermissionRefusedError,
)
from jiko_pipeline.formats.confirmation import FIELDS, compare, lines_of
from jiko_pipeline.formats.reading import RefusedDocumentError
from jiko_pipeline.pipeline.fetching import Desk, open_desk
from jiko_pipeline.pipeline.turn import end_turn, take_turn
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.connection import transaction
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.frames import frame_from, registered
from jiko_pipeline.warehouse.publish import publish, published
from jiko_pipeline.warehouse.tables import TABLES

AGREES: Final = "AGREES"
DIFFERS: Final = "DIFFERS"
UNREADABLE: Final = "UNREADABLE"
MISSING: Final = "MISSING"
REFUSED: Final = "REFUSED"
CONFIRMED_ACTIVITIES: Final = ("BUY", "SELL")
"""A maturity has no confirmation."""


@dataclass(frozen=True, slots=True)
class Check:
    """One trade against its confirmation; `sha256` None when there was none."""

    trade_id: str
    pocket_id: str
    trade_date: date
    outcome: str
    fields: tuple[str, ...]
    compared: int
    sha256: str | None
    checked_at: datetime


def check_confirmations(settings: Settings, first: date, last: date) -> list[Check]:
    """Compares every purchase and sale traded on `first` to `last` with its confirmation.

    Results stand in core.trade_confirmation_check, a later one in place of an earlier one, and are published.
    """
    with published(settings) as con:
        trades = _trades(con, settings.profile, first, last)
    if not trades:
        return []
    checks: list[Check] = []
    try:
        with open_desk(settings) as desk:
            client = JikoClient(desk.bank.api, desk.bank.downloads, desk.bank.contract)
            for trade in trades:
                checks.append(_check(desk, client, trade))
    finally:
        # When the bank falls silent midway, what was compared is kept.
        if checks:
            _keep_results(settings, checks)
    return checks


def _keep_results(settings: Settings, checks: Sequence[Check]) -> None:
    take_turn(settings)
    try:
        with Warehouse(settings).existing() as con:
            _enter(con, settings, checks)
        publish(settings)
    finally:
        end_turn(settings)


def outcomes(checks: Sequence[Check]) -> Mapping[str, int]:
    """How many checks ended how."""
    return Counter(check.outcome for check in checks)


def _trades(con: duckdb.DuckDBPyConnection, customer_id: str, first: date, last: date) -> list[dict[str, Any]]:
    names = (*FIELDS, "trade_date")
    rows = con.execute(
        f"select {', '.join(names)} from core.trade where customer_id = ? and trade_date between ? and ?"
        " and activity in (select unnest(?)) order by trade_date, trade_id",
        [customer_id, first, last, list(CONFIRMED_ACTIVITIES)],
    ).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]


def _check(desk: Desk, client: JikoClient, trade: Mapping[str, Any]) -> Check:
    sha256 = None
    fields: tuple[str, ...] = ()
    compared = 0
    try:
        body = client.trades.confirmation(trade["pocket_id"], trade["trade_id"])
    except NotFoundError:
        outcome = MISSING
    except (PermissionRefusedError, DownloadRefusedError, ContractBrokenError):
        outcome = REFUSED
    else:
        sha256 = hashlib.sha256(body).hexdigest()
        if desk.settings.keep_confirmations:
            _keep(desk, trade, body)
        try:
            comparison = compare(trade, lines_of(body))
        except RefusedDocumentError:
            outcome = UNREADABLE
        else:
            fields, compared = comparison.differing, comparison.compared
            outcome = DIFFERS if fields else AGREES
    return Check(
        trade_id=trade["trade_id"],
        pocket_id=trade["pocket_id"],
        trade_date=trade["trade_date"],
        outcome=outcome,
        fields=fields,
        compared=compared,
        sha256=sha256,
        checked_at=datetime.now(UTC),
    )


def _keep(desk: Desk, trade: Mapping[str, Any], body: bytes) -> None:
    desk.archive.record(
        Document(
            kind="TRADE_CONFIRMATION",
            customer_id=desk.settings.profile,
            pocket_id=trade["pocket_id"],
            first=trade["trade_date"],
            last=trade["trade_date"],
            parameters={"trade_id": trade["trade_id"]},
            parts=(desk.archive.store_bytes(body),),
            source="trades.confirmation",
            created_at_provider=None,
            fetched_at=datetime.now(UTC),
            media_type="application/pdf",
            report_request_id=None,
            report_id=None,
            pull_key=None,
            reason=None,
            world=desk.bank.identity,
        )
    )


def _enter(con: duckdb.DuckDBPyConnection, settings: Settings, checks: Sequence[Check]) -> None:
    rows = [
        (
            settings.profile,
            settings.legal_entity_id,
            check.trade_id,
            check.pocket_id,
            check.trade_date,
            check.outcome,
            ",".join(check.fields),
            check.compared,
            check.sha256,
            check.checked_at.replace(tzinfo=None),
        )
        for check in checks
    ]
    frame = frame_from(TABLES["core.trade_confirmation_check"], rows)
    with transaction(con), registered(con, "load_input", frame):
        con.execute(
            "delete from core.trade_confirmation_check where customer_id = $1"
            " and trade_id in (select trade_id from load_input)",
            [settings.profile],
        )
        con.execute("insert into core.trade_confirmation_check by name select * from load_input")
