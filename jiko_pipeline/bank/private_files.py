"""Directories and files that nobody but their owner may read, as the bank room keeps them.

Belongs here: how they are created. Does not belong here: what is in them.
"""

import os
import sqlite3
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
        os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        database = sqlite3.connect(file, timeout=30.0, isolation_level=None, check_same_thread=False)
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = normal")
        database.execute("begin immediate")
        for statement in schema.split(";"):
            if statement.strip():
                database.execute(statement)
        database.execute("commit")
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"The file {file} cannot be used: {error}.") from None
    return database
