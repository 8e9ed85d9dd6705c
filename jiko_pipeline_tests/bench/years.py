"""What one day costs in a warehouse of years: the controls and the close of the last day, whatever lies before it.

Belongs here: the making of such a warehouse, its last day, the years compared. Does not belong here: a window of the
demo (`rooms`), matching by itself (`matching`).

One pocket is the simulated bank's, judged and closed from its first day to its last; the other ninety-nine are its
copies, made in SQL with identifiers of their own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb

from jiko_pipeline import calendars
from jiko_pipeline.reconciliation.closing.build import build_close
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.reconciliation.runner import run_controls
from jiko_pipeline.selftest.facts import CUSTOMER, ENTITY
from jiko_pipeline.selftest.worlds import WorldSpan, clean_facts, proving, span_of
from jiko_pipeline.warehouse.connection import connection_settings
from jiko_pipeline_tests.bench.measuring import Cost, Figure, cost_of

POCKETS: Final = 100
YEARS: Final = (1, 2, 5)
_LAST: Final = date(2024, 12, 17)
_DAYS_A_YEAR: Final = 250
_SEED: Final = 7
_NOW: Final = datetime(2025, 1, 15, 9, tzinfo=UTC)
_POCKET_COLUMNS: Final = ("pocket_id", "scope_pocket_id")
_OWN_IDS: Final = frozenset(
    {
        "activity_id",
        "transaction_id",
        "trade_id",
        "trade_reference",
        "bank_transaction_key",
        "brokerage_flow_key",
        "break_id",
        "lot_id",
        "statement_id",
        "account_id",
        "bank_reference",
        "end_to_end_id",
    }
)
"""Columns whose values are one pocket's alone; a copy of the pocket gets its own."""


def judging_a_day() -> Iterator[Figure]:
    """The controls of the last day, and its close, over one, two and five years; the yardstick is the shortest."""
    shortest: tuple[Cost, Cost] | None = None
    for years in YEARS:
        with warehouse_of(years * _DAYS_A_YEAR, POCKETS) as (con, span):
            costs = day_costs(con, span)
            amount = f"{years} years, {POCKETS} pockets, {_rows(con):,} results"
        shortest = shortest or costs
        for what, cost, against in zip(("controls of a day", "close of a day"), costs, shortest, strict=True):
            yield Figure(what, amount, cost, f"over {YEARS[0]} year", against)


def day_costs(con: duckdb.DuckDBPyConnection, span: WorldSpan) -> tuple[Cost, Cost]:
    """What the controls and the close of the last day cost, the days before it having been judged."""
    before = calendars.previous_fed_business_day(span.last)
    _judge(con, before, "the day before")
    for table in ("recon.result", "history.recon_result"):
        con.execute(f"delete from {table} where customer_id = ? and business_date = ?", [CUSTOMER, span.last])
    con.execute("checkpoint")
    controls = cost_of(lambda: _judge(con, span.last, "the day"), goes=1)
    return controls, cost_of(lambda: _close(con, span.last, span.last, "the day"), goes=1)


@contextmanager
def warehouse_of(days: int, pockets: int) -> Iterator[tuple[duckdb.DuckDBPyConnection, WorldSpan]]:
    """A warehouse file with `days` business days of as many pockets, judged and closed; it goes with the block."""
    first = _LAST
    for _ in range(days - 1):
        first = calendars.previous_fed_business_day(first)
    span = span_of(days, first)
    with TemporaryDirectory(prefix="jiko-bench-years-") as folder:
        file = Path(folder) / "warehouse.duckdb"
        with proving(clean_facts(_SEED, pockets=1, days=days, start=first)) as template:
            _judge(template, span.last, "the template", span.first)
            _close(template, span.first, span.last, "the template")
            ((name,),) = template.execute("select current_database()").fetchall()
            template.execute(f"attach '{file}' as copies (storage_version 'v1.2.0')")
            template.execute(f'copy from database "{name}" to copies')
            template.execute("detach copies")
        with duckdb.connect(str(file), config=connection_settings()) as con:
            _copy_pocket(con, pockets)
            con.execute("checkpoint")
            yield con, span


def _copy_pocket(con: duckdb.DuckDBPyConnection, pockets: int) -> None:
    ((pocket_id,),) = con.execute("select pocket_id from core.pocket").fetchall()
    con.execute(f"create temp table copy_no as select cast(range as varchar) as no from range(2, {pockets} + 1)")
    columns: dict[str, list[str]] = {}
    for schema, table, column in con.execute(
        "select schema_name, table_name, column_name from duckdb_columns()"
        " where schema_name in ('raw', 'staging', 'core', 'recon', 'mart', 'history') and not internal"
        " and (schema_name, table_name) in (select (schema_name, table_name) from duckdb_tables())"
        " order by schema_name, table_name, column_index"
    ).fetchall():
        columns.setdefault(f'{schema}."{table}"', []).append(column)
    for table, names in columns.items():
        own = [name for name in _POCKET_COLUMNS if name in names]
        if own:
            con.execute(
                f"insert into {table} select {', '.join(_copied(name) for name in names)}"
                f" from {table} as row cross join copy_no where row.{own[0]} = ?",
                [pocket_id],
            )
    con.execute("drop table temp.copy_no")


def _copied(column: str) -> str:
    if column in _OWN_IDS or column in _POCKET_COLUMNS:
        return f"case when row.{column} <> '' then row.{column} || '-' || no else row.{column} end"
    return f'row."{column}"'


def _judge(con: duckdb.DuckDBPyConnection, last: date, run_id: str, first: date | None = None) -> None:
    run_controls(
        con,
        Registry.load(),
        customer_id=CUSTOMER,
        legal_entity_id=ENTITY,
        first=first or last,
        last=last,
        run_id=run_id,
        now=_NOW,
    )


def _close(con: duckdb.DuckDBPyConnection, first: date, last: date, run_id: str) -> None:
    build_close(con, customer_id=CUSTOMER, legal_entity_id=ENTITY, first=first, last=last, run_id=run_id, now=_NOW)


def _rows(con: duckdb.DuckDBPyConnection) -> int:
    ((rows,),) = con.execute("select count(*) from recon.result").fetchall()
    return int(rows)
