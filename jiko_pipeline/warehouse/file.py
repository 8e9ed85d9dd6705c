"""The pipeline's own DuckDB file: who may open it, how it is opened, how it is born.

Belongs here: the connection of the one writer, birth and migration of the file, transactions. Does not belong
here: declarations and SQL of the schema (`jiko_pipeline.warehouse.ddl`), loading, publishing.

DuckDB lets one process write and then keeps all others out, readers too; so nobody but the holder of the
writer's lock ever opens this file, and people read the published copy.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

import duckdb

from jiko_pipeline.errors import StorageError
from jiko_pipeline.failpoints import failpoint
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse import ddl, reference
from jiko_pipeline.warehouse.connection import connection_settings, first_line, transaction
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
        """The connection that writes, for a caller that holds the lock (`locked`); see `writer`."""
        con = _connect(self.path)
        try:
            self._prepare(con, World.of(identity))
            yield con
        except duckdb.FatalException as error:
            raise StorageError(
                f"DuckDB gave up on {self.path}: {first_line(error)}",
                means="The work that was under way has been undone; what was committed before is kept.",
                remedy="Run the same command again; if it fails again, restore the file or build it from the archive.",
            ) from error
        finally:
            con.close()

    def _prepare(self, con: duckdb.DuckDBPyConnection, world: World) -> None:
        born = _world_in(con, self.path)
        if born is None:
            with transaction(con):
                ddl.create_schema(con)
                con.execute(
                    "insert into meta.world (environment, api_origin, world_id, born_at_utc, schema_version,"
                    " package_version, definitions_hash) values (?, ?, ?, ?, ?, ?, ?)",
                    [
                        world.environment,
                        world.api_origin,
                        world.world_id,
                        datetime.now(UTC).replace(tzinfo=None),
                        ddl.SCHEMA_VERSION,
                        package_version(),
                        ddl.definitions_hash(),
                    ],
                )
                reference.store_rules(con)
            failpoint("warehouse-born")
            reference.load_treasury_list(con)
            con.execute("checkpoint")
            return
        refuse_other_world(born, world)
        if not ddl.is_current(con):
            with transaction(con):
                ddl.create_schema(con)
            con.execute("checkpoint")
        reference.store_rules(con)
        reference.load_treasury_list(con)


def package_version() -> str:
    """Version of the installed jiko_pipeline; 'source' where it runs without being installed."""
    try:
        return metadata.version("jiko-pipeline")
    except metadata.PackageNotFoundError:
        return "source"


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), config=connection_settings())
    except duckdb.Error as error:
        raise StorageError(
            f"DuckDB {duckdb.__version__} cannot open {path}: {first_line(error)}",
            remedy=(
                "If a newer version of jiko_pipeline or DuckDB wrote the file, use that version; "
                "otherwise restore the file or build it again from the archive."
            ),
        ) from error


def _world_in(con: duckdb.DuckDBPyConnection, path: Path) -> World | None:
    """The world stated in the file, None for a file without tables; refuses what a newer version made."""
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
    if schema_version > ddl.SCHEMA_VERSION:
        raise StorageError(
            f"The file {path} was made by jiko_pipeline {made_by} with schema {schema_version}; "
            f"this is {package_version()} with schema {ddl.SCHEMA_VERSION}.",
            remedy=f"Use jiko_pipeline {made_by} or newer.",
        )
    return World(environment, api_origin, world_id)
