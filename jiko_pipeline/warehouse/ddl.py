"""From declarations to a schema: tables, comments, views, macros, the data dictionary; additive migrations.

Belongs here: every statement that creates or alters. Does not belong here: the declarations themselves
(`jiko_pipeline.warehouse.tables`), rows of facts.
"""

import hashlib
from functools import cache
from importlib import resources
from typing import Final

import duckdb

from jiko_pipeline.errors import StorageError
from jiko_pipeline.formats.frames import Column
from jiko_pipeline.warehouse import as_known
from jiko_pipeline.warehouse.frames import frame_from, registered
from jiko_pipeline.warehouse.hashing import table_hash_macro
from jiko_pipeline.warehouse.tables import TABLES
from jiko_pipeline.warehouse.tables.spec import SCHEMA_COMMENTS, TableSpec

SCHEMA_VERSION: Final = 2
"""Goes up when declarations change in a way that adding tables and nullable columns does not cover; then
`jiko_pipeline.warehouse.migrating` has a step for it."""

_FUNCTIONS: Final = ("tbill.sql",)
_VIEWS: Final = ("recon_break.sql", "core_transfer_trail.sql", "recon_signed_period.sql")


def quoted(text: str) -> str:
    """`text` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def _name(spec: TableSpec) -> str:
    return f'{spec.schema}."{spec.name}"'


def _column_sql(column: Column) -> str:
    return f'"{column.name}" {column.sql_type}' + (" not null" if column.required else "")


def create_table_sql(spec: TableSpec) -> str:
    """`create table` for one declaration; no keys, for uniqueness is checked when rows are loaded."""
    columns = ", ".join(_column_sql(column) for column in spec.columns)
    return f"create table if not exists {_name(spec)} ({columns})"


def comment_sql(spec: TableSpec) -> list[str]:
    """The comments of a table and of each of its columns."""
    return [
        f"comment on table {_name(spec)} is {quoted(spec.comment)}",
        *(f'comment on column {_name(spec)}."{column.name}" is {quoted(column.comment)}' for column in spec.columns),
    ]


def dictionary() -> list[tuple[str, str, str, int, str, str, str]]:
    """The rows of `meta.data_dictionary` as declared, in order."""
    return [
        (spec.schema, spec.name, column.name, seq, column.sql_type, column.role.value, column.comment)
        for spec in TABLES.values()
        for seq, column in enumerate(spec.columns, start=1)
    ] + [
        (
            as_known.SCHEMA,
            as_known.macro_name(table).partition(".")[2],
            as_known.PARAMETER,
            1,
            "TIMESTAMP",
            "parameter",
            as_known.described(table),
        )
        for table in as_known.macros()
    ]


@cache
def definitions_hash() -> str:
    """Changes whenever a declaration, a comment, a view or a macro does."""
    texts = [text for spec in TABLES.values() for text in (create_table_sql(spec), *comment_sql(spec))]
    return hashlib.sha256("\n".join([*texts, *_view_statements(), *_macro_statements()]).encode()).hexdigest()


def is_current(con: duckdb.DuckDBPyConnection) -> bool:
    """True when the schema of the file is that of this version of the package."""
    try:
        stated = con.execute("select definitions_hash from meta.world").fetchall()
    except duckdb.BinderException:
        # A file from before there was such a column.
        return False
    return stated == [(definitions_hash(),)]


def create_schema(con: duckdb.DuckDBPyConnection) -> None:
    """Creates what is missing and brings comments, views, macros and the data dictionary up to date.

    Existing tables gain declared nullable columns. Raises StorageError for a change that would need the
    rows to be made anew. The caller holds a transaction.
    """
    for schema in SCHEMA_COMMENTS:
        con.execute(f"create schema if not exists {schema}")
    existing: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, sql_type in con.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() where not internal"
    ).fetchall():
        existing.setdefault((schema, table), {})[column] = sql_type
    for spec in TABLES.values():
        found = existing.get((spec.schema, spec.name))
        if found is None:
            con.execute(create_table_sql(spec))
        else:
            _add_columns(con, spec, found)
        for statement in comment_sql(spec):
            con.execute(statement)
    for statement in (*_view_statements(), *_macro_statements()):
        con.execute(statement)
    con.execute("delete from meta.data_dictionary")
    frame = frame_from(TABLES["meta.data_dictionary"], dictionary())
    with registered(con, "load_dictionary", frame):
        con.execute("insert into meta.data_dictionary by name select * from load_dictionary")
    con.execute("update meta.world set definitions_hash = ?", [definitions_hash()])


def _view_statements() -> list[str]:
    """Every view with its comments. Comments of schemas are a view, because DuckDB takes none on a schema itself."""
    rows = ", ".join(f"({quoted(schema)}, {quoted(comment)})" for schema, comment in SCHEMA_COMMENTS.items())
    return [
        "create or replace view meta.schema_comment as"
        f" select schema_name, schema_comment from (values {rows}) as v (schema_name, schema_comment)",
        "comment on view meta.schema_comment is 'What each schema holds.'",
        *(statement for file_name in _VIEWS for statement in statements("views", file_name)),
    ]


def _macro_statements() -> list[str]:
    return [
        table_hash_macro(),
        "comment on macro table meta.table_hash is"
        " 'Row count and order-free hash of the content columns of one table, named schema.table.'",
        *(statement for file_name in _FUNCTIONS for statement in statements("functions", file_name)),
        *as_known.macro_statements(),
    ]


def statements(folder: str, file_name: str) -> list[str]:
    """The statements of one of this room's SQL files; each ends with a semicolon at the end of a line."""
    return [statement.strip() for statement in package_sql(folder, file_name).split(";\n") if statement.strip()]


def _add_columns(con: duckdb.DuckDBPyConnection, spec: TableSpec, found: dict[str, str]) -> None:
    declared = {column.name: column for column in spec.columns}
    wrong = [name for name, sql_type in found.items() if name not in declared or declared[name].sql_type != sql_type]
    missing = [column for name, column in declared.items() if name not in found]
    if wrong or any(column.required for column in missing):
        names = ", ".join([*wrong, *(column.name for column in missing if column.required)])
        raise StorageError(
            f"The table {spec.qualified_name} of this warehouse has other columns than this version declares"
            f" ({names}).",
            remedy="Run `jiko rebuild`: it sets this file aside and makes it anew from the archive.",
        )
    for column in missing:
        con.execute(f"alter table {_name(spec)} add column {_column_sql(column)}")


@cache
def package_sql(folder: str, file_name: str) -> str:
    """The text of an SQL file of this room."""
    return resources.files(__package__).joinpath(folder, file_name).read_text(encoding="utf-8")
