"""Bringing a file of an earlier release up to the schema of this one, in one transaction of its own.

Belongs here: the steps from one schema version to the next, refusing what a newer release made. Does not belong here:
declarations and what follows from them alone (`jiko_pipeline.warehouse.ddl`).

Each step is a file of `migrations/`. Whatever adding tables and nullable columns covers needs none. A process that is
killed meanwhile leaves the old schema or the new one.
"""

from pathlib import Path
from typing import Final

import duckdb

from jiko_pipeline.errors import StorageError
from jiko_pipeline.failpoints import failpoint
from jiko_pipeline.warehouse import ddl
from jiko_pipeline.warehouse.connection import transaction

FILES: Final = {2: "to_2.sql"}
"""Schema version -> what makes it of the one before, where declarations alone do not."""


def refuse_newer(path: Path, schema_version: int, made_by: str, ours: str) -> None:
    """Raises StorageError for a file whose schema is newer than that of this release."""
    if schema_version > ddl.SCHEMA_VERSION:
        raise StorageError(
            f"The file {path} was made by jiko_pipeline {made_by} with schema {schema_version}; "
            f"this is {ours} with schema {ddl.SCHEMA_VERSION}.",
            remedy=f"Use jiko_pipeline {made_by} or newer.",
        )


def is_behind(con: duckdb.DuckDBPyConnection) -> bool:
    """True when the file's schema is not that of this release, in whatever way."""
    return not ddl.is_current(con)


def migrate(con: duckdb.DuckDBPyConnection, schema_version: int, package_version: str) -> None:
    """Makes the schema of a file that has `schema_version` that of this release, and writes it out.

    `con` is the writer's without an open transaction; the caller closes it afterwards, before any rows are written.
    """
    with transaction(con):
        for version in range(schema_version + 1, ddl.SCHEMA_VERSION + 1):
            for statement in ddl.statements("migrations", FILES[version]) if version in FILES else ():
                con.execute(statement)
        ddl.create_schema(con)
        if schema_version != ddl.SCHEMA_VERSION:
            con.execute(
                "update meta.world set schema_version = ?, package_version = ?", [ddl.SCHEMA_VERSION, package_version]
            )
        failpoint("migration-before-commit")
    failpoint("migration-committed")
    con.execute("checkpoint")
