"""The fault matrix: every row of `fault_rows` with the tests that show it.

A test of any room declares its rows itself, `@pytest.mark.fault_rows(79, 81)` directly over its function. They are
read from the sources, so that one room can check all others without importing them. `python -m
jiko_pipeline_tests.fault_matrix` writes the page in docs/ and names the rows that no test shows yet. Does not belong
here: the rows, the tests.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from jiko_pipeline_tests.fault_rows import GROUPS, OUTCOMES, ROWS

TESTS: Final = Path(__file__).parent
PAGE: Final = TESTS.parent / "docs" / "fault-matrix.md"
MARKER: Final = "pytest.mark.fault_rows"


@dataclass(frozen=True)
class FaultTest:
    """A test that shows rows; `module` is dotted and begins with its room, `is_long` when only `make soak` runs it."""

    module: str
    function: str
    rows: tuple[int, ...]
    is_long: bool

    @property
    def room(self) -> str:
        """The directory of tests that it stands in."""
        return self.module.partition(".")[0]


def _declared(decorator: ast.expr) -> Iterator[int]:
    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == MARKER:
        for argument in decorator.args:
            yield int(ast.literal_eval(argument))


@cache
def fault_tests() -> Sequence[FaultTest]:
    """Every test that declares rows, in the order of the files."""
    found = []
    for file in sorted(TESTS.rglob("test_*.py")):
        source = file.read_text(encoding="utf-8")
        if MARKER not in source:
            continue
        module = ".".join(file.relative_to(TESTS).with_suffix("").parts)
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.FunctionDef):
                continue
            rows = tuple(number for decorator in node.decorator_list for number in _declared(decorator))
            marks = {ast.unparse(decorator) for decorator in node.decorator_list}
            if rows:
                found.append(FaultTest(module, node.name, rows, "pytest.mark.soak" in marks))
    return found


def tests_by_row() -> Mapping[int, Sequence[FaultTest]]:
    """Row -> its tests."""
    shown = defaultdict(list)
    for test in fault_tests():
        for number in test.rows:
            shown[number].append(test)
    return shown


def unshown() -> list[int]:
    """Rows without a test that continuous integration runs."""
    shown = tests_by_row()
    return [row.number for row in ROWS if all(test.is_long for test in shown.get(row.number, ()))]


def page() -> str:
    """The page in docs/."""
    shown = tests_by_row()
    lines = [
        "# Faults and what comes of them",
        "",
        "What may go wrong at the bank, on the way to it, in its files and on this machine, what comes of it, and the",
        "tests that inject it and show the outcome. Made by `python -m jiko_pipeline_tests.fault_matrix`; a test fails",
        "when it is not up to date.",
        "",
        *[f"- **{letter}**: {meaning}" for letter, meaning in OUTCOMES.items()],
        "",
        "Always: no row is lost or doubled, and what was published before stays whole.",
    ]
    rows = {row.number: row for row in ROWS}
    for group, numbers in GROUPS.items():
        lines += ["", f"## {group}", "", "| # | Fault | Outcome | Shown by |", "|---|---|---|---|"]
        for number in numbers:
            tests = "<br>".join(f"`{test.module} {test.function}`" for test in shown.get(number, ()))
            lines.append(f"| {number} | {rows[number].fault} | {rows[number].outcome} | {tests} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"rows without a test: {unshown() or 'none'}\n")
