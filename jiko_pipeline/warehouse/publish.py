"""The file that people read: a verified copy of the warehouse, put in place by renaming.

Belongs here: copying, verifying, replacing, opening the published file. Does not belong here: what is in it.

Readers keep the copy they opened for as long as they like and never hold the pipeline up; a copy that does
not verify never replaces the one before. A `.wal` that someone left beside the published file would make
every open of a new copy fail, so it goes before and after the renaming.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from jiko_pipeline.errors import StorageError
from jiko_pipeline.failpoints import failpoint
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.connection import connection_settings, first_line, transaction
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.hashing import TableHash, fingerprints
from jiko_pipeline.warehouse.history import keep_whole_tables
from jiko_pipeline.warehouse.load_transaction import miscounted_documents
from jiko_pipeline.warehouse.world import fsync_directory

_BLOCK_BYTES: Final = 1 << 20
_RECORD_FILE: Final = "published.json"


@dataclass(frozen=True, slots=True)
class Published:
    """The published file: where, SHA-256, length in bytes, its tables, and whether it was made anew just now."""

    path: Path
    sha256: str
    byte_length: int
    tables: tuple[TableHash, ...]
    is_new: bool


class PublishError(StorageError):
    """The copy does not hold what the warehouse holds; the file published before stays."""

    means = "The published file is still the one before; today's work is in the warehouse and not yet visible."
    remedy = "Run the same command again; if it fails again, check the disk."


def publish(settings: Settings, *, force: bool = False) -> Published:
    """Makes `settings.published_file` a verified copy of the warehouse.

    Nothing is copied when the tables are those published last, unless `force`. Raises PublishError when the
    copy does not verify, StorageError when there is no warehouse, AlreadyRunningError when another process
    writes.
    """
    warehouse = Warehouse(settings)
    world = warehouse.world()
    with warehouse.locked():
        # One that was killed while it copied has left its draft.
        _draft(settings).unlink(missing_ok=True)
        with warehouse.opened(world) as con:
            with transaction(con):
                keep_whole_tables(con, datetime.now(UTC))
            tables = tuple(fingerprints(con))
            _refuse_unproved_versions(con)
            earlier = None if force else _published_before(settings, tables)
            if earlier is None:
                failpoint("publish-before-checkpoint")
                con.execute("checkpoint")
        failpoint("publish-checkpointed")
        return earlier or _replace(settings, warehouse.path, tables)


@contextmanager
def published(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, read-only and without access to other files. Raises StorageError when there is none."""
    path = settings.published_file
    if not path.exists():
        raise StorageError(f"There is no published file {path} yet.", remedy="Run `jiko sync` or `jiko demo` first.")
    con = _open_copy(path)
    try:
        yield con
    finally:
        con.close()


def _replace(settings: Settings, source: Path, tables: tuple[TableHash, ...]) -> Published:
    if _wal(source).exists():
        raise PublishError(f"DuckDB left a write-ahead log beside {source} although it was closed.")
    target = settings.published_file
    draft = _draft(settings)
    try:
        sha256, byte_length = _copy(source, draft)
        failpoint("publish-copied")
        _verify(draft, tables)
        failpoint("publish-verified")
        os.chmod(draft, 0o440 if settings.published_group_readable else 0o400)
        os.chmod(target.parent, 0o750 if settings.published_group_readable else 0o700)
        _wal(target).unlink(missing_ok=True)
        os.replace(draft, target)
        failpoint("publish-renamed")
        _wal(target).unlink(missing_ok=True)
        fsync_directory(target.parent)
    finally:
        draft.unlink(missing_ok=True)
        _wal(draft).unlink(missing_ok=True)
    _remember(settings, sha256, tables)
    failpoint("publish-recorded")
    return Published(target, sha256, byte_length, tables, is_new=True)


def _copy(source: Path, draft: Path) -> tuple[str, int]:
    """Copies byte for byte, makes it durable, answers SHA-256 and length of what was written."""
    digest = hashlib.sha256()
    length = 0
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with source.open("rb") as read, os.fdopen(descriptor, "wb") as written:
        while block := read.read(_BLOCK_BYTES):
            written.write(block)
            failpoint("publish-block-copied")
            digest.update(block)
            length += len(block)
        written.flush()
        os.fsync(written.fileno())
    return digest.hexdigest(), length


def _verify(draft: Path, tables: tuple[TableHash, ...]) -> None:
    """Reads every table of the copy again. Raises PublishError naming the first that differs."""
    con = _open_copy(draft)
    try:
        copied = fingerprints(con)
        _refuse_unproved_versions(con)
    except duckdb.Error as error:
        raise PublishError(f"The copy of the warehouse cannot be read: {first_line(error)}") from error
    finally:
        con.close()
    for stated, found in zip(tables, copied, strict=True):
        if stated != found:
            raise PublishError(
                f"The copy of the warehouse holds {found.row_count} rows of {found.table_name} with hash "
                f"{found.content_hash} where the warehouse holds {stated.row_count} with {stated.content_hash}."
            )


def _open_copy(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=True, config=connection_settings(read_only=True))
    except duckdb.Error as error:
        raise PublishError(f"The file {path} cannot be opened: {first_line(error)}") from error


def _refuse_unproved_versions(con: duckdb.DuckDBPyConnection) -> None:
    """Raises PublishError when current rows in staging are not as many as the manifest says of each document."""
    wrong = miscounted_documents(con)
    if wrong:
        first = wrong[0]
        raise PublishError(
            f"The tables hold {first.held} current rows of {first.document_kind} for {first.day} where the manifest"
            f" states {first.stated} ({len(wrong)} pocket-days differ)."
        )


def _published_before(settings: Settings, tables: tuple[TableHash, ...]) -> Published | None:
    """What was published last, when it is still in place as it was and holds these very tables."""
    try:
        stated = json.loads(_record(settings).read_text(encoding="utf-8"))
        status = settings.published_file.stat()
    except (OSError, ValueError):
        return None
    there = [status.st_size, status.st_mtime_ns, status.st_ino, status.st_mode & 0o777]
    mode = 0o440 if settings.published_group_readable else 0o400
    if (
        stated.get("file") != there
        or there[3] != mode
        or stated.get("tables") != [asdict(table) for table in tables]
        or _wal(settings.published_file).exists()
    ):
        return None
    return Published(settings.published_file, stated["sha256"], status.st_size, tables, is_new=False)


def _remember(settings: Settings, sha256: str, tables: tuple[TableHash, ...]) -> None:
    status = settings.published_file.stat()
    stated = {
        "file": [status.st_size, status.st_mtime_ns, status.st_ino, status.st_mode & 0o777],
        "sha256": sha256,
        "tables": [asdict(table) for table in tables],
    }
    draft = _record(settings).with_suffix(".draft")
    draft.write_text(json.dumps(stated), encoding="utf-8")
    os.chmod(draft, 0o600)
    os.replace(draft, _record(settings))


def _record(settings: Settings) -> Path:
    return settings.warehouse_file.parent / _RECORD_FILE


def _draft(settings: Settings) -> Path:
    """The copy until it is verified; only the holder of the writer's lock has one."""
    return settings.published_file.with_name(f".{settings.published_file.name}.draft")


def _wal(path: Path) -> Path:
    return path.with_name(path.name + ".wal")
