"""Disks that are full or cannot be written, little memory, other users, Ctrl-C: stopped in time, nothing half done."""

import os
import pickle
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from jiko_pipeline.archive import Archive
from jiko_pipeline.errors import ExitCode, StorageError
from jiko_pipeline.pipeline.fetching import open_desk
from jiko_pipeline.pipeline.targets import refuse_unusable
from jiko_pipeline.settings import load_settings
from jiko_pipeline.warehouse.connection import transaction
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline_tests.operation.command_line import DataDirectory
from jiko_pipeline_tests.operation.conftest import Make, UndisturbedRun
from jiko_pipeline_tests.operation.warehouse_batches import WORLD, born
from jiko_pipeline_tests.operation.warm_process import WarmProcess, warm_process

DAY = "2024-06-28"
NOBODY = 65534
NEXT = "2024-07-03"
"""The day after the undisturbed run."""

Result = TypeVar("Result")


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmProcess]:
    with warm_process() as process:
        yield process


def as_nobody(work: Callable[[], Result]) -> Result:
    """What `work` answers in a child that is not root; the child does nothing else."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            os.write(write, pickle.dumps(work()))
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        body = told.read()
    os.waitpid(pid, 0)
    assert body, "the child has said nothing"
    return pickle.loads(body)


def given_to_nobody(folder: Path) -> None:
    """Lets nobody own a folder with all in it, and enter those above it that a test has made."""
    if os.getuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        for parent in folder.parents:
            if parent.name.startswith("pytest-"):
                parent.chmod(parent.stat().st_mode | 0o011)
        for parent in (folder.parent, folder.parent.parent):
            parent.chmod(parent.stat().st_mode | 0o011)


@pytest.mark.fault_rows(111)
def test_a_disk_that_is_full_while_a_day_is_loaded_stops_and_leaves_the_state_before(
    warm: WarmProcess, copy_of_undisturbed: DataDirectory, undisturbed: UndisturbedRun
) -> None:
    directory = copy_of_undisturbed
    published = (directory.path / "treasury.duckdb").read_bytes()
    assert warm.sync(directory, NEXT, halves=("fetch",)).exit_code == 0
    ended = warm.sync(directory, NEXT, halves=("load",), file_limit=100_000)
    assert ended.exit_code == 50, ended.err
    assert "Traceback" not in ended.err
    assert (directory.path / "treasury.duckdb").read_bytes() == published
    assert directory.hashes() == undisturbed.hashes
    ended = warm.sync(directory, NEXT)
    assert ended.exit_code == 0, ended.err
    assert directory.rows("select max(business_date) from mart.daily_close")[0][0].isoformat() == NEXT


@pytest.mark.fault_rows(112)
def test_a_stored_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    blob = archive.store_bytes(b"a statement")
    path = archive.path_of(blob.sha256)
    path.unlink()
    path.mkdir()
    with pytest.raises(StorageError, match=str(path)) as stop:
        archive.open_blob(blob.sha256)
    assert stop.value.exit_code is ExitCode.STORAGE


@pytest.mark.fault_rows(120)
def test_with_little_memory_a_day_is_loaded_or_the_run_stops_and_nothing_is_half_done(
    warm: WarmProcess, copy_of_undisturbed: DataDirectory
) -> None:
    directory = copy_of_undisturbed
    assert warm.sync(directory, NEXT, halves=("fetch",)).exit_code == 0
    before = directory.hashes()
    ended = warm.sync(directory, NEXT, halves=("load",), memory_limit=512 << 20)
    assert ended.exit_code in (0, 50), ended.err
    assert (directory.hashes() == before) is bool(ended.exit_code), "all of it or nothing of it"


@pytest.mark.fault_rows(120)
def test_a_statement_that_needs_more_memory_than_there_is_stops_at_the_storage(tmp_path: Path) -> None:
    warehouse = Warehouse(born(tmp_path))
    with pytest.raises(StorageError, match="gave up") as stop, warehouse.writer(WORLD) as con, transaction(con):
        con.execute("set memory_limit = '8MB'")
        con.execute("set max_temp_directory_size = '1MB'")
        con.execute(
            "create temp table large as select range as i, md5(cast(range as varchar)) as t from range(1000000)"
        )
    assert "memory" in stop.value.remedy
    with warehouse.writer(WORLD) as con:
        assert con.execute("select count(*) from meta.world").fetchall() == [(1,)]


@pytest.mark.fault_rows(121)
@pytest.mark.parametrize("name", ["", "archive", "warehouse"])
def test_a_directory_that_cannot_be_written_stops_before_anything_is_fetched(tmp_path: Path, name: str) -> None:
    data = tmp_path / "data"
    for folder in (data, data / "archive", data / "warehouse"):
        folder.mkdir()
    given_to_nobody(data)
    (data / name).chmod(0o500)
    settings = load_settings(data_dir=data)

    def fetch() -> tuple[str, int]:
        try:
            with open_desk(settings):
                return "fetched", 0
        except StorageError as error:
            return str(error), error.exit_code

    said, exit_code = as_nobody(fetch)
    assert exit_code == ExitCode.STORAGE
    assert str(data / name) in said
    (data / name).chmod(0o700)
    assert not (data / "simulator").exists()
    assert not (data / "bank").exists()


def test_a_disk_without_room_for_the_copy_that_is_published_stops_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(data_dir=tmp_path / "data")
    refuse_unusable(settings)
    full = os.statvfs(tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result((*full[:3], 0, 0, *full[5:])))
    with pytest.raises(StorageError, match="MiB free") as stop:
        refuse_unusable(settings)
    assert "jiko prune" in stop.value.remedy


@pytest.mark.fault_rows(122)
@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_what_a_run_makes_is_its_users_alone_whatever_the_umask(
    warm: WarmProcess, new_directory: Make, umask: int
) -> None:
    directory = new_directory()
    if umask:
        ended = warm.sync(directory, DAY, umask=umask, halves=("fetch",))
    else:
        ended = warm.sync(directory, DAY, umask=umask)
    assert ended.exit_code == 0, ended.err
    directory.end_simulator()
    published = directory.path / "treasury.duckdb"
    wrong = {
        str(path.relative_to(directory.path)): oct(path.stat().st_mode)
        for path in (directory.path, *directory.path.rglob("*"))
        if stat.S_IMODE(path.stat().st_mode) != (0o400 if path == published else 0o700 if path.is_dir() else 0o600)
    }
    assert wrong == {}


@pytest.mark.fault_rows(122)
def test_another_user_can_read_nothing_and_a_group_the_published_file_by_setting(
    copy_of_undisturbed: DataDirectory,
) -> None:
    directory = copy_of_undisturbed.path
    for parent in directory.parents[:3]:
        parent.chmod(parent.stat().st_mode | 0o011)
    files = [path for path in directory.rglob("*") if path.is_file()]

    def readable() -> list[str]:
        found = []
        for path in files:
            try:
                with path.open("rb"):
                    found.append(path.name)
            except PermissionError:
                pass
        return found

    if os.getuid() != 0:
        pytest.skip("another user can only be had by root")
    assert as_nobody(readable) == []
    directory.chmod(0o750)
    os.chown(directory, -1, NOBODY)
    published = directory / "treasury.duckdb"
    published.chmod(0o440)
    os.chown(published, -1, NOBODY)
    assert as_nobody(readable) == ["treasury.duckdb"]


@pytest.mark.fault_rows(124)
def test_ctrl_c_twice_ends_a_sync_at_once_and_says_that_the_next_one_takes_it_up(new_directory: Make) -> None:
    directory = new_directory()
    running = directory.start("sync", "--date", DAY)
    assert running.stderr is not None
    for line in iter(running.stderr.readline, ""):
        if "reading statements" in line:
            break
    running.send_signal(signal.SIGINT)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate()
    assert running.returncode == ExitCode.TRY_LATER, err
    assert "Traceback" not in err
    assert "the next run takes up" in err
