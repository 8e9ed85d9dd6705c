"""The statements of one load, in order.

Belongs here: filling the templates of `load_sql/` from the declarations and running them. Does not belong
here: what a load is given (`jiko_pipeline.warehouse.load`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Final

import duckdb
import polars as pl

from jiko_pipeline.formats.frames import Role
from jiko_pipeline.warehouse.frames import registered
from jiko_pipeline.warehouse.hashing import text_of
from jiko_pipeline.warehouse.kinds import KINDS, Kind
from jiko_pipeline.warehouse.load_rows import PreparedRows
from jiko_pipeline.warehouse.tables import TABLES
from jiko_pipeline.warehouse.tables.spec import TableSpec
from jiko_pipeline.warehouse.tables.staging import QUARANTINE

_SCOPE_KEY: Final = 4
"""How many columns of a staging key name the scope: customer, kind, pocket, day."""

_OWN_COLUMNS: Final = frozenset(
    {"customer_id", "legal_entity_id", "document_kind", "scope_pocket_id", "scope_date", "row_ordinal"}
    | {"row_hash", "document_id", "document_sha256", "report_request_id", "report_id"}
    | {"known_from_utc", "known_to_utc", "loaded_run_id"}
)
"""What the warehouse adds to the columns of a frame."""


@dataclass(frozen=True, slots=True)
class Staged:
    """What a batch laid out in temporary tables.

    `turns`: how many deliveries a scope has at most. `filled`: names of the staging tables that it has rows
    for; most kinds reject nothing, and planning a statement takes longer than running it on no rows.
    `has_refusals`: whether a document was refused.
    """

    turns: int
    filled: frozenset[str]
    has_refusals: bool


@cache
def _sql(name: str) -> str:
    return resources.files(__package__).joinpath("load_sql", name).read_text(encoding="utf-8")


def _stated_columns(spec: TableSpec) -> list[str]:
    return [column.name for column in spec.columns if column.name not in _OWN_COLUMNS]


def _hashed_columns(spec: TableSpec) -> list[str]:
    stated = [c.name for c in spec.columns if c.name not in _OWN_COLUMNS and c.role is Role.CONTENT]
    return [*stated, "rejected_text"] if spec is QUARANTINE else stated


def _quoted_list(columns: list[str], alias: str) -> str:
    return ", ".join(f'{alias}."{name}"' for name in columns)


def staging_tables(kind: Kind) -> list[TableSpec]:
    """The staging tables that a kind fills: those of its frames, and the quarantine for rows kept aside."""
    return [*(TABLES[f"staging.{name}"] for name in kind.frames), QUARANTINE]


def _rows_table(spec: TableSpec) -> str:
    return f"load_row_{spec.name}"


def _table(spec: TableSpec) -> str:
    return f'{spec.schema}."{spec.name}"'


def stage(
    con: duckdb.DuckDBPyConnection,
    kind: Kind,
    rows: PreparedRows,
    documents: pl.DataFrame,
    scopes: pl.DataFrame,
    bounds: Mapping[str, Any],
) -> Staged:
    """Lays the batch out in temporary tables."""
    for name, frame in (("load_document", documents), ("load_scope", scopes)):
        with registered(con, "load_input", frame):
            con.execute(f"create or replace temp table {name} as select * from load_input")
    rejected = rows.rejected.with_columns(pl.lit(False).alias("is_whole_document"))
    filled = set()
    for spec in staging_tables(kind):
        frame = rejected if spec is QUARANTINE else rows.frames[spec.name]
        if frame.is_empty():
            con.execute(_sql("stage_no_rows.sql").format(rows=_rows_table(spec)))
            continue
        filled.add(spec.name)
        stated = _stated_columns(spec)
        key = [name for name in spec.key[_SCOPE_KEY:] if name != "row_ordinal"]
        with registered(con, "load_input", frame):
            con.execute(
                _sql("stage_rows.sql").format(
                    rows=_rows_table(spec),
                    frame="load_input",
                    table_literal=f"'{spec.qualified_name}'",
                    columns=_quoted_list(stated, "f"),
                    row_text=text_of(_hashed_columns(spec), "f"),
                    key="".join(f', "{name}"' for name in key),
                    tie_breaker="rejected_locator" if spec is QUARANTINE else "document_locator",
                )
            )
    hashes = " union all ".join(
        f"select document_no, scope_date, row_hash from {_rows_table(spec)}" for spec in staging_tables(kind)
    )
    con.execute(_sql("stage_deliveries.sql").format(row_hashes=hashes))
    con.execute(_sql("stage_state.sql"), _only(bounds, "customer_id", "document_kind", "first_scope", "last_scope"))
    ((turns,),) = con.execute("select coalesce(max(turn), 0) from load_delivery").fetchall()
    return Staged(int(turns), frozenset(filled), bool(rows.refusals))


def take_turn(con: duckdb.DuckDBPyConnection, kind: Kind, turn: int, staged: Staged, bounds: Mapping[str, Any]) -> None:
    """Takes in the `turn`-th delivery of each scope."""
    scope = {**_only(bounds, "customer_id", "document_kind", "first_scope", "last_scope"), "turn": turn}
    con.execute(_sql("decide.sql"), {"turn": turn})
    ((replaces,),) = con.execute(_sql("replaces.sql"), {"turn": turn}).fetchall()
    for spec in staging_tables(kind):
        only = " and not t.is_whole_document" if spec is QUARANTINE else ""
        if replaces:
            con.execute(_sql("end_rows.sql").format(table=_table(spec), rows=_rows_table(spec), only=only), scope)
        if spec.name in staged.filled:
            con.execute(
                _sql("begin_rows.sql").format(
                    table=_table(spec), rows=_rows_table(spec), columns=_quoted_list(_stated_columns(spec), "r")
                ),
                {**scope, **_only(bounds, "legal_entity_id", "run_id")},
            )
    con.execute(_sql("end_refusals.sql"), scope)
    if staged.has_refusals:
        con.execute(
            _sql("begin_refusals.sql"),
            {"turn": turn, **_only(bounds, "customer_id", "legal_entity_id", "document_kind", "run_id")},
        )
    con.execute(_sql("advance_state.sql"), {"turn": turn})


def enter(con: duckdb.DuckDBPyConnection, documents: pl.DataFrame, bounds: Mapping[str, Any]) -> None:
    """Writes the manifest: documents, deliveries, and which deliveries are current."""
    with registered(con, "load_input", documents):
        con.execute("insert into raw.document by name select * from load_input")
    con.execute(_sql("enter_deliveries.sql"), _only(bounds, "customer_id", "legal_entity_id", "document_kind"))
    con.execute(_sql("mark_current.sql"), _only(bounds, "customer_id", "document_kind", "first_scope", "last_scope"))


def drop_staged(con: duckdb.DuckDBPyConnection, kind: Kind) -> None:
    """Drops the temporary tables of a load."""
    for name in ("load_document", "load_scope", "load_delivery", "load_state"):
        con.execute(f"drop table if exists temp.{name}")
    for spec in staging_tables(kind):
        con.execute(f"drop table if exists temp.{_rows_table(spec)}")


def miscounted(con: duckdb.DuckDBPyConnection, kind: Kind, bounds: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Scopes whose current rows differ in number from the manifest, or hold a key twice."""
    keys = " union all ".join(
        f"select scope_pocket_id, scope_date, '{spec.name}|' || {text_of(spec.key[_SCOPE_KEY:])} as key_text"
        f" from {_table(spec)}"
        " where customer_id = $customer_id and document_kind = $document_kind"
        " and scope_date between $first_scope and $last_scope and known_to_utc is null"
        + (" and not is_whole_document" if spec is QUARANTINE else "")
        for spec in staging_tables(kind)
    )
    return con.execute(
        _sql("recount.sql").format(current_keys=keys),
        _only(bounds, "customer_id", "document_kind", "first_scope", "last_scope"),
    ).fetchall()


