"""Filling the core tables that mirror a frame: dimensions as a whole, flows by day.

Belongs here: the two builds and what each needs. Does not belong here: which tables there are
(`tables.mirrors`), facts that are classified or joined (`core_build`).
"""

from datetime import date

import duckdb

from jiko_pipeline import calendars
from jiko_pipeline.warehouse.connection import transaction
from jiko_pipeline.warehouse.mirror_sql import is_touched, mirror_sql
from jiko_pipeline.warehouse.tables.mirrors import DIMENSIONS, FLOWS, Mirror


def build_dimensions(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Brings every dimension up to date with staging, for all customers of the file; answers rows by table.

    A table that holds the same versions already is left alone.
    """
    with transaction(con):
        return {mirror.table.qualified_name: _build_dimension(con, mirror) for mirror in DIMENSIONS}


def _build_dimension(con: duckdb.DuckDBPyConnection, mirror: Mirror) -> int:
    table = f'core."{mirror.table.name}"'
    wanted = mirror_sql("dimension.sql", mirror)
    names = ", ".join(f'"{column.name}"' for column in mirror.table.columns)
    con.execute(f"create or replace temp table build_dimension as select {names} from ({wanted}) as wanted")
    try:
        ((differ,),) = con.execute(
            "select exists (from build_dimension except all"
            f" select {names} from {table}) or exists (select {names} from {table} except all from build_dimension)"
        ).fetchall()
        if differ:
            con.execute(f"delete from {table}")
            order = ", ".join(f'"{name}"' for name in mirror.table.key)
            con.execute(f"insert into {table} by name select {names} from build_dimension order by {order}")
        ((rows,),) = con.execute(f"select count(*) from {table}").fetchall()
    finally:
        con.execute("drop table if exists temp.build_dimension")
    return int(rows)


def build_flows(
    con: duckdb.DuckDBPyConnection, customer_id: str, legal_entity_id: str, first: date, last: date
) -> dict[str, dict[date, int]]:
    """Builds the flows of the days `first` to `last`, both included; answers rows by table and day.

    What is stated of months counts for their first days. A fact that has moved to another day moves with its key.
    """
    with transaction(con):
        for name, value in (
            ("build_customer", customer_id),
            ("build_entity", legal_entity_id),
            ("build_first", first),
            ("build_last", last),
        ):
            con.execute(f"set variable {name} = $1", [value])
        return {mirror.table.qualified_name: _build_flow(con, mirror, first, last) for mirror in FLOWS}


def _build_flow(con: duckdb.DuckDBPyConnection, mirror: Mirror, first: date, last: date) -> dict[date, int]:
    table = f'core."{mirror.table.name}"'
    days = (
        "customer_id = getvariable('build_customer')"
        " and stated_on between getvariable('build_first') and getvariable('build_last')"
    )
    keys = ", ".join(f'"{name}"' for name in mirror.frame.key)
    con.execute(
        f'create or replace temp table build_touched as select distinct {keys} from staging."{mirror.frame.name}"'
        f" where customer_id = getvariable('build_customer') and document_kind = '{mirror.kind}'"
        " and scope_date between getvariable('build_first') and getvariable('build_last')"
    )
    # No day is in the key: what is stated of these days may stand in the table under another one.
    con.execute(
        f"delete from {table} as s where customer_id = getvariable('build_customer') and"
        f" (stated_on between getvariable('build_first') and getvariable('build_last')"
        f" or exists (select 1 from build_touched as w where {is_touched(mirror)}))"
    )
    con.execute(mirror_sql("flow.sql", mirror))
    con.execute("drop table temp.build_touched")
    found = dict(con.execute(f"select stated_on, count(*) from {table} where {days} group by stated_on").fetchall())
    return {day: found.get(day, 0) for day in calendars.days(first, last)}
