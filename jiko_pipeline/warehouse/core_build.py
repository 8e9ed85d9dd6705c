"""Building core: the current view of every fact, from the current rows of staging and from nothing else.

Belongs here: the order in which the tables are built and what each needs beside staging. The select of each
table is in `core/`. Does not belong here: versions (`jiko_pipeline.warehouse.load`), judging
(`jiko_pipeline.reconciliation`).

The days asked for are deleted and inserted in one transaction. What was landed in which order, or cut into
which windows, leaves no trace in the result.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import duckdb
import polars as pl

from jiko_pipeline import calendars
from jiko_pipeline.failpoints import failpoint
from jiko_pipeline.tbill import is_valid_cusip, isin
from jiko_pipeline.warehouse.connection import transaction
from jiko_pipeline.warehouse.coverage import landed_span
from jiko_pipeline.warehouse.ddl import package_sql
from jiko_pipeline.warehouse.frames import frame_from, query, registered
from jiko_pipeline.warehouse.tables import TABLES

_DAY_COLUMNS: Final = {
    "core.bank_daily": "business_date",
    "core.bank_transaction": "business_date",
    "core.brokerage_flow": "business_date",
    "core.brokerage_daily": "business_date",
    "core.position_daily": "business_date",
    "core.security_price": "price_date",
    "core.api_transaction": "booked_on",
    "core.trade": "trade_date",
    "core.trade_report": "trade_date",
}
"""The tables that are built by day, in order, with the column that holds the day."""

_KEYED: Final = {
    "core.api_transaction": ("build_touched_transaction", "staging.api_transaction", "activity_id"),
    "core.trade": ("build_touched_trade", "staging.api_trade", "trade_id"),
    "core.trade_report": ("build_touched_report", "staging.trade_report", "trade_reference"),
}
"""The tables whose key holds no day, so that a fact may move from one day to another."""


def build_core(
    con: duckdb.DuckDBPyConnection,
    customer_id: str,
    legal_entity_id: str,
    first: date,
    last: date,
    *,
    business_day_end: time,
) -> dict[str, dict[date, int]]:
    """Builds core for the days `first` to `last`, both included, and answers rows by table and day.

    `business_day_end` is the New York time from which money that moves belongs to the next Fed business day.
    Pockets, securities and the calendar are brought up to date as a whole. Days without rows count 0.
    """
    with transaction(con):
        for name, value in (
            ("build_customer", customer_id),
            ("build_entity", legal_entity_id),
            ("build_first", first),
            ("build_last", last),
        ):
            con.execute(f"set variable {name} = $1", [value])
        _build_whole_tables(con, customer_id)
        _stage_scopes(con)
        _stage_instants(con, business_day_end)
        for table in _DAY_COLUMNS:
            _delete_days(con, table)
            con.execute(package_sql("core", f"{table.removeprefix('core.')}.sql"))
        counts = {table: _rows_per_day(con, table, first, last) for table in _DAY_COLUMNS}
        for name in ("build_scope", "build_refused", "build_instant", *(k[0] for k in _KEYED.values())):
            con.execute(f"drop table temp.{name}")
        failpoint("build-before-commit")
    failpoint("build-committed")
    return counts


def build_references(con: duckdb.DuckDBPyConnection, customer_id: str) -> None:
    """Brings bills, pockets and the calendar up to date as a whole, as `build_core` does, without any day."""
    with transaction(con):
        _build_whole_tables(con, customer_id)


def _delete_days(con: duckdb.DuckDBPyConnection, table: str) -> None:
    keyed = _KEYED.get(table)
    if keyed is None:
        con.execute(
            f"delete from {table} where customer_id = getvariable('build_customer') and"
            f" {_DAY_COLUMNS[table]} between getvariable('build_first') and getvariable('build_last')"
        )
        return
    touched, staged, key = keyed
    con.execute(
        f"create or replace temp table {touched} as select distinct {key} from {staged}"
        " where customer_id = getvariable('build_customer')"
        " and scope_date between getvariable('build_first') and getvariable('build_last')"
    )
    con.execute(
        f"delete from {table} where customer_id = getvariable('build_customer')"
        f" and {key} in (select {key} from {touched})"
    )


def _rows_per_day(con: duckdb.DuckDBPyConnection, table: str, first: date, last: date) -> dict[date, int]:
    day = _DAY_COLUMNS[table]
    found = dict(
        con.execute(
            f"select {day}, count(*) from {table} where customer_id = getvariable('build_customer')"
            f" and {day} between getvariable('build_first') and getvariable('build_last') group by {day}"
        ).fetchall()
    )
    return {on: found.get(on, 0) for on in calendars.days(first, last)}


def _stage_scopes(con: duckdb.DuckDBPyConnection) -> None:
    """Which scopes are in quarantine, and which of the days asked for are current, with their best finality."""
    con.execute(package_sql("core", "build_refused.sql"))
    con.execute(package_sql("core", "build_scope.sql"))


def _stage_instants(con: duckdb.DuckDBPyConnection, business_day_end: time) -> None:
    """Every instant at which the New York day or the Fed business date changes, over all instants of the data."""
    ((first, last),) = con.execute(
        "select min(at_utc), max(at_utc) from ("
        "select booked_at_utc as at_utc from staging.api_transaction"
        " where scope_date between getvariable('build_first') and getvariable('build_last')"
        " union all select traded_at_utc from staging.api_trade"
        " where scope_date between getvariable('build_first') and getvariable('build_last'))"
    ).fetchall()
    ((earliest, latest),) = con.execute("select getvariable('build_first'), getvariable('build_last')").fetchall()
    if first is not None:
        earliest, latest = min(earliest, first.date()), max(latest, last.date())
    con.execute("create or replace temp table build_instant (from_utc timestamp, booked_on date, business_date date)")
    with registered(con, "build_input", _instants(earliest, latest, business_day_end)):
        con.execute("insert into build_instant by name select * from build_input")
    _remember_boundaries(con)


def _remember_boundaries(con: duckdb.DuckDBPyConnection) -> None:
    """Keeps the instants for core as it was known earlier; writes nothing when they are there already."""
    missing = "select * from build_instant except select from_utc, booked_on, business_date from core.day_boundary"
    if con.execute(f"select count(*) from ({missing}) as missing").fetchall() == [(0,)]:
        return
    con.execute(
        "delete from core.day_boundary where from_utc between"
        " (select min(from_utc) from build_instant) and (select max(from_utc) from build_instant)"
    )
    con.execute("insert into core.day_boundary by name select * from build_instant order by from_utc")


def _instants(first: date, last: date, business_day_end: time) -> pl.DataFrame:
    rows = []
    for day in calendars.days(first - timedelta(days=2), last + timedelta(days=2)):
        starts = [calendars.day_bounds(day)[0]]
        if business_day_end > time(0):
            starts.append(calendars.new_york_instant(day, business_day_end))
        for start in starts:
            rows.append((_naive(start), day, calendars.business_date_of(start, business_day_end)))
    return pl.DataFrame(
        rows,
        schema={"from_utc": pl.Datetime("us"), "booked_on": pl.Date, "business_date": pl.Date},
        orient="row",
    )


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)


def _build_whole_tables(con: duckdb.DuckDBPyConnection, customer_id: str) -> None:
    cusips = [
        cusip
        for (cusip,) in con.execute(
            "select distinct cusip from staging.security_reference where known_to_utc is null"
        ).fetchall()
    ]
    isins = pl.DataFrame(
        [(cusip, isin(cusip)) for cusip in cusips if is_valid_cusip(cusip)],
        schema={"cusip": pl.String, "isin": pl.String},
        orient="row",
    )
    with registered(con, "build_isin", isins):
        _replace(con, "core.security", query(con, package_sql("core", "security.sql")))
    _replace(con, "core.pocket", query(con, package_sql("core", "pocket.sql")))
    span = landed_span(con, customer_id)
    if span is not None:
        _extend_calendar(con, span[0].year - 1, span[1].year + 1)


def _replace(con: duckdb.DuckDBPyConnection, table: str, wanted: pl.DataFrame) -> None:
    """Makes `table` hold exactly the rows of `wanted`, and writes nothing when it does already."""
    spec = TABLES[table]
    columns = [column.name for column in spec.columns]
    wanted = wanted.select(columns).sort(spec.key)
    held = query(con, f"select {', '.join(columns)} from {table}").sort(spec.key)
    if wanted.rows() == held.rows():
        return
    con.execute(f"delete from {table}")
    with registered(con, "build_input", wanted):
        con.execute(f"insert into {table} by name select * from build_input")


def _extend_calendar(con: duckdb.DuckDBPyConnection, first_year: int, last_year: int) -> None:
    held = {int(year) for (year,) in con.execute("select distinct year(business_date) from core.calendar").fetchall()}
    missing = [year for year in range(first_year, last_year + 1) if year not in held]
    if not missing:
        return
    rows = [row for year in missing for row in _calendar_rows(year)]
    with registered(con, "build_input", frame_from(TABLES["core.calendar"], rows)):
        con.execute("insert into core.calendar by name select * from build_input order by business_date")


def _calendar_rows(year: int) -> Iterable[tuple[object, ...]]:
    for day in calendars.days(date(year, 1, 1), date(year, 12, 31)):
        yield (
            day,
            calendars.is_fed_business_day(day),
            calendars.is_sifma_full_close(day),
            calendars.is_trading_day(day),
            calendars.next_fed_business_day(day),
            calendars.previous_fed_business_day(day),
            calendars.business_day_index(day),
        )
