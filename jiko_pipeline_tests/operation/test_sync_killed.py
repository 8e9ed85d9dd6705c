"""`kill -9` of a sync at any moment: the next one gives what an undisturbed one gives, and orders nothing twice."""

import random
import signal
import subprocess
import time

import pytest

from jiko_pipeline_tests.operation.command_line import DataDirectory
from jiko_pipeline_tests.operation.conftest import FIRST, LAST, Make, UndisturbedRun


def kill_syncs(directory: DataDirectory, kills: int, seed: int) -> None:
    """Ends `kills` syncs by SIGKILL, at moments that lie evenly over as long as a whole one takes."""
    rng = random.Random(seed)
    longest = 6.0
    landed = 0
    while landed < kills:
        started = time.monotonic()
        process = directory.start("sync", "--from", FIRST, "--to", LAST)
        try:
            process.communicate(timeout=rng.uniform(0, longest))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            assert process.returncode == -signal.SIGKILL
            landed += 1
        else:
            # It was done before its moment came: the next moments lie within what it took.
            assert process.returncode == 0
            longest = time.monotonic() - started


def assert_as_undisturbed(directory: DataDirectory, undisturbed: UndisturbedRun) -> None:
    answer = directory.sync(FIRST, LAST)
    assert answer.exit_code == 0, answer.err
    assert directory.hashes() == undisturbed.hashes
    assert directory.orders() == undisturbed.orders
    assert len(directory.simulators()) == 1
    assert directory.run("verify").exit_code == 0
    assert not list(directory.path.glob(".*draft"))


def test_five_kills_at_random_moments_leave_no_trace_in_tables_or_orders(
    undisturbed: UndisturbedRun, new_directory: Make
) -> None:
    directory = new_directory()
    kill_syncs(directory, 5, seed=20240603)
    assert_as_undisturbed(directory, undisturbed)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(20))
def test_kills_in_each_of_many_directories_leave_no_trace(
    seed: int, undisturbed: UndisturbedRun, new_directory: Make
) -> None:
    directory = new_directory()
    kill_syncs(directory, 10, seed)
    assert_as_undisturbed(directory, undisturbed)
