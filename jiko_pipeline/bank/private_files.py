"""Directories and files that nobody but their owner may read, as the bank room keeps them.

Belongs here: how they are created. Does not belong here: what is in them.
"""

import os
import sqlite3
import tempfile
from contextlib import suppress
from pathlib import Path

from jiko_pipeline.errors import StorageError


def private_directory(directory: Path) -> Path:
    """`directory`, created with mode 0700 where it is missing. Raises StorageError."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"The directory {directory} cannot be created: {error.strerror}.") from None
    return directory


def private_database(file: Path, schema: str) -> sqlite3.Connection:
    """An SQLite file of mode 0600 with the tables of `schema`, shared by threads under the caller's lock.

    Transactions are begun by hand; other processes are waited for up to 30 s. Raises StorageError.
    """
    private_directory(file.parent)
    try:
        if not file.exists():
            _bear(file)
        return _opened(file, schema)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"The file {file} cannot be used: {error}.") from None


def _bear(file: Path) -> None:
    """An empty database in WAL mode, unless somebody else made the file meanwhile.

    SQLite waits for nobody when it changes the journal mode, so that is done before anybody else can see the file.
    Nor is the file ever opened by hand: closing it would take from this process the locks that SQLite has on it.
    """
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".new-") as room:
        new = Path(room) / file.name
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        _opened(new, "").close()
        with suppress(FileExistsError):
            os.link(new, file)


def _opened(file: Path, schema: str) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=30.0, isolation_level=None, check_same_thread=False)
    database.execute("pragma journal_mode = wal")
    database.execute("pragma synchronous = normal")
    database.execute("begin immediate")
    for statement in schema.split(";"):
        if statement.strip():
            database.execute(statement)
    database.execute("commit")
    return database
