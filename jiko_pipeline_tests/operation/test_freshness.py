"""Is yesterday there by 09:00 in New York: by the calendar of business days and the days that are closed."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb
import pytest
import time_machine

from jiko_pipeline.orchestration.build import build_defs
from jiko_pipeline.pipeline.freshness import due_day, freshness
from jiko_pipeline.settings import Settings, load_settings

NEW_YORK = ZoneInfo("America/New_York")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        pytest.param("2024-07-16T08:59", "2024-07-12", id="before nine the day before yesterday's business day"),
        pytest.param("2024-07-16T09:00", "2024-07-15", id="from nine on yesterday"),
        pytest.param("2024-07-13T10:00", "2024-07-12", id="Saturday: Friday"),
        pytest.param("2024-07-15T08:00", "2024-07-11", id="Monday before nine: Thursday, Friday is due at nine"),
        pytest.param("2024-07-15T10:00", "2024-07-12", id="Monday: Friday"),
        pytest.param("2024-07-05T09:30", "2024-07-03", id="after the Fourth: the third"),
        pytest.param("2025-03-10T09:00", "2025-03-07", id="clocks went forward"),
        pytest.param("2025-11-03T08:59", "2025-10-30", id="clocks went back"),
        pytest.param("2025-01-02T09:00", "2024-12-31", id="New Year"),
    ],
)
def test_the_day_that_is_due_is_the_last_fed_business_day_before_today(now: str, due: str) -> None:
    assert due_day(at(now)) == date.fromisoformat(due)


def published(tmp_path: Path, days: Sequence[str]) -> Settings:
    """Settings of a data directory whose published file has these days closed."""
    settings = load_settings(data_dir=tmp_path, start_date=date(2024, 7, 10))
    settings.published_file.unlink(missing_ok=True)
    with duckdb.connect(str(settings.published_file)) as con:
        con.execute("create schema mart; create table mart.daily_close (customer_id text, business_date date)")
        for day in days:
            con.execute("insert into mart.daily_close values ('default', ?)", [day])
    return settings


def test_a_day_that_was_made_just_now_says_nothing_of_the_day_that_is_due(tmp_path: Path) -> None:
    late = freshness(published(tmp_path, ["2024-07-10", "2024-07-12"]), at("2024-07-16T09:00"))
    assert not late.is_fresh
    assert late.missing == (date(2024, 7, 11), date(2024, 7, 15))
    assert str(late) == (
        "2024-07-15 is not there, due by 09:00 in New York; the last day closed is 2024-07-12; 1 day before it lack."
    )
    there = freshness(published(tmp_path, ["2024-07-10", "2024-07-15"]), at("2024-07-16T09:00"))
    assert there.is_fresh
    assert there.missing == (date(2024, 7, 11), date(2024, 7, 12))


def test_nothing_is_due_before_the_data_begins_and_everything_where_nothing_was_published(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, start_date=date(2024, 7, 10))
    assert freshness(settings, at("2024-07-10T12:00")).is_fresh
    assert not freshness(settings, at("2024-07-11T12:00")).is_fresh


def test_dagster_shows_it_as_a_check_that_warns(tmp_path: Path) -> None:
    settings = published(tmp_path, ["2024-07-10"])
    job = build_defs(settings=settings).resolve_job_def("freshness")

    def passed(now: str) -> bool:
        with time_machine.travel(at(now), tick=True), dg.DagsterInstance.ephemeral() as instance:
            (evaluation,) = job.execute_in_process(instance=instance).get_asset_check_evaluations()
            assert evaluation.severity is dg.AssetCheckSeverity.WARN
            return evaluation.passed

    assert passed("2024-07-11T09:30")
    assert not passed("2024-07-12T09:30")
