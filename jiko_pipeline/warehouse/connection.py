"""Connections and transactions: how DuckDB is configured wherever the pipeline opens it.

Belongs here: settings of a connection, transactions, the wording of DuckDB's errors. Does not belong here:
which file is opened and by whom (`jiko_pipeline.warehouse.file`, `jiko_pipeline.warehouse.publish`).
"""

import os
from collections.abc import Iterator, MutableMapping, MutableSet
from contextlib import contextmanager
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary, WeakSet

import duckdb

STORAGE_VERSION: Final = "v1.2.0"
"""The oldest DuckDB whose clients read the files; the default of 2.0 is refused by every 1.x client."""

_MOST_THREADS: Final = 4

DISABLED_OPTIMIZERS: Final = "statistics_propagation"
"""Joins that DuckDB 2.0.0 plans from statistics can end in an internal error ("dict-surviving join", its issue 24807)
that invalidates the open database; without statistics it plans ordinary hash joins."""


def connection_settings(*, read_only: bool = False) -> dict[str, Any]:
    """How every connection of the pipeline is configured: no files but the database, no extensions.

    The storage version is named only by a writer; a reader takes the file as it is.
    """
    settings: dict[str, Any] = {
        "enable_external_access": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "python_enable_replacements": False,
        "threads": min(os.cpu_count() or 1, _MOST_THREADS),
        "memory_limit": "50%",
        "disabled_optimizers": DISABLED_OPTIMIZERS,
    }
    if not read_only:
        settings["storage_compatibility_version"] = STORAGE_VERSION
    return settings


class Witness(Protocol):
    """Who is told of the commits of a connection: of each within its transaction, and again when it is durable."""

    def count(self, con: duckdb.DuckDBPyConnection) -> None: ...
    def record(self) -> None: ...


_witnesses: Final[MutableMapping[duckdb.DuckDBPyConnection, Witness]] = WeakKeyDictionary()


@contextmanager
def witnessed(con: duckdb.DuckDBPyConnection, witness: Witness) -> Iterator[None]:
    """Lets `witness` see every `transaction` of `con` within the block."""
    _witnesses[con] = witness
    try:
        yield
    finally:
        del _witnesses[con]


_joined: Final[MutableSet[duckdb.DuckDBPyConnection]] = WeakSet()


@contextmanager
def one_transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Makes one of every `transaction` of `con` within the block: all of it stands, or nothing of it."""
    with transaction(con):
        _joined.add(con)
        try:
            yield
        finally:
            _joined.discard(con)


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commits what the block did, or undoes it when the block raises."""
    if con in _joined:
        yield
        return
    witness = _witnesses.get(con)
    con.execute("begin transaction")
    try:
        yield
        if witness is not None:
            witness.count(con)
    except BaseException as failure:
        try:
            con.execute("rollback")
        except duckdb.Error as refusal:
            # After a fatal error nothing is left to undo; the first failure is the one to be told.
            failure.add_note(f"The transaction could not be rolled back: {first_line(refusal)}")
        raise
    con.execute("commit")
    if witness is not None:
        witness.record()


def first_line(error: Exception) -> str:
    """The first line of an error's text: DuckDB's own sentence without the statement it stood in."""
    return str(error).partition("\n")[0]
