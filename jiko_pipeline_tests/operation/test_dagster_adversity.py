"""What befalls a real Dagster in mid-backfill: the tables are those of one sync, and partitions tell the truth."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from jiko_pipeline.orchestration.assets import DAILY_ASSETS
from jiko_pipeline.orchestration.launcher import WORKER_TAG, is_alive
from jiko_pipeline_tests.operation.command_line import DataDirectory
from jiko_pipeline_tests.operation.conftest import Make
from jiko_pipeline_tests.operation.dagster_host import BACKFILL, DagsterHost, dagster_dev

FIRST = date(2024, 6, 3)
KEYS = [declaration.key for declaration in DAILY_ASSETS]
PATIENCE = 900.0

PARTITIONS = """
query Partitions($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) {
    ... on AssetNode { assetPartitionStatuses { ... on TimePartitionStatuses {
      ranges { status startKey endKey }
    } } }
  }
}
"""
TERMINATE = """
mutation Terminate($id: String!) { terminateRun(runId: $id) { __typename } }
"""
RELOAD = """
mutation Reload { reloadRepositoryLocation(repositoryLocationName: "jiko_pipeline") {
  ... on WorkspaceLocationEntry { loadStatus locationOrLoadError { __typename } }
} }
"""


def days(first: int, number: int) -> list[str]:
    return [(FIRST + timedelta(days=first + offset)).isoformat() for offset in range(number)]


def made(host: DagsterHost) -> dict[str, list[tuple[str, str, str]]]:
    """Asset -> (status, first day, last day) of the partitions that were ever asked for."""
    return {
        "/".join(key): [
            (found["status"], found["startKey"], found["endKey"])
            for found in host.graphql(PARTITIONS, {"key": {"path": list(key)}})["assetNodeOrError"][
                "assetPartitionStatuses"
            ]["ranges"]
        ]
        for key in KEYS
    }


def all_made(first: str, last: str) -> dict[str, list[tuple[str, str, str]]]:
    return {"/".join(key): [("MATERIALIZED", first, last)] for key in KEYS}


def processes(*words: str) -> list[int]:
    """Processes that have all of these words in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if all(word in line for word in words):
                found.append(int(entry.name))
    return found


