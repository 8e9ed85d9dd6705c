"""The fault matrix is whole: every row has a test, every group one through the pipeline, and the page agrees."""

import re

from jiko_pipeline_tests import fault_matrix
from jiko_pipeline_tests.fault_rows import GROUPS, OUTCOMES, ROWS


def test_the_rows_are_numbered_without_a_gap_and_each_is_of_one_group() -> None:
    numbers = [row.number for row in ROWS]
    assert numbers == list(range(1, 150))
    assert [number for group in GROUPS.values() for number in group] == numbers
    letters = f"[{''.join(OUTCOMES)}]"
    assert [row for row in ROWS if re.search(rf"\b{letters}\b", row.outcome) is None] == []


def test_every_row_has_a_test_that_continuous_integration_runs() -> None:
    assert fault_matrix.unshown() == []


def test_no_test_shows_a_row_that_there_is_not() -> None:
    assert set(fault_matrix.tests_by_row()) <= {row.number for row in ROWS}


def test_every_group_is_shown_through_the_pipeline_too() -> None:
    rows = {number for test in fault_matrix.fault_tests() if test.room == "operation" for number in test.rows}
    assert [group for group, numbers in GROUPS.items() if not rows & set(numbers)] == []


def test_the_page_is_the_matrix() -> None:
    assert fault_matrix.PAGE.read_text(encoding="utf-8") == fault_matrix.page()
