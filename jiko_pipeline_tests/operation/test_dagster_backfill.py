"""A backfill as the Dagster UI launches it, with readers at the published file and a `jiko sync` at the same time."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from jiko_pipeline.orchestration.assets import DAILY_ASSETS
from jiko_pipeline_tests.operation.command_line import DataDirectory, clean_environment
from jiko_pipeline_tests.operation.conftest import Make
from jiko_pipeline_tests.operation.dagster_host import PROJECT, dagster_dev
from jiko_pipeline_tests.operation.postgresql_host import events_in, postgresql

FIRST = date(2024, 6, 3)


class Reader:
    """A process that reads the published file until it is told to stop."""

    def __init__(self, file: Path, pause_seconds: float) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jiko_pipeline_tests.operation.published_reader", str(file), str(pause_seconds)],
            cwd=PROJECT,
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def finish(self) -> dict[str, Any]:
        """What it has seen."""
        out, _ = self._process.communicate()
        assert self._process.returncode == 0
        return dict(json.loads(out))

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@contextmanager
def reading(*readers: Reader) -> Iterator[None]:
    """Ends the readers with the block, whatever happens in it."""
    try:
        yield
    finally:
        for reader in readers:
            reader.end()


def backfill_beside_readers_and_a_sync(
    tmp_path: Path,
    new_directory: Make,
    days: int,
    overlapping: tuple[int, int],
    deadline_seconds: float,
    instance: Path | None = None,
    **variables: str,
) -> tuple[dict[str, Any], list[dict[str, Any]], DataDirectory]:
    """The backfill as it ended, what the readers saw, and the data directory."""
    root = tmp_path / "host"
    directory = new_directory("host/data")
    names = [(FIRST + timedelta(days=offset)).isoformat() for offset in range(days)]
    with dagster_dev(root, directory.environment(**variables), instance) as host:
        backfill = host.launch_backfill([declaration.key for declaration in DAILY_ASSETS], names)
        often, held = Reader(directory.path / "treasury.duckdb", 0.4), Reader(directory.path / "treasury.duckdb", 0)
        with reading(often, held):
            host.await_first_run(backfill)
            sync = directory.sync(names[overlapping[0]], names[overlapping[1]])
            assert sync.exit_code == 0, sync.err
            ended = host.await_backfill(backfill, deadline_seconds=deadline_seconds)
            seen = [often.finish(), held.finish()]
    return ended, seen, directory


def assert_as_one_sync(
    ended: dict[str, Any],
    seen: list[dict[str, Any]],
    runs: int,
    overlapping_windows: int,
    directory: DataDirectory,
    alone: DataDirectory,
) -> None:
    assert ended["status"] == "COMPLETED_SUCCESS", ended
    assert [run["status"] for run in ended["runs"]] == ["SUCCESS"] * runs
    assert [reader["wrong"] for reader in seen] == [[], []]
    assert all(reader["reads"] > 1 for reader in seen)
    assert seen[0]["states"] > 1
    assert len(directory.simulators()) == 1
    last = FIRST + timedelta(days=ended["numPartitions"] - 1)
    answer = alone.sync(FIRST.isoformat(), last.isoformat())
    assert answer.exit_code == 0, answer.err
    assert directory.hashes() == alone.hashes()
    # The trades and the prices of the overlapping range are reports over other dates; every other report is shared.
    assert alone.orders() <= directory.orders() <= alone.orders() + 2 * overlapping_windows


@pytest.mark.fault_rows(126)
def test_a_backfill_beside_readers_and_a_sync_of_the_same_days_gives_the_tables_of_one_sync(
    tmp_path: Path, new_directory: Make
) -> None:
    ended, seen, directory = backfill_beside_readers_and_a_sync(tmp_path, new_directory, 32, (24, 30), 240)
    assert_as_one_sync(ended, seen, 2, 1, directory, new_directory("alone"))


@pytest.mark.timeout(600)
def test_the_same_backfill_with_postgresql_as_the_storage_of_dagster(tmp_path: Path, new_directory: Make) -> None:
    with postgresql() as url:
        ended, seen, directory = backfill_beside_readers_and_a_sync(
            tmp_path,
            new_directory,
            32,
            (24, 30),
            240,
            PROJECT / "deploy" / "dagster-postgres.yaml",
            JIKO_DAGSTER_POSTGRES_URL=url,
        )
        assert_as_one_sync(ended, seen, 2, 1, directory, new_directory("alone"))
        assert events_in(url) > 9 * 32
    assert not (directory.path / ".dagster").exists()


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_a_backfill_of_a_year_takes_twelve_runs_and_gives_the_tables_of_one_sync(
    tmp_path: Path, new_directory: Make
) -> None:
    ended, seen, directory = backfill_beside_readers_and_a_sync(tmp_path, new_directory, 365, (40, 300), 3600)
    assert_as_one_sync(ended, seen, 12, 9, directory, new_directory("alone"))
