"""The fault matrix is whole: every row has tests, and its page says the same."""

from jiko_pipeline_tests.bank.faults import matrix


def test_every_row_has_a_test_that_exists() -> None:
    assert [row.number for row in matrix.ROWS] == [*range(20, 57), *range(132, 150)]
    assert all(row.tests and set(row.outcome[0]) <= set(matrix.OUTCOMES) for row in matrix.ROWS)
    assert list(matrix.missing_tests()) == []


def test_the_page_is_the_matrix() -> None:
    assert matrix.PAGE.read_text(encoding="utf-8") == matrix.page()