def until(what: Callable[[], Any]) -> Any:
    """What `what` answers once that is not empty."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.2)
    raise AssertionError("it has not come about")


def runs(host: DagsterHost, backfill: str) -> list[dict[str, Any]]:
    return list(host.graphql(BACKFILL, {"id": backfill})["partitionBackfillOrError"]["runs"])


def started(host: DagsterHost, backfill: str) -> tuple[str, int]:
    """The id and the process of the first run of a backfill that is under way."""

    def look() -> tuple[str, int] | None:
        for run in runs(host, backfill):
            mark = {tag["key"]: tag["value"] for tag in run["tags"]}.get(WORKER_TAG)
            if run["status"] == "STARTED" and mark is not None and is_alive(mark):
                return run["id"], int(mark.split(" ")[2])
        return None

    run_id, pid = until(look)
    return str(run_id), int(pid)


def assert_as_one_sync(directory: DataDirectory, alone: DataDirectory, asked: Sequence[str]) -> None:
    answer = alone.sync(asked[0], asked[-1])
    assert answer.exit_code == 0, answer.err
    assert directory.hashes() == alone.hashes()


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_a_run_that_is_killed_and_one_that_is_cancelled_hold_nobody_up_and_are_done_by_asking_again(
    tmp_path: Path, new_directory: Make
) -> None:
    directory = new_directory("host/data")
    asked = days(0, 40)
    with dagster_dev(tmp_path / "host", directory.environment()) as host:
        backfill = host.launch_backfill(KEYS, asked)
        killed, pid = started(host, backfill)
        os.kill(pid, signal.SIGKILL)
        until(lambda: any(run["id"] == killed and run["status"] == "FAILURE" for run in runs(host, backfill)))

        second = host.launch_backfill(KEYS, days(40, 2))
        cancelled, _ = started(host, second)
        host.graphql(TERMINATE, {"id": cancelled})
        until(lambda: any(run["id"] == cancelled and run["status"] == "CANCELED" for run in runs(host, second)))

        host.await_backfill(backfill, deadline_seconds=PATIENCE)
        host.await_backfill(second, deadline_seconds=PATIENCE)
        last = host.launch_backfill(KEYS, days(0, 42))
        assert host.await_backfill(last, deadline_seconds=PATIENCE)["status"] == "COMPLETED_SUCCESS"
        assert made(host) == all_made(asked[0], days(0, 42)[-1])
    assert_as_one_sync(directory, new_directory("alone"), days(0, 42))


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_a_daemon_that_is_killed_in_mid_backfill_goes_on_when_it_is_started_again(
    tmp_path: Path, new_directory: Make
) -> None:
    directory = new_directory("host/data")
    asked = days(0, 40)
    root = tmp_path / "host"
    with dagster_dev(root, directory.environment()) as host:
        backfill = host.launch_backfill(KEYS, asked)
        started(host, backfill)
        mine = [pid for pid in processes("dagster._daemon") if _ancestor(pid, host.process.pid)]
        assert mine
        for pid in mine:
            os.kill(pid, signal.SIGKILL)
    with dagster_dev(root, directory.environment()) as host:
        ended = host.await_backfill(backfill, deadline_seconds=PATIENCE)
        if ended["status"] != "COMPLETED_SUCCESS":
            # A run that went down with its host is failed, and the days that it lacks are asked for again.
            again = host.launch_backfill(KEYS, asked)
            assert host.await_backfill(again, deadline_seconds=PATIENCE)["status"] == "COMPLETED_SUCCESS"
        assert made(host) == all_made(asked[0], asked[-1])
    assert_as_one_sync(directory, new_directory("alone"), asked)


def _ancestor(pid: int, of: int) -> bool:
    while pid > 1:
        if pid == of:
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return False


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_two_backfills_over_the_same_days_give_the_tables_of_one(tmp_path: Path, new_directory: Make) -> None:
    directory = new_directory("host/data")
    with dagster_dev(tmp_path / "host", directory.environment()) as host:
        both = [host.launch_backfill(KEYS, days(0, 12)), host.launch_backfill(KEYS, days(6, 12))]
        for backfill in both:
            ended = host.await_backfill(backfill, deadline_seconds=PATIENCE)
            assert ended["status"] == "COMPLETED_SUCCESS", ended
        assert made(host) == all_made(days(0, 1)[0], days(17, 1)[0])
    assert_as_one_sync(directory, new_directory("alone"), days(0, 18))


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_settings_that_are_broken_and_mended_while_dagster_runs_lose_nothing(
    tmp_path: Path, new_directory: Make
) -> None:
    directory = new_directory("host/data")
    root = tmp_path / "host"
    with dagster_dev(root, directory.environment()) as host:
        backfill = host.launch_backfill(KEYS, days(0, 2))
        assert host.await_backfill(backfill, deadline_seconds=PATIENCE)["status"] == "COMPLETED_SUCCESS"
        (root / ".env").write_text("JIKO_START_DATE=no date\n")
        broken = host.graphql(RELOAD)["reloadRepositoryLocation"]
        assert broken["locationOrLoadError"]["__typename"] == "PythonError"
        (root / ".env").unlink()
        mended = host.graphql(RELOAD)["reloadRepositoryLocation"]
        assert mended["locationOrLoadError"]["__typename"] == "RepositoryLocation"
        again = host.launch_backfill(KEYS, days(2, 2))
        assert host.await_backfill(again, deadline_seconds=PATIENCE)["status"] == "COMPLETED_SUCCESS"
        assert made(host) == all_made(days(0, 1)[0], days(3, 1)[0])
    assert_as_one_sync(directory, new_directory("alone"), days(0, 4))
