"""The pipeline's own DuckDB file: who may open it, how it is opened, how it is born.

Belongs here: the connection of the one writer, birth of the file, what is refused when it is opened, the wording of
its damage. Does not belong here: declarations and SQL of the schema (`jiko_pipeline.warehouse.ddl`), earlier schemas
(`jiko_pipeline.warehouse.migrating`), loading, publishing.

DuckDB lets one process write and then keeps all others out, readers too; so nobody but the holder of the
writer's lock ever opens this file, and people read the published copy.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

import duckdb

from jiko_pipeline.archive import Archive
from jiko_pipeline.errors import StorageError
from jiko_pipeline.failpoints import failpoint
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse import ddl, journal, migrating, reference
from jiko_pipeline.warehouse.commits import CommitLog, CountedCommits, Mark, mark_of
from jiko_pipeline.warehouse.connection import connection_settings, first_line, transaction, witnessed
from jiko_pipeline.warehouse.lock import writer_lock
from jiko_pipeline.warehouse.world import (
    World,
    WorldIdentity,
    claim,
    identity_of,
    make_private_directory,
    refuse_other_world,
)

_PRIVATE_UMASK: Final = 0o077
_WORDS_OF_DAMAGE: Final = ("corrupt", "checksum", "replaying wal", "deserializ")
"""How DuckDB tells of bytes that are not those it wrote."""
_WORDS_OF_THE_DISK: Final = ("failed to commit", "could not write", "could not read", "could not sync", "no space left")
"""How it tells, in errors of many kinds, of a disk that does not take or give them."""


class DamagedWarehouseError(StorageError):
    """The file or its log does not hold the bytes that were written. The archive has all of it."""

    means = "The published file is as it was; nothing is lost for good: the archive has every document and decision."
    remedy = "Run `jiko rebuild`: it sets this file aside and makes it anew from the archive."


class Warehouse:
    """The warehouse of one data directory. Cheap to make; opens nothing until asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def path(self) -> Path:
        """The DuckDB file."""
        return self._settings.warehouse_file

    @property
    def lock_path(self) -> Path:
        """The file of the writer's lock."""
        return self.path.parent / "writer.lock"

    @contextmanager
    def writer(self, identity: WorldIdentity) -> Iterator[duckdb.DuckDBPyConnection]:
        """The one connection that writes, with the schema in place; closed when the block ends.

        Do short work inside: neither download nor poll. Raises AlreadyRunningError when another process holds
        the lock for longer than `writer_wait_seconds`, WorldMismatchError when the directory belongs to
        another world, StorageError when the file cannot be used.
        """
        claim(self._settings.data_dir, identity)
        with self.locked(), self.opened(identity) as con:
            yield con

    @contextmanager
    def existing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """As `writer`, for work that needs no bank: takes the world that the directory has.

        Raises StorageError when there is no warehouse yet.
        """
        with self.writer(self.world()) as con:
            yield con

    def world(self) -> World:
        """The world that the directory was born to. Raises StorageError when there is no warehouse yet."""
        world = identity_of(self._settings.data_dir)
        if world is None or not self.path.exists():
            raise StorageError(
                f"There is no warehouse in {self._settings.data_dir} yet.",
                remedy="Run `jiko sync` or `jiko demo` first.",
            )
        return world

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the writer's lock without opening the file; new files are private meanwhile."""
        make_private_directory(self.path.parent)
        with writer_lock(self.lock_path, self._settings.writer_wait_seconds):
            before = os.umask(_PRIVATE_UMASK)
            try:
                yield
            finally:
                os.umask(before)

    @contextmanager
    def opened(self, identity: WorldIdentity) -> Iterator[duckdb.DuckDBPyConnection]:
        """The connection that writes, for a caller that holds the lock (`locked`); see `writer`.

        Raises LostCommitsError when the file has lost what it acknowledged, DamagedWarehouseError when its bytes are
        not those that were written.
        """
        log = CommitLog(self.path)
        if not self.path.exists():
            log.refuse_loss(None)
        con = self._made_ready(World.of(identity), log)
        try:
            held = mark_of(con) or Mark("", 0)
            if log.refuse_loss(held):
                log.append(held)
            commits = CountedCommits(log, held)
            with self._damage_told(), witnessed(con, commits):
                yield con
            if commits.has_committed and self._settings.keeps_journal:
                failpoint("journal-behind")
                journal.keep_up(con, Archive(self._settings.archive_dir), self.path.parent)
        finally:
            con.close()

    @contextmanager
    def _damage_told(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            if _is_damage(error):
                raise DamagedWarehouseError(f"The file {self.path} is damaged: {first_line(error)}") from error
            told = first_line(error).lower()
            of_the_machine = isinstance(error, duckdb.FatalException | duckdb.IOException | duckdb.OutOfMemoryException)
            if of_the_machine or any(word in told for word in _WORDS_OF_THE_DISK):
                raise StorageError(
                    f"DuckDB gave up on {self.path}: {first_line(error)}",
                    means="The work that was under way has been undone; what was committed before is kept.",
                    remedy="Give it the room or the memory that it has not, and run the same command again; if it fails"
                    " again, run `jiko rebuild`.",
                ) from error
            raise

    def _made_ready(self, world: World, log: CommitLog) -> duckdb.DuckDBPyConnection:
        """The file, born or brought up to this release's schema, open and nothing of ours changed in it since."""
        con = _connect(self.path)
        try:
            with self._damage_told():
                found = _world_in(con, self.path)
                if found is None:
                    _give_birth(con, world)
                    return con
                born, schema_version = found
                refuse_other_world(born, world)
                log.refuse_loss(mark_of(con))
                if migrating.is_behind(con):
                    migrating.migrate(con, schema_version, package_version())
                    # What changes a schema is written out and closed before rows are written.
                    con.close()
                    con = _connect(self.path)
                reference.store_rules(con)
                reference.load_treasury_list(con)
        except BaseException:
            con.close()
            raise
        return con


def _give_birth(con: duckdb.DuckDBPyConnection, world: World) -> None:
    with transaction(con):
        ddl.create_schema(con)
        con.execute(
            "insert into meta.world (environment, api_origin, world_id, born_at_utc, schema_version,"
            " package_version, definitions_hash, file_id, commit_count) values (?, ?, ?, ?, ?, ?, ?, ?, 0)",
            [
                world.environment,
                world.api_origin,
                world.world_id,
                datetime.now(UTC).replace(tzinfo=None),
                ddl.SCHEMA_VERSION,
                package_version(),
                ddl.definitions_hash(),
                uuid.uuid4().hex,
            ],
        )
        reference.store_rules(con)
    failpoint("warehouse-born")
    reference.load_treasury_list(con)
    con.execute("checkpoint")


def package_version() -> str:
    """Version of the installed jiko_pipeline; 'source' where it runs without being installed."""
    try:
        return metadata.version("jiko-pipeline")
    except metadata.PackageNotFoundError:
        return "source"


def _is_damage(error: duckdb.Error) -> bool:
    told = first_line(error).lower()
    return any(word in told for word in _WORDS_OF_DAMAGE)


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), config=connection_settings())
    except duckdb.Error as error:
        if "version number" in first_line(error):
            raise StorageError(
                f"A newer DuckDB wrote {path}; this is DuckDB {duckdb.__version__}: {first_line(error)}",
                remedy="Use the version of jiko_pipeline that wrote it, or a newer one; or run `jiko rebuild`.",
            ) from error
        if _is_damage(error):
            raise DamagedWarehouseError(f"The file {path} or its log is damaged: {first_line(error)}") from error
        raise StorageError(
            f"DuckDB {duckdb.__version__} cannot open {path}: {first_line(error)}",
            remedy=(
                "If a newer version of jiko_pipeline or DuckDB wrote the file, use that version; "
                "otherwise make it readable, or run `jiko rebuild`."
            ),
        ) from error


def _world_in(con: duckdb.DuckDBPyConnection, path: Path) -> tuple[World, int] | None:
    """The world and the schema version stated in the file, None for a file without tables; refuses a newer one."""
    stated = "select environment, api_origin, world_id, schema_version, package_version from meta.world"
    try:
        # Asking the catalogue for all its tables takes longer than all else that an opening does.
        rows = con.execute(stated).fetchall()
    except duckdb.CatalogException:
        if con.execute("select count(*) from duckdb_tables() where not internal").fetchall() == [(0,)]:
            return None
        raise StorageError(
            f"The file {path} is a DuckDB database that jiko_pipeline did not make.",
            remedy="Set JIKO_DATA_DIR to another directory.",
        ) from None
    if len(rows) != 1:
        raise StorageError(f"The file {path} does not say which world its data belongs to.")
    environment, api_origin, world_id, schema_version, made_by = rows[0]
    migrating.refuse_newer(path, schema_version, made_by, package_version())
    return World(environment, api_origin, world_id), schema_version
