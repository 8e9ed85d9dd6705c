"""Rows bent every way: each column of a table at each edge, each in a row of its own.

Belongs here: the ways in which a value of a type can be wrong. Does not belong here: rows bent at random
(`disturbance`), edges that several rows make together (the other modules of this room).
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from jiko_pipeline.selftest.facts import Facts, Row
from jiko_pipeline.warehouse.tables import TABLES

Edge = Callable[[Facts, Random], None]


_WHERE_FROM: Final = frozenset(
    {
        "document_id", "document_kind", "document_locator", "scope_pocket_id", "scope_date", "row_ordinal", "entry_seq",
        "detail_seq", "statement_seq", "balance_seq", "customer_id", "legal_entity_id", "output_format",
        "known_from_utc", "known_to_utc",
    }
)  # fmt: skip


_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "activity": ("BUY", "SELL", "MATURITY", "TRANSFER_IN", "TRANSFER_OUT", "SECURITY_TRANSFER"),
    "side": ("BUY", "SELL"),
    "cusip": ("912797AA", "912797AA12", "91279*@#4", "912797aa1", "912797AA9"),
    "trade_status": ("BOOKED", "SETTLED"),
    "transaction_status": ("BOOKED", "SETTLED"),
    "transaction_type": ("ACH", "WIRE", "INTERNATIONAL_WIRE", "ON_US", "USDC", "FEE", "CARD"),
    "request_status": ("PENDING", "DENIED", "CANCELLED", "REJECTED", "COMPLETED", "APPROVED"),
    "member_status": ("ACTIVE", "INACTIVE"),
    "event_type": (
        "transfers.wire.out.success", "transfers.wire.in.success", "transfers.wire.out.rejected",
        "transfers.ach.in.received", "transfers.ach.out.success", "transfers.wire.out.returned",
    ),
    "action": (
        "COUNTERPARTY_EDITED", "TRANSFER_REQUEST_APPROVED", "USER_SIGNED_IN", "USER_LOGIN", "REPORT_ORDERED",
        "DOCUMENT_VIEWED", "REPORTS_READ", "POCKETS_LISTED", "FILE_DOWNLOADED", "LOGS_EXPORTED", "TEAM_CHANGED",
    ),
    "deposit_strategy_id": ("UST-1W", "UST-4W", "UST-52W", "OTHER"),
    "reinvestment_strategy_id": ("UST-1W", "UST-4W", "UST-52W", "OTHER"),
}  # fmt: skip
"""Words that the bank may say in a column, beside those that its rows hold."""


_STRUCTURED: Final = frozenset({"details", "action_details", "payload", "reviewer_ids", "on_us_details", "metadata"})
"""Columns that hold JSON."""


_MOST_OF_A_TABLE: Final = 0.6


_MOST_WORDS: Final = 4


_IDS: Final = ("trade_id", "trade_reference", "activity_id", "transaction_id", "event_id", "entry_id", "request_id")


_CENT: Final = Decimal("0.01")


def bend_every_way(table: str, *columns: str, kind: str | None = None) -> Edge:
    """Each of these columns (all that are filled, when none is named) bent in each way, each in a row of its own."""

    def bend(facts: Facts, draw: Random) -> None:
        rows = [row for row in facts.all(table) if kind is None or row["document_kind"] == kind]
        draw.shuffle(rows)
        required = {column.name: column.required for column in TABLES[table].columns}
        filled = sorted({name for row in rows for name in row if row[name] is not None} - _WHERE_FROM)
        ways = [
            (name, way) for name in filled if name in required and (not columns or name in columns)
            for way in range(_ways(name, rows, required[name]))
        ]  # fmt: skip
        draw.shuffle(ways)
        left = iter(rows[: int(len(rows) * _MOST_OF_A_TABLE)])
        while ways:
            for name, way in ways:
                row = next(left, None)
                if row is None:
                    return
                if row.get(name) is not None:
                    row[name] = _bent(row, name, rows, required[name], draw)[way]

    return bend


def _ways(name: str, rows: Sequence[Row], required: bool) -> int:
    like = next(row for row in rows if row.get(name) is not None)
    return len(_bent(like, name, rows, required, Random(0)))


def _bent(row: Row, name: str, rows: Sequence[Row], required: bool, draw: Random) -> list[Any]:
    """What the column may hold instead, always as many values in the same order of ways."""
    value = row[name]
    found: list[Any] = [] if required else [None]
    if isinstance(value, bool):
        return [*found, not value]
    if isinstance(value, int):
        return [*found, value + 1, value - 1, 0, value * 10, -value]
    if isinstance(value, Decimal):
        return [*found, *_other_numbers(value, name)]
    if isinstance(value, datetime):
        return [*found, *(value + timedelta(seconds=seconds) for seconds in (1, -1, 14_400, -14_400, 86_400, 864_000))]
    if isinstance(value, date):
        return [*found, *_other_days(row, value)]
    if name in _IDS:
        return [*found, f"{value[:-4]}beef"]
    drawn = [str(draw.choice(rows).get(name) or value) for _ in range(_MOST_WORDS)]
    if name in _STRUCTURED:
        return [*found, "{}", *drawn]
    said = [*_WORDS.get(name, ()), *drawn, "another"]
    return [*found, *said]


def _other_numbers(value: Decimal, name: str) -> list[Decimal]:
    if name.startswith("yield"):
        near = (Decimal("0.000049"), Decimal("0.000051"), Decimal("0.000500"))
        return [value + sign * step for step in near for sign in (1, -1)] + [value - value]
    if "price" in name or name == "end_of_day":
        small = (Decimal("0.000001"), Decimal("0.005"), Decimal("0.02"), Decimal("0.3"))
        moved = [value + sign * step for step in small for sign in (1, -1)]
        return [*moved, Decimal("100.000000"), Decimal("100.000001"), Decimal("0.000000"), -value]
    moved = [value + sign * step for step in (_CENT, 2 * _CENT, Decimal(1), Decimal(100)) for sign in (1, -1)]
    return [*moved, value - value, -value, value * 10, (value * _CENT).quantize(_CENT), value * 1000]


def _other_days(row: Row, value: date) -> list[date]:
    others = sorted(
        name
        for name, other in row.items()
        if isinstance(other, date) and not isinstance(other, datetime) and name not in _WHERE_FROM
    )
    steps = (1, -1, 2, 7, 8, -7, 30, 31, -40, 366, 900)
    saturday = value + timedelta(days=(5 - value.weekday()) % 7 or 7)
    return [*(value + timedelta(days=step) for step in steps), saturday, *(row[name] for name in others)]
