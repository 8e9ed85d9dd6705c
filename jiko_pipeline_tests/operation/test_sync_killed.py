"""`kill -9` of a sync at any moment: the next one gives what an undisturbed one gives, and orders nothing twice."""

import random
import signal
from collections.abc import Iterator

import pytest

from jiko_pipeline_tests.operation.command_line import DataDirectory, Hashes, data_directories
from jiko_pipeline_tests.operation.conftest import ONE_POCKET, Make
from jiko_pipeline_tests.operation.warm_process import WarmProcess, warm_process

DAY = "2024-06-28"
"""The last business day of a month: fees, and the monthly statements after it."""


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmProcess]:
    with warm_process() as process:
        yield process


class Undisturbed:
    """One sync of `DAY` that nothing disturbs, and how long one takes that has all to do."""

    def __init__(self, warm: WarmProcess, directory: DataDirectory) -> None:
        ended = warm.sync(directory, DAY)
        assert ended.exit_code == 0, ended.err
        self.seconds = ended.seconds
        self.hashes: Hashes = directory.hashes()
        self.orders = directory.orders()


@pytest.fixture(scope="module")
def one_day(warm: WarmProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    with data_directories() as made:
        made.append(DataDirectory(tmp_path_factory.mktemp("one-day") / "data", ONE_POCKET))
        yield Undisturbed(warm, made[0])


def kill_syncs(warm: WarmProcess, directory: DataDirectory, kills: int, seed: int, longest: float) -> None:
    """Ends `kills` syncs by SIGKILL, at moments that lie evenly over as long as a whole one takes."""
    rng = random.Random(seed)
    landed = 0
    while landed < kills:
        ended = warm.sync(directory, DAY, kill_after=rng.uniform(0, longest))
        if ended.exit_code == 0:
            # It was done before its moment came: the next moments lie within what it took.
            longest = ended.seconds
        else:
            assert ended.exit_code == -signal.SIGKILL, ended.err
            landed += 1
        assert "Traceback" not in ended.err, ended.err


def assert_as_undisturbed(warm: WarmProcess, directory: DataDirectory, one_day: Undisturbed) -> None:
    ended = warm.sync(directory, DAY)
    assert ended.exit_code == 0, ended.err
    assert directory.hashes() == one_day.hashes
    assert directory.orders() == one_day.orders
    assert len(directory.simulators()) == 1
    assert directory.run("verify").exit_code == 0
    assert not list(directory.path.glob(".*draft"))


@pytest.mark.fault_rows(109)
def test_kills_at_random_moments_leave_no_trace_in_tables_or_orders(
    warm: WarmProcess, one_day: Undisturbed, new_directory: Make
) -> None:
    directory = new_directory()
    kill_syncs(warm, directory, 25, 20240603, one_day.seconds)
    assert_as_undisturbed(warm, directory, one_day)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(20))
def test_kills_in_each_of_many_directories_leave_no_trace(
    seed: int, warm: WarmProcess, one_day: Undisturbed, new_directory: Make
) -> None:
    directory = new_directory()
    kill_syncs(warm, directory, 25, seed, one_day.seconds)
    assert_as_undisturbed(warm, directory, one_day)
