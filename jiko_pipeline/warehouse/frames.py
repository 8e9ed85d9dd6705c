"""Frames into DuckDB and back, exactly and without pyarrow.

Belongs here: the crossing between polars and DuckDB. Does not belong here: what the frames hold.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import polars as pl

from jiko_pipeline.warehouse.tables.spec import TableSpec


class _ArrowStream:
    """Shows DuckDB a frame's Arrow stream and nothing else: a bare frame would make it ask for pyarrow."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


@contextmanager
def registered(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> Iterator[None]:
    """Lets SQL on `con` read `frame` as the view `name` while the block runs."""
    con.register(name, _ArrowStream(frame))
    try:
        yield
    except BaseException as failure:
        try:
            con.unregister(name)
        except duckdb.Error as refusal:
            # In a transaction that has failed nothing more is done; the failure is what is to be told.
            failure.add_note(f"The view {name} could not be taken away: {refusal}")
        raise
    con.unregister(name)


def frame_from(spec: TableSpec, rows: Iterable[Sequence[Any]]) -> pl.DataFrame:
    """Rows in the order of the declared columns as a frame of the declared types."""
    schema = {column.name: column.polars_type for column in spec.columns}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def query(con: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] | None = None) -> pl.DataFrame:
    """The result of a select as a frame, decimals and dates kept as they are."""
    return pl.DataFrame(con.sql(sql, params=list(parameters) if parameters is not None else None))
