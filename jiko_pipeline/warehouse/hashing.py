"""What "equal" means: a row count and an order-free hash over the content columns of a table.

Belongs here: the canonical text of a row, its hash, the hash of a table as SQL and as the macro
`meta.table_hash`. Does not belong here: comparing two files.

A row's text is `N` for null and `V<length>:<text>` otherwise, column after column, so no two different rows
share a text. A table's hash is made of the count and the sums of both halves of the MD5 of each row: equal
rows count as often as they occur and their order does not matter. Only functions that DuckDB 1.2 and later
agree on are used.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import duckdb

from jiko_pipeline.warehouse.tables import TABLES
from jiko_pipeline.warehouse.tables.recon import APPENDED
from jiko_pipeline.warehouse.tables.spec import TableSpec

_HASHED_SCHEMAS: Final = ("staging", "core", "mart", "recon")
_QUOTE: Final = "'"
_RUN_RECORDS: Final = tuple(spec.qualified_name for spec in APPENDED)
"""What runs saw and when; it depends on the order in which days were landed, as facts and results do not."""


_COUNTERS: Final = frozenset({"commit_count"})
"""Columns that move without anything being said."""
_HASH_OF_NO_ROWS: Final = hashlib.md5(b"0:0:0", usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class TableHash:
    """One table: `schema.name`, number of rows, hash of the content (32 hex digits)."""

    table_name: str
    row_count: int
    content_hash: str


def text_of(columns: Iterable[str], alias: str = "") -> str:
    """SQL for the canonical text of the named columns.

    Flat calls instead of a chain of `||`: a chain of thirty columns takes DuckDB three times as long to plan.
    """
    prefix = f"{alias}." if alias else ""
    texts = [
        f"case when {column} is null then 'N'"
        f" else concat('V', length(cast({column} as varchar)), ':', cast({column} as varchar)) end"
        for column in (f'{prefix}"{name}"' for name in columns)
    ]
    return f"concat({', '.join(texts)})"


def _table(spec: TableSpec) -> str:
    return f'{spec.schema}."{spec.name}"'


def _summed(spec: TableSpec) -> str:
    text = text_of(column.name for column in spec.content_columns)
    return (
        "select count(*) as row_count,"
        " md5(count(*) || ':' || coalesce(sum(md5_number_lower(row_text)), 0)"
        " || ':' || coalesce(sum(md5_number_upper(row_text)), 0)) as content_hash"
        f" from (select {text} as row_text from {_table(spec)}) as hashed"
    )


def table_hash_macro() -> str:
    """`create macro meta.table_hash(wanted)`: the statement for the table named, and no row for any other name.

    The statement is chosen before it is planned, so that naming one table costs nothing for the others.
    """
    choices = " ".join(
        f"when '{name}' then 'select ''{name}'' as table_name, row_count, content_hash"
        f" from ({_summed(spec).replace(_QUOTE, _QUOTE * 2)}) as summed'"
        for name, spec in TABLES.items()
    )
    nothing = (
        "select cast(null as varchar) as table_name, cast(null as bigint) as row_count,"
        " cast(null as varchar) as content_hash where false"
    )
    return (
        "create or replace macro meta.table_hash(wanted) as table"
        " select table_name, row_count, content_hash"
        f" from query(case wanted {choices} else '{nothing}' end)"
    )


def hash_of(con: duckdb.DuckDBPyConnection, table_name: str) -> TableHash:
    """Count and hash of one declared table, `schema.name`."""
    ((is_empty,),) = con.execute(f"select count(*) = 0 from {_table(TABLES[table_name])}").fetchall()
    if is_empty:
        # Planning the sums of a wide table takes longer than all else.
        return TableHash(table_name, 0, _HASH_OF_NO_ROWS)
    ((rows, content_hash),) = con.execute(_summed(TABLES[table_name])).fetchall()
    return TableHash(table_name, rows, content_hash)


def compared_tables() -> list[str]:
    """The tables that two runs over the same documents must have equal."""
    return [name for name, spec in TABLES.items() if spec.schema in _HASHED_SCHEMAS and name not in _RUN_RECORDS]


def table_hashes(con: duckdb.DuckDBPyConnection) -> list[TableHash]:
    """Hashes of staging, core, mart and recon less the run records, in the order of declaration."""
    return [hash_of(con, name) for name in compared_tables()]


def fingerprints(con: duckdb.DuckDBPyConnection) -> list[TableHash]:
    """Count and fingerprint of every declared table, all columns but counters, to compare a file with its own copy.

    A tenth of the time of the content hash. DuckDB may hash otherwise in another version, so a fingerprint tells
    nothing to anybody but the same release, and nothing of what "equal" means.
    """
    return [_fingerprint(con, spec) for spec in TABLES.values()]


def _fingerprint(con: duckdb.DuckDBPyConnection, spec: TableSpec) -> TableHash:
    columns = ", ".join(f'"{column.name}"' for column in spec.columns if column.name not in _COUNTERS)
    ((rows, crossed, summed),) = con.execute(
        "select count(*), coalesce(bit_xor(row_hash), 0), coalesce(sum(cast(row_hash as hugeint)), 0)"
        f" from (select hash({columns}) as row_hash from {_table(spec)}) as hashed"
    ).fetchall()
    return TableHash(spec.qualified_name, rows, f"{duckdb.__version__}:{crossed:x}:{summed:x}")
