"""Opening the published file, read-only."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from jiko_pipeline.errors import StorageError
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.file import connection_settings


@contextmanager
def open_published(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the published file. Raises StorageError when there is none or it cannot be read."""
    path = settings.published_file
    if not path.exists():
        raise StorageError(
            f"There is no published file at {path} yet.",
            means="Nothing has been reconciled in this data directory.",
            remedy="Run `jiko demo` or `jiko sync` first, or set JIKO_DATA_DIR.",
        )
    try:
        con = duckdb.connect(str(path), read_only=True, config=connection_settings(read_only=True))
    except duckdb.Error as error:
        first_line = str(error).partition("\n")[0]
        raise StorageError(
            f"The published file {path} cannot be read: {first_line}",
            remedy="Publish it again with `jiko sync`.",
        ) from error
    try:
        yield con
    finally:
        con.close()
