"""Does the file hold what was declared and what was verified: questions about the whole file.

Belongs here: comparing the schema with its declarations, and the published file with the record of what was
verified. Does not belong here: recounting a load (`load_transaction`) and publishing.
"""

import hashlib
import json
from dataclasses import asdict

import duckdb

from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.hashing import fingerprints
from jiko_pipeline.warehouse.publish import published
from jiko_pipeline.warehouse.tables import TABLES

PUBLISHED_RECORD = "published.json"


def schema_differences(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Where tables, columns, types and comments differ from their declarations, a sentence each."""
    found = {
        (f"{schema}.{table}", column): (sql_type, nullable, comment)
        for schema, table, column, sql_type, nullable, comment in con.execute(
            "select schema_name, table_name, column_name, data_type, is_nullable, comment"
            " from duckdb_columns() where not internal"
        ).fetchall()
    }
    tables = {
        f"{schema}.{table}": comment
        for schema, table, comment in con.execute(
            "select schema_name, table_name, comment from duckdb_tables() where not internal and not temporary"
        ).fetchall()
    }
    differences = [f"{name} is not declared" for name in sorted(tables.keys() - TABLES.keys())]
    for name, spec in TABLES.items():
        if name not in tables:
            differences.append(f"{name} is missing")
            continue
        if tables[name] != spec.comment:
            differences.append(f"{name} has another comment than declared")
        declared = {column.name: column for column in spec.columns}
        held = {column for table, column in found if table == name}
        differences += [f"{name}.{column} is not declared" for column in sorted(held - declared.keys())]
        for column in spec.columns:
            if column.name not in held:
                differences.append(f"{name}.{column.name} is missing")
                continue
            sql_type, nullable, comment = found[name, column.name]
            if sql_type != column.sql_type:
                differences.append(f"{name}.{column.name} is {sql_type}, declared {column.sql_type}")
            if nullable and column.required:
                differences.append(f"{name}.{column.name} may be null, declared required")
            if comment != column.comment:
                differences.append(f"{name}.{column.name} has another comment than declared")
    return differences


def published_differences(settings: Settings) -> list[str]:
    """Where the published file differs from what it was verified with when it was published, a sentence each.

    Raises StorageError when there is no published file.
    """
    with published(settings) as con:
        held = [asdict(item) for item in fingerprints(con)]
    try:
        stated = json.loads((settings.warehouse_file.parent / PUBLISHED_RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ["there is no readable record of what was published"]
    differences = []
    with settings.published_file.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != stated["sha256"]:
            differences.append("the bytes of the published file differ from those verified")
    known = {item["table_name"]: item for item in stated["tables"]}
    differences += [
        f"{item['table_name']} holds {item['row_count']} rows, verified otherwise"
        for item in held
        if known.get(item["table_name"]) != item
    ]
    return differences
