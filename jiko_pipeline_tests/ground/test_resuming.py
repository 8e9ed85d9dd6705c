"""A range that was interrupted is taken up at the first window that is not done; a range that was done is done anew."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from jiko_pipeline.errors import ExitCode
from jiko_pipeline.pipeline.pace import Pace, duration
from jiko_pipeline.pipeline.report import StepReport
from jiko_pipeline.pipeline.resuming import SyncRecord, record_of
from jiko_pipeline.pipeline.sync import WindowOutcome
from jiko_pipeline.pipeline.windows import Window, cut
from jiko_pipeline.settings import Settings, load_settings

NOW = datetime(2024, 9, 2, 12, tzinfo=UTC)
WINDOWS = cut(date(2024, 6, 3), date(2024, 8, 30))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load_settings(data_dir=tmp_path)
    made.warehouse_file.parent.mkdir()
    made.warehouse_file.touch()
    return made


def outcome(window: Window, code: ExitCode = ExitCode.OK, unfinished: frozenset[date] = frozenset()) -> WindowOutcome:
    return WindowOutcome(window, "run", (StepReport("publish", {}, (), code, unfinished),))


def begun(settings: Settings, *outcomes: WindowOutcome) -> SyncRecord:
    record = record_of(settings, WINDOWS, "DAILY", NOW)
    for one in outcomes:
        record.enter(one, NOW)
    return record


def done(settings: Settings, reason: str = "DAILY", after: timedelta = timedelta(hours=1)) -> dict[Window, ExitCode]:
    return record_of(settings, WINDOWS, reason, NOW + after).done


def test_the_same_range_takes_up_what_was_done_with_its_exit_codes(settings: Settings) -> None:
    begun(settings, outcome(WINDOWS[0]), outcome(WINDOWS[1], ExitCode.NOT_PROVED))
    assert done(settings) == {WINDOWS[0]: ExitCode.OK, WINDOWS[1]: ExitCode.NOT_PROVED}
    assert done(settings, after=timedelta(hours=25)) == {}
    assert done(settings, after=timedelta(hours=-1)) == {}
    assert done(settings, reason="CONFIRM") == {}
    assert record_of(settings, WINDOWS[:2], "DAILY", NOW).done == {}


def test_a_window_that_lacks_something_a_later_run_can_fetch_is_not_done(settings: Settings) -> None:
    begun(
        settings,
        outcome(WINDOWS[0], unfinished=frozenset({WINDOWS[0].first})),
        outcome(WINDOWS[1], ExitCode.TRY_LATER),
        outcome(WINDOWS[2]),
    )
    assert list(done(settings)) == [WINDOWS[2]]


def test_a_range_that_came_to_its_end_is_done_anew(settings: Settings) -> None:
    record = begun(settings, *(outcome(window) for window in WINDOWS))
    record.close(WINDOWS)
    assert done(settings) == {}
    assert list(settings.data_dir.glob("sync-progress*")) == []


def test_nothing_is_taken_for_done_without_a_warehouse_or_by_a_damaged_record(settings: Settings) -> None:
    record = begun(settings, outcome(WINDOWS[0]))
    whole = record.file.read_text()
    for damaged in ("", "[]", whole[:-5], whole.replace('"at"', '"when"'), whole.replace("2024-07-03", "x")):
        record.file.write_text(damaged)
        assert done(settings) == {}
    record.file.write_text(whole)
    assert list(done(settings)) == [WINDOWS[0]]
    settings.warehouse_file.unlink()
    assert done(settings) == {}


def test_the_pace_tells_windows_and_the_time_that_is_left() -> None:
    assert str(Pace(3, 118, 60.0)) == "window 3 of 118, 60 s so far, about 38 min left"
    assert str(Pace(118, 118, 9000.0)) == "window 118 of 118, 2 h 30 min so far"
    assert Pace(0, 5, 1.0).seconds_left is None
    assert [duration(seconds) for seconds in (0.4, 119, 121, 7200)] == ["0 s", "119 s", "2 min", "2 h 0 min"]