def _only(bounds: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: bounds[name] for name in names}


def current_rows_per_day(con: duckdb.DuckDBPyConnection, kind: Kind, bounds: Mapping[str, Any]) -> dict[date, int]:
    """Current rows of the counted frames for each day that the batch speaks of, days without rows included."""
    counted = " union all ".join(
        f'select scope_date from staging."{name}"'
        " where customer_id = $customer_id and document_kind = $document_kind"
        " and scope_date between $first_scope and $last_scope and known_to_utc is null"
        for name in kind.counted
    )
    rows = con.execute(
        "select d.scope_date, count(c.scope_date) from (select distinct scope_date from load_delivery) as d"
        f" left join ({counted}) as c on c.scope_date = d.scope_date group by d.scope_date order by d.scope_date",
        _only(bounds, "customer_id", "document_kind", "first_scope", "last_scope"),
    ).fetchall()
    return dict(rows)


@dataclass(frozen=True, slots=True)
class Miscount:
    """A pocket and day of which staging holds another number of current rows than its document states.

    `document_id` is empty for rows that no document states.
    """

    document_id: str
    document_kind: str
    day: date
    stated: int
    held: int


def miscounted_documents(con: duckdb.DuckDBPyConnection) -> list[Miscount]:
    """Every such pocket and day of all documents that are current, in the whole file."""
    held = " union all ".join(
        "select customer_id, document_kind, scope_pocket_id, scope_date, count(*) as row_count"
        f" from {_table(spec)} where known_to_utc is null"
        + (" and not is_whole_document" if spec is QUARANTINE else "")
        + " group by customer_id, document_kind, scope_pocket_id, scope_date"
        for spec in {spec.name: spec for kind in KINDS.values() for spec in staging_tables(kind)}.values()
    )
    rows = con.execute(_sql("recount_documents.sql").format(held_rows=held)).fetchall()
    return [Miscount(*row) for row in rows]
