"""The same days give the same tables, however they are cut into syncs and in whatever order they come."""

from datetime import date

import pytest

from jiko_pipeline.pipeline import steps
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline.settings import load_settings
from jiko_pipeline_tests.operation.conftest import FIRST, LAST, Make, UndisturbedRun

DAY_BY_DAY = [
    (day, day) for day in ("2024-06-27", "2024-06-28", "2024-06-29", "2024-06-30", "2024-07-01", "2024-07-02")
]
WEEKEND_ALONE = [(FIRST, "2024-06-28"), ("2024-06-29", "2024-06-30"), ("2024-07-01", LAST)]
LATER_DAYS_FIRST = [("2024-06-29", LAST), (FIRST, "2024-06-28")]
OVERLAPPING = [(FIRST, "2024-07-01"), ("2024-06-28", LAST)]


@pytest.mark.parametrize(
    "cuts",
    [
        pytest.param(WEEKEND_ALONE, id="the weekend by itself"),
        pytest.param(LATER_DAYS_FIRST, id="the later days first"),
        pytest.param(OVERLAPPING, id="ranges that overlap", marks=pytest.mark.soak),
        pytest.param(DAY_BY_DAY, id="a day at a time", marks=pytest.mark.soak),
        pytest.param(DAY_BY_DAY[::-1], id="a day at a time, backwards", marks=pytest.mark.soak),
    ],
)
def test_days_synced_in_pieces_give_the_tables_of_one_sync(
    cuts: list[tuple[str, str]], undisturbed: UndisturbedRun, new_directory: Make
) -> None:
    directory = new_directory()
    for first, last in cuts:
        answer = directory.sync(first, last)
        assert answer.exit_code == 0, answer.err
    assert directory.hashes() == undisturbed.hashes


def test_listings_of_a_wider_range_that_another_run_has_archived_cause_no_break(
    undisturbed: UndisturbedRun, new_directory: Make
) -> None:
    directory = new_directory()
    settings = load_settings(data_dir=directory.path, simulator_pockets=1)
    steps.fetch_activity(settings, Window(date(2024, 6, 5), date(2024, 7, 1)), "wider", "DAILY")
    answer = directory.sync(FIRST, LAST)
    assert answer.exit_code == 0, answer.err
    assert directory.rows("select code, business_date from recon.break_event") == []
    # More is known of the days before, so fewer results wait for them; the figures are the same.
    assert directory.rows("select count(*), bool_and(ready_to_book) from mart.daily_close") == [(4, True)]
    assert directory.hashes()["mart.recon_bridge"] == undisturbed.hashes["mart.recon_bridge"]
