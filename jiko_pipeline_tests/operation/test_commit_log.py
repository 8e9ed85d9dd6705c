"""What is lost or changed in the warehouse's file is noticed when it is opened; a lock of the dead is taken over."""

import logging
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from jiko_pipeline.errors import ExitCode, StorageError
from jiko_pipeline.warehouse import ddl, migrating
from jiko_pipeline.warehouse.commits import CommitLog, LostCommitsError, mark_of
from jiko_pipeline.warehouse.connection import transaction
from jiko_pipeline.warehouse.file import DamagedWarehouseError, Warehouse
from jiko_pipeline.warehouse.hashing import fingerprints, table_hashes
from jiko_pipeline.warehouse.load import load
from jiko_pipeline.warehouse.lock import writer_lock
from jiko_pipeline_tests.operation.test_warehouse_file import two_days
from jiko_pipeline_tests.operation.warehouse_batches import WORLD, batch, born, settings_for

DIE_WITH_A_LOG = """
import os, signal, sys
from pathlib import Path
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.load import load
from jiko_pipeline_tests.operation.test_warehouse_file import two_days
from jiko_pipeline_tests.operation.warehouse_batches import WORLD, batch, born
settings = born(Path(sys.argv[1]))
with Warehouse(settings).writer(WORLD) as con:
    for item in two_days():
        load(con, batch(item), run_id="killed")
    os.kill(os.getpid(), signal.SIGKILL)
"""
TOO_LATE = 9999
"""A storage version that no DuckDB of today reads."""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a warehouse whose writer was killed after two loads: both are in the write-ahead log only."""
    folder = tmp_path_factory.mktemp("killed")
    done = subprocess.run(
        [sys.executable, "-c", DIE_WITH_A_LOG, str(folder)],
        check=False,
        capture_output=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    return folder


@pytest.fixture
def warehouse(killed: Path, tmp_path: Path) -> Warehouse:
    """A copy of it."""
    shutil.copytree(killed, tmp_path, dirs_exist_ok=True)
    return Warehouse(settings_for(tmp_path))


def log_of(warehouse: Warehouse) -> Path:
    return warehouse.path.with_name("treasury.duckdb.wal")


def flip(path: Path, at: int, bit: int = 0) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ (1 << bit)]))


def test_a_killed_writer_leaves_all_that_it_committed(warehouse: Warehouse) -> None:
    with warehouse.writer(WORLD) as con:
        assert con.execute("select count(*) from raw.document where loaded_run_id = 'killed'").fetchall() == [(2,)]
        assert mark_of(con) == CommitLog(warehouse.path).last()


@pytest.mark.fault_rows(113)
@pytest.mark.parametrize("left", [0.0, 0.3, 0.6, 0.9, None])
def test_a_log_that_is_cut_emptied_or_missing_is_a_loss_that_is_told(warehouse: Warehouse, left: float | None) -> None:
    log = log_of(warehouse)
    if left is None:
        log.unlink()
    else:
        os.truncate(log, int(log.stat().st_size * left))
    with pytest.raises(LostCommitsError, match="lost its last") as loss, warehouse.writer(WORLD):
        pass
    assert loss.value.exit_code is ExitCode.STORAGE
    assert "archive" in loss.value.means


@pytest.mark.fault_rows(114)
def test_a_bit_flipped_in_the_log_stops_with_the_command_that_mends_it(warehouse: Warehouse) -> None:
    log = log_of(warehouse)
    flip(log, log.stat().st_size // 2)
    with pytest.raises(DamagedWarehouseError) as stop, warehouse.writer(WORLD):
        pass
    assert stop.value.exit_code is ExitCode.STORAGE
    assert "`jiko rebuild`" in stop.value.remedy


@pytest.mark.fault_rows(114)
def test_a_bit_flipped_in_the_file_stops_or_is_in_a_byte_that_holds_nothing(tmp_path: Path) -> None:
    warehouse = Warehouse(born(tmp_path))
    with warehouse.writer(WORLD) as con:
        whole = fingerprints(con)
    body = warehouse.path.read_bytes()
    rng = random.Random(114)
    stopped = 0
    for _ in range(6):
        warehouse.path.write_bytes(body)
        flip(warehouse.path, rng.randrange(12288, len(body)), rng.randrange(8))
        try:
            with warehouse.writer(WORLD) as con:
                assert fingerprints(con) == whole
        except DamagedWarehouseError:
            stopped += 1
    assert stopped


def test_an_older_copy_of_the_file_and_another_file_are_a_loss(tmp_path: Path) -> None:
    warehouse = Warehouse(born(tmp_path))
    with warehouse.writer(WORLD):
        pass
    before = warehouse.path.read_bytes()
    with warehouse.writer(WORLD) as con:
        load(con, batch(*two_days()), run_id=None)
    warehouse.path.write_bytes(before)
    with pytest.raises(LostCommitsError, match="lost its last 1 commits"), warehouse.writer(WORLD):
        pass
    warehouse.path.unlink()
    with pytest.raises(LostCommitsError, match="is gone"), warehouse.writer(WORLD):
        pass
    other = settings_for(tmp_path / "other")
    with Warehouse(other).writer(WORLD):
        pass
    shutil.copy(other.warehouse_file, warehouse.path)
    with pytest.raises(LostCommitsError, match="not the file"), warehouse.writer(WORLD):
        pass


def test_a_file_that_is_one_commit_ahead_of_the_log_is_taken_as_it_is(tmp_path: Path) -> None:
    warehouse = Warehouse(born(tmp_path))
    with warehouse.writer(WORLD) as con:
        load(con, batch(*two_days()), run_id=None)
    log = CommitLog(warehouse.path)
    lines = log.path.read_bytes().splitlines(keepends=True)
    # Killed between the commit and its line: the line is missing, or was not completed.
    log.path.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    with warehouse.writer(WORLD) as con:
        assert con.execute("select count(*) from raw.document where customer_id <> ''").fetchall() == [(2,)]
        assert mark_of(con) == log.last()


def test_what_was_undone_is_not_counted(tmp_path: Path) -> None:
    warehouse = Warehouse(born(tmp_path))
    with warehouse.writer(WORLD) as con:
        before = mark_of(con)
        with pytest.raises(RuntimeError), transaction(con):
            con.execute("delete from raw.document")
            raise RuntimeError
        assert mark_of(con) == before == CommitLog(warehouse.path).last()


@pytest.mark.fault_rows(115)
def test_a_file_of_a_newer_duckdb_is_refused_with_its_version(tmp_path: Path) -> None:
    warehouse = Warehouse(born(tmp_path))
    head = bytearray(warehouse.path.read_bytes()[:4096])
    head[12:20] = TOO_LATE.to_bytes(8, "little")
    checksum = 5381
    for (word,) in struct.iter_unpack("<Q", head[8:]):
        checksum ^= word * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    head[:8] = checksum.to_bytes(8, "little")
    with warehouse.path.open("r+b") as file:
        file.write(head)
    with pytest.raises(StorageError, match=f"newer DuckDB.*{TOO_LATE}") as stop, warehouse.writer(WORLD):
        pass
    assert stop.value.exit_code is ExitCode.STORAGE
    assert "newer" in stop.value.remedy


def as_release_0_1(file: Path) -> None:
    """Makes a warehouse what the first release would have made: schema 1, which counted no commits."""
    with duckdb.connect(str(file)) as con:
        con.execute("alter table meta.world drop column file_id")
        con.execute("alter table meta.world drop column commit_count")
        con.execute("update meta.world set schema_version = 1, package_version = '0.1.0', definitions_hash = 'older'")


def columns(file: Path) -> set[str]:
    with duckdb.connect(str(file), read_only=True) as con:
        return {
            name
            for (name,) in con.execute("select column_name from duckdb_columns() where table_name = 'world'").fetchall()
        }


def test_a_file_of_the_release_before_is_brought_up_and_keeps_its_rows(tmp_path: Path) -> None:
    warehouse = Warehouse(born(tmp_path))
    with warehouse.writer(WORLD) as con:
        load(con, batch(*two_days()), run_id=None)
        before = table_hashes(con)
    CommitLog(warehouse.path).path.unlink()
    as_release_0_1(warehouse.path)
    with warehouse.writer(WORLD) as con:
        assert table_hashes(con) == before
        assert con.execute("select schema_version, commit_count from meta.world").fetchall() == [
            (ddl.SCHEMA_VERSION, 0)
        ]
        assert mark_of(con) == CommitLog(warehouse.path).last()


@pytest.mark.fault_rows(116)
@pytest.mark.parametrize(("failpoint", "is_new"), [("migration-before-commit", False), ("migration-committed", True)])
def test_a_kill_in_a_migration_leaves_the_old_schema_or_the_new(tmp_path: Path, failpoint: str, is_new: bool) -> None:
    warehouse = Warehouse(born(tmp_path))
    as_release_0_1(warehouse.path)
    old = columns(warehouse.path)
    script = (
        "import sys; from pathlib import Path; from jiko_pipeline.warehouse.file import Warehouse\n"
        "from jiko_pipeline_tests.operation.warehouse_batches import WORLD, settings_for\n"
        "with Warehouse(settings_for(Path(sys.argv[1]))).writer(WORLD): pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        check=False,
        capture_output=True,
        env={**os.environ, "JIKO_FAILPOINT": failpoint},
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.returncode == 137, done.stderr.decode()
    # What DuckDB itself finds there, before any of our code has mended anything.
    with duckdb.connect(str(warehouse.path)) as con:
        ((version,),) = con.execute("select schema_version from meta.world").fetchall()
    assert version == (ddl.SCHEMA_VERSION if is_new else 1)
    assert columns(warehouse.path) == (old | {"file_id", "commit_count"} if is_new else old)
    with warehouse.writer(WORLD) as con:
        assert ddl.is_current(con)


def test_every_schema_that_was_ever_released_has_a_way_to_the_next() -> None:
    assert set(migrating.FILES) <= set(range(2, ddl.SCHEMA_VERSION + 1))
    assert all(ddl.statements("migrations", name) for name in migrating.FILES.values())


@pytest.mark.fault_rows(119)
def test_a_lock_of_a_process_that_is_gone_is_taken_over_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "writer.lock"
    script = (
        "import os, sys; from pathlib import Path; from jiko_pipeline.warehouse.lock import writer_lock\n"
        "with writer_lock(Path(sys.argv[1]), 0): os.kill(os.getpid(), 9)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(path)], cwd=Path(__file__).resolve().parents[2]) as dead:
        dead.wait()
    with caplog.at_level(logging.WARNING), writer_lock(path, 0):
        pass
    assert f"process {dead.pid}, since" in caplog.text
    assert "taken over" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING), writer_lock(path, 0):
        pass
    assert caplog.text == "", "a lock that was given back is no news"
