"""Two windows at once in one data directory: one waits for the other to be published, and nobody sees half of one."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from jiko_pipeline.errors import AlreadyRunningError, StorageError
from jiko_pipeline.pipeline import steps
from jiko_pipeline.pipeline.turn import end_turn, take_turn
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline.warehouse.lock import writer_lock
from jiko_pipeline_tests.operation.conftest import Make

EARLIER = Window(date(2024, 6, 12), date(2024, 6, 13))
NOT_BEFORE_PUBLISHING = (steps.build_core, steps.run_controls, steps.build_close, steps.publish)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    found = load_settings(data_dir=tmp_path / "data", simulator_pockets=1)
    yield found
    end_turn(found)


def is_free(settings: Settings) -> bool:
    """True when another process could have a turn now: a lock on another descriptor is another holder's."""
    try:
        with writer_lock(settings.warehouse_file.parent / "window.lock", 0):
            return True
    except AlreadyRunningError:
        return False


def test_a_sync_beside_a_window_that_is_half_loaded_finds_no_break_in_it(
    settings: Settings, new_directory: Make
) -> None:
    directory = new_directory()
    steps.fetch_reports(settings, EARLIER, "half", "DAILY")
    steps.fetch_activity(settings, EARLIER, "half", "DAILY")
    steps.load_statements(settings, EARLIER, "half", "DAILY")

    beside = directory.start("sync", "--date", "2024-06-14")
    assert beside.stderr is not None
    # It has fetched, and would load next.
    assert any("reading statements" in line for line in iter(beside.stderr.readline, ""))
    steps.load_holdings(settings, EARLIER, "half", "DAILY")
    steps.load_activity(settings, EARLIER, "half", "DAILY")
    for step in NOT_BEFORE_PUBLISHING:
        step(settings, EARLIER, "half", "DAILY")

    out, err = beside.communicate()
    assert beside.returncode == 0, err
    assert "1 of 1 days ready to book" in out
    assert directory.rows("select count(*) from recon.break_event") == [(0,)]
    assert directory.rows("select count(*), bool_and(ready_to_book) from mart.daily_close") == [(3, True)]


def test_a_turn_is_kept_over_steps_and_ends_with_publishing_even_when_that_fails(settings: Settings) -> None:
    take_turn(settings)
    assert not is_free(settings)
    take_turn(settings)
    end_turn(settings)
    assert is_free(settings)
    end_turn(settings)

    # Nothing was loaded, so there is nothing to publish.
    with pytest.raises(StorageError, match="There is no warehouse"):
        steps.publish(settings, EARLIER, "none", "DAILY")
    assert is_free(settings)
