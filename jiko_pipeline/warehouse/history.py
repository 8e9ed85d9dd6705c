"""Keeping versions of what runs and people wrote, so that it can be told later what stood there when.

Belongs here: comparing a table with the versions of it that are open, ending and beginning versions. Does not
belong here: which tables are kept (`warehouse.tables.history`), asking for an earlier state (`warehouse.as_known`).

Only what has changed is written: a day judged again with the same results leaves nothing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import duckdb

from jiko_pipeline.warehouse.tables.core import CLASSIFICATION_RULE
from jiko_pipeline.warehouse.tables.history import KEPT_WHOLE
from jiko_pipeline.warehouse.tables.spec import TableSpec

_BEGINNING: Final = datetime(1, 1, 1)  # noqa: DTZ001 - as the warehouse stores instants, UTC without a zone


def keep_versions(
    con: duckdb.DuckDBPyConnection,
    spec: TableSpec,
    at: datetime,
    *,
    only: str = "true",
    parameters: Mapping[str, Any] | None = None,
) -> datetime:
    """Brings the versions of `spec` up to what the table holds, among the rows for which `only` holds.

    `at` is an aware instant. Answers the instant (naive UTC) from which the new state stands: `at`, or just after
    the latest change that is known already, so that versions never overlap. The caller holds a transaction.
    """
    table, kept = f'{spec.schema}."{spec.name}"', f'history."{spec.schema}_{spec.name}"'
    names = ", ".join(f'"{column.name}"' for column in spec.columns)
    equal = " and ".join(f'held."{c.name}" is not distinct from now."{c.name}"' for c in spec.content_columns)
    given = dict(parameters or {})
    now = f"(select {names} from {table} where {only}) as now"
    held = f"(select rowid as version, {names} from {kept} where known_to_utc is null and {only}) as held"
    gone = con.execute(f"select held.version from {held} anti join {now} on {equal}", given).fetchall()
    ended = [version for (version,) in gone]
    ((begun,),) = con.execute(f"select count(*) from {now} anti join {held} on {equal}", given).fetchall()
    moment = _moment(con, spec, at)
    if begun:
        con.execute(
            f"insert into {kept} ({names}, known_from_utc) select now.*, cast($at as timestamp)"
            f" from {now} anti join {held} on {equal} order by {', '.join(f'now.{name}' for name in spec.key)}",
            {**given, "at": moment},
        )
    if ended:
        con.execute(
            f"update {kept} set known_to_utc = cast($at as timestamp) where rowid in (select unnest($ended))",
            {"at": moment, "ended": ended},
        )
    return moment


def _moment(con: duckdb.DuckDBPyConnection, spec: TableSpec, at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone; naive times are refused")
    wanted = at.astimezone(UTC).replace(tzinfo=None)
    latest: datetime | None
    ((latest,),) = con.execute(
        f"select greatest(max(known_from_utc), max(known_to_utc)) from history.{spec.schema}_{spec.name}"
    ).fetchall()
    if latest is not None:
        return max(wanted, latest + timedelta(microseconds=1))
    # The rules that a warehouse was born with hold for all that it was ever told.
    return _BEGINNING if spec is CLASSIFICATION_RULE else wanted


def keep_whole_tables(con: duckdb.DuckDBPyConnection, at: datetime) -> datetime:
    """Keeps the versions of every small table; answers the instant from which all of them stand.

    The caller holds a transaction.
    """
    return max(keep_versions(con, spec, at) for spec in KEPT_WHOLE)
