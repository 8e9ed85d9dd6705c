"""Builds the close from the facts and the results of the controls: lots, holdings, income, bridge, readiness.

Belongs here: the order of the steps and their one transaction. Does not belong here: what the lines mean
(`recon_bridge.sql`, `lots.sql`, `income_daily.sql`) and when a day is ready (`daily_close.sql`).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import resources
from typing import Final

import duckdb

from jiko_pipeline.failpoints import failpoint
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.warehouse.connection import transaction
from jiko_pipeline.warehouse.history import keep_versions
from jiko_pipeline.warehouse.tables import TABLES
from jiko_pipeline.warehouse.tables.holdings import LOT

_WORKING_TABLES: Final = (
    "closing_day",
    "closing_flow",
    "closing_origin",
    "closing_relief",
    "closing_lot",
    "closing_lot_day",
    "closing_carried",
)
_WORKING_MACROS: Final = ("closing_carried_cents", "closing_effective_cents", "closing_money")
_BUILT_BY_DAY: Final = (
    "core.holding_daily",
    "core.income_daily",
    "core.cash_position",
    "mart.recon_bridge",
    "mart.daily_close",
)
"""Made anew from the first day on, in this order; each has a select of its name in this folder."""
_LOTS_STATED_ANEW: Final = "customer_id = $customer_id and (exhausted_on is null or exhausted_on >= $begin)"


@dataclass(frozen=True, slots=True)
class DayClose:
    """The close of one business day over all pockets.

    `unexplained` is the sum of what the bridges leave over, each taken unsigned; None when none could be built.
    """

    business_date: date
    pockets: int
    ready: int
    unexplained: Decimal | None


def build_close(
    con: duckdb.DuckDBPyConnection,
    *,
    customer_id: str,
    legal_entity_id: str,
    first: date,
    last: date,
    run_id: str,
    registry: Registry | None = None,
    now: datetime | None = None,
) -> tuple[DayClose, ...]:
    """Makes the bridge and the close of every judged pocket-day from `first` on; answers for `first` to `last`.

    It begins earlier when the run `run_id` judged earlier days too. Days after `last` are made anew when they have
    been judged: their lots rest on the trades of these days, and an open break of these days keeps them from being
    ready. Rows of a pocket-day that is not judged any more go; a row carries the run that judged it. `con` is the
    writer's connection without an open transaction. `registry` (the packaged controls by default) says which
    controls are required; the close stands from `now` on (an aware instant, that of the clock when None). Raises
    ValueError for a window that ends before it begins.
    """
    if last < first:
        raise ValueError(f"a window ends on or after its first day; {first} to {last} does not")
    required = list((registry or Registry.load()).required)
    scope: dict[str, object] = {"customer_id": customer_id}
    entity: dict[str, object] = {**scope, "legal_entity_id": legal_entity_id}
    with transaction(con):
        begin = _first_day(con, customer_id, run_id, first)
        con.execute(_text("working_functions.sql"))
        con.execute(_text("closing_day.sql"), {**scope, "first": begin})
        con.execute(_text("closing_flow.sql"), scope)
        con.execute(_text("origin.sql"), scope)
        con.execute(_text("relief.sql"))
        con.execute(_text("lots.sql"), scope)
        con.execute(_text("lot_days.sql"))
        con.execute(_text("carried.sql"))
        con.execute(_text("lots_ended.sql"), {**scope, "first": begin})
        con.execute(_text("lot.sql"), {**entity, "first": begin})
        for table in _BUILT_BY_DAY:
            con.execute(f"delete from {table} where customer_id = ? and business_date >= ?", [customer_id, begin])
            parameters = {**entity, "required": required} if table == "mart.daily_close" else entity
            con.execute(_text(f"{table.partition('.')[2]}.sql"), parameters)
        at = now or datetime.now(UTC)
        since = {**scope, "begin": begin}
        keep_versions(con, LOT, at, only=_LOTS_STATED_ANEW, parameters=since)
        for name in _BUILT_BY_DAY:
            keep_versions(
                con,
                TABLES[name],
                at,
                only="customer_id = $customer_id and business_date >= $begin",
                parameters=since,
            )
        failpoint("close-before-commit")
    failpoint("close-committed")
    # Of a transaction that is undone no working table is left.
    for name in _WORKING_TABLES:
        con.execute(f"drop table if exists temp.{name}")
    for name in _WORKING_MACROS:
        con.execute(f"drop macro if exists temp.{name}")
    rows = con.execute(
        """
        select business_date, count(*), count(*) filter (where ready_to_book), sum(abs(unexplained))
        from mart.daily_close
        where customer_id = ? and business_date between ? and ?
        group by business_date
        order by business_date
        """,
        [customer_id, first, last],
    ).fetchall()
    return tuple(DayClose(*row) for row in rows)


def _first_day(con: duckdb.DuckDBPyConnection, customer_id: str, run_id: str, first: date) -> date:
    judged = con.execute(
        "select min(business_date) from recon.result where customer_id = ? and run_id = ?", [customer_id, run_id]
    ).fetchall()[0][0]
    return first if judged is None else min(first, judged)


def _text(name: str) -> str:
    return (resources.files("jiko_pipeline.reconciliation.closing") / name).read_text(encoding="utf-8")
