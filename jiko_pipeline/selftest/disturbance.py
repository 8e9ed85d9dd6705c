"""Disturbed worlds: rows bent at random, so that controls meet what no fault of the catalogue has thought of.

Belongs here: bending rows. Does not belong here: faults, of which somebody has foretold what they cause (`faults`,
`planting`).
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from jiko_pipeline.selftest.facts import Facts, Row
from jiko_pipeline.warehouse.tables import TABLES

_KEPT: Final = frozenset(
    {
        "document_id", "document_kind", "document_locator", "scope_pocket_id", "scope_date", "row_ordinal", "entry_seq",
        "detail_seq", "customer_id", "legal_entity_id", "currency", "pocket_name",
    }
)  # fmt: skip
"""Where a row is from, which no document says of itself."""
_OF_POCKETS: Final = frozenset({"staging.pocket", "staging.pocket_life"})
"""Left as they are: whatever is judged is judged of a pocket and its life."""
_MOST_ROWS: Final = 4000
_CENT: Final = Decimal("0.01")
_MONEY: Final[tuple[Callable[[Decimal], Decimal], ...]] = (
    lambda value: value + _CENT,
    lambda value: value - _CENT,
    lambda value: value + 100,
    lambda value: -value,
    lambda value: value - value,
)
_DAYS: Final = (-3, -1, 1, 1, 2, 7)


def disturb(facts: Facts, seed: object, share: float) -> int:
    """Bends about `share` of all rows of documents, each in one way; answers how many. The same seed bends alike."""
    draw = Random(f"disturbance|{seed}")
    bent = 0
    for table in sorted(table for table in facts.tables if table.startswith("staging.") and table not in _OF_POCKETS):
        rows = list(facts.all(table))
        if len(rows) > _MOST_ROWS:
            # The lists of every bill ever issued: a share of them would hit none that is held.
            continue
        for row in rows:
            if draw.random() < share:
                _bend(facts, table, row, rows, draw)
                bent += 1
    for statement in list(facts.all("staging.statement")):
        if draw.random() < 2 * share:
            draw.choice((_empty, _keep_overnight))(facts, statement)
            bent += 1
    return bent


def _empty(facts: Facts, statement: Row) -> None:
    """A statement without any entry."""
    for table in ("staging.statement_entry", "staging.statement_entry_detail"):
        for row in _of(facts, table, statement):
            facts.drop(table, row)


def _keep_overnight(facts: Facts, statement: Row) -> None:
    """An entry of which the closing balance knows: the statement foots, and the account keeps money overnight."""
    closing = [row for row in _of(facts, "staging.statement_balance", statement) if row["balance_code"] == "CLBD"]
    for entry in _of(facts, "staging.statement_entry", statement)[:1]:
        for row in (entry, *closing):
            for name in ("signed_amount", "amount"):
                if isinstance(row.get(name), Decimal):
                    row[name] += 100


def _of(facts: Facts, table: str, statement: Row) -> list[Row]:
    scope = {name: statement[name] for name in ("document_kind", "scope_pocket_id", "scope_date")}
    return facts.find(table, **scope)


def _bend(facts: Facts, table: str, row: Row, rows: list[Row], draw: Random) -> None:
    how = draw.random()
    if how < 0.1:
        facts.drop(table, row)
        return
    if how < 0.15:
        facts.again(table, row)
        return
    required = {column.name: column.required for column in TABLES[table].columns}
    names = sorted(name for name in row.keys() - _KEPT if name in required and row[name] is not None)
    if names:
        name = draw.choice(names)
        row[name] = None if how < 0.4 and not required[name] else _other(row, name, rows, draw)


def _other(row: Mapping[str, Any], name: str, rows: list[Row], draw: Random) -> object:
    value = row[name]
    if isinstance(value, Decimal):
        return draw.choice(_MONEY)(value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + draw.choice((-1, 1))
    if isinstance(value, datetime | date):
        return value + timedelta(days=draw.choice(_DAYS))
    return draw.choice(rows).get(name) or value
