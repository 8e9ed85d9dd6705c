"""Fail at each step of a sync, then sync again: equal tables, no order twice, nothing to repair by hand."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from jiko_pipeline.failpoints import EXIT_CODE, FAILPOINTS, VARIABLE
from jiko_pipeline_tests.operation.command_line import DataDirectory, Hashes, data_directories
from jiko_pipeline_tests.operation.conftest import ONE_POCKET, Make

DAY = "2024-06-28"
"""The last business day of a month: fees, and the monthly statements after it."""

PACKAGE = Path(__file__).resolve().parents[2] / "jiko_pipeline"

TELLING = {
    "order-sent:1:enospc": 50,
    "report-delivered:2": EXIT_CODE,
    "load-committed:1": EXIT_CODE,
    "publish-block-copied:2:enospc": 50,
    "publish-renamed:1": EXIT_CODE,
}
"""Between an effect and the note of it, where work is lost or done twice if it is anywhere; and full disks."""


class Undisturbed:
    """One sync of `DAY` that nothing disturbs."""

    def __init__(self, directory: DataDirectory) -> None:
        answer = directory.sync(DAY, DAY)
        assert answer.exit_code == 0, answer.err
        self.hashes: Hashes = directory.hashes()
        self.orders = directory.orders()


@pytest.fixture(scope="module")
def one_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    with data_directories() as made:
        made.append(DataDirectory(tmp_path_factory.mktemp("one-day") / "data", ONE_POCKET))
        yield Undisturbed(made[0])


def failing(directory: DataDirectory, failpoint: str) -> int:
    """The exit code of a sync with that failpoint."""
    answer = directory.run("sync", "--from", DAY, "--to", DAY, **{VARIABLE: failpoint})
    assert "Traceback" not in answer.err, answer.err
    return answer.exit_code


def assert_as_undisturbed(directory: DataDirectory, one_day: Undisturbed) -> None:
    answer = directory.sync(DAY, DAY)
    assert answer.exit_code == 0, answer.err
    assert directory.hashes() == one_day.hashes
    assert directory.orders() == one_day.orders
    assert not list(directory.path.glob(".*draft"))
    assert not list((directory.path / "archive").rglob("*.part"))


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


@pytest.mark.parametrize("value", ["no-such-step:1", "order-sent:0", "order-sent:1:fire"])
def test_a_failpoint_that_cannot_be_meant_is_refused(value: str, new_directory: Make) -> None:
    answer = new_directory().run("status", **{VARIABLE: value})
    assert answer.exit_code != 0
    assert VARIABLE in answer.err


def test_failing_at_one_step_after_the_other_leaves_no_trace(new_directory: Make, one_day: Undisturbed) -> None:
    directory = new_directory()
    assert {failpoint: failing(directory, failpoint) for failpoint in TELLING} == TELLING
    assert_as_undisturbed(directory, one_day)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("kind", ["exit", "enospc", "eio", "memory"])
@pytest.mark.parametrize("name", FAILPOINTS)
def test_failing_at_each_pass_of_each_step_leaves_no_trace(
    name: str, kind: str, new_directory: Make, one_day: Undisturbed
) -> None:
    passed = 0
    while True:
        directory = new_directory(f"data-{passed + 1}")
        if failing(directory, f"{name}:{passed + 1}:{kind}") == 0:
            break
        passed += 1
        assert_as_undisturbed(directory, one_day)
        directory.end_simulator()
    assert passed > 0, "no sync passes this step"
