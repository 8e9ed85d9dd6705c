"""Fail at each step of a sync, or kill it at any moment, then sync again: equal tables, no order twice, no repair."""

import ast
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from jiko_pipeline.archive import Archive
from jiko_pipeline.failpoints import EXIT_CODE, FAILPOINTS, VARIABLE
from jiko_pipeline_tests.operation.command_line import DataDirectory, Hashes, data_directories
from jiko_pipeline_tests.operation.conftest import ONE_POCKET, Make
from jiko_pipeline_tests.operation.warm_process import OF_A_SYNC, WarmProcess, warm_process

DAY = "2024-06-28"
"""The last business day of a month: fees, and the monthly statements after it."""

PACKAGE = Path(__file__).resolve().parents[2] / "jiko_pipeline"

NOT_OF_A_SYNC = {
    "migration-before-commit",
    "migration-committed",
    "rebuild-built",
    "rebuild-set-aside",
    "rebuild-replaced",
}
"""Passed by other work, and swept by the tests of that work."""

ONCE = {
    "fetch": (
        "sign-in-token-taken",
        "order-claimed",
        "order-sent",
        "order-recorded",
        "request-polled",
        "download-begun",
        "download-complete",
        "report-delivered",
        "delivery-recorded",
        "blob-written:1:enospc",
        "blob-settled:1:eio",
        "document-recorded",
        "page-archived",
    ),
    "load": (
        "warehouse-born",
        "blob-read:1:eio",
        "commit-counted",
        "load-begun",
        "load-before-commit:1:enospc",
        "load-committed",
        "build-before-commit:1:eio",
        "build-committed",
        "controls-before-commit",
        "journal-behind:2",
        "controls-committed",
        "close-before-commit:1:enospc",
        "close-committed",
        "publish-before-checkpoint",
        "publish-checkpointed",
        "publish-block-copied:2:enospc",
        "publish-copied:1:eio",
        "publish-verified",
        "publish-renamed",
        "publish-recorded",
    ),
}
"""One pass of every step, one after the other in one directory: each takes up what the one before has left."""


class Undisturbed:
    """One sync of `DAY` that nothing disturbs, and how long one takes that has all to do."""

    def __init__(self, warm: WarmProcess, directory: DataDirectory) -> None:
        ended = warm.sync(directory, DAY)
        assert ended.exit_code == 0, ended.err
        self.seconds = ended.seconds
        self.hashes: Hashes = directory.hashes()
        self.orders = directory.orders()


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmProcess]:
    with warm_process() as process:
        yield process


@pytest.fixture(scope="module")
def one_day(warm: WarmProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    with data_directories() as made:
        made.append(DataDirectory(tmp_path_factory.mktemp("one-day") / "data", ONE_POCKET))
        yield Undisturbed(warm, made[0])


def expected(failpoint: str) -> set[int]:
    """The exit codes with which a sync may end at it; one that fails on its way out may have been done already."""
    return {EXIT_CODE} if failpoint.count(":") < 2 else {50}


def assert_as_undisturbed(warm: WarmProcess, directory: DataDirectory, one_day: Undisturbed) -> None:
    ended = warm.sync(directory, DAY)
    assert ended.exit_code == 0, ended.err
    assert directory.hashes() == one_day.hashes
    assert directory.orders() == one_day.orders
    assert len(directory.simulators()) == 1
    assert Archive(directory.path / "archive").verify() == []
    assert not list(directory.path.glob(".*draft"))
    assert not list((directory.path / "archive").rglob("*.part"))


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


def placed() -> list[str]:
    """The name of every `failpoint(...)` in the package."""
    return [
        node.args[0].value if isinstance(node.args[0], ast.Constant) else ast.unparse(node)
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "failpoint"
    ]


def test_each_failpoint_is_placed_once_and_explained() -> None:
    assert sorted(placed()) == sorted(FAILPOINTS)
    assert all(FAILPOINTS.values())


def test_every_failpoint_of_a_sync_is_swept() -> None:
    assert {point.partition(":")[0] for half in OF_A_SYNC for point in ONCE[half]} == set(FAILPOINTS) - NOT_OF_A_SYNC


@pytest.mark.parametrize("value", ["no-such-step:1", "order-sent:0", "order-sent:1:fire"])
def test_a_failpoint_that_cannot_be_meant_is_refused(value: str, new_directory: Make) -> None:
    answer = new_directory().run("status", **{VARIABLE: value})
    assert answer.exit_code != 0
    assert VARIABLE in answer.err


@pytest.mark.fault_rows(110, 111)
def test_failing_at_one_step_after_the_other_leaves_no_trace(
    warm: WarmProcess, new_directory: Make, one_day: Undisturbed
) -> None:
    directory = new_directory()
    for half in OF_A_SYNC:
        for failpoint in ONCE[half]:
            ended = warm.sync(directory, DAY, halves=(half,), failpoint=failpoint)
            assert ended.exit_code in expected(failpoint), (failpoint, ended.err)
            assert "Traceback" not in ended.err, (failpoint, ended.err)
        # What was left of this half is done before the next one is disturbed.
        assert warm.sync(directory, DAY, halves=(half,)).exit_code == 0
    assert_as_undisturbed(warm, directory, one_day)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("kind", ["exit", "enospc", "eio", "memory"])
@pytest.mark.parametrize("name", sorted(set(FAILPOINTS) - NOT_OF_A_SYNC))
def test_failing_at_each_pass_of_each_step_leaves_no_trace(
    name: str, kind: str, warm: WarmProcess, new_directory: Make, one_day: Undisturbed
) -> None:
    passed = 0
    while True:
        directory = new_directory(f"data-{passed + 1}")
        ended = warm.sync(directory, DAY, failpoint=f"{name}:{passed + 1}:{kind}")
        if ended.exit_code == 0:
            break
        passed += 1
        assert_as_undisturbed(warm, directory, one_day)
        directory.end_simulator()
    assert passed > 0, "no sync passes this step"


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
