"""The sensors of Dagster tell people what a run said of itself: a failure in its own words, breaks, a late day."""

import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import time_machine

from jiko_pipeline.notifying.record import entered
from jiko_pipeline.orchestration.notices import build_notice_sensors
from jiko_pipeline.settings import Settings
from jiko_pipeline_tests.operation.test_notices import NEW, OPEN, publish_breaks, settings_of

DAYS = {"dagster/asset_partition_range_start": "2024-07-16", "dagster/asset_partition_range_end": "2024-07-17"}


@dg.op
def refused() -> None:
    raise dg.Failure("The bank refuses account 021000021987654.")


@dg.op
def broken() -> None:
    raise ValueError("https://storage.example/file?signature=CANARY")


@dg.op
def good() -> None:
    """Does nothing."""


@pytest.fixture
def told(tmp_path: Path) -> Path:
    return tmp_path / "told.json"


@pytest.fixture
def settings(tmp_path: Path, told: Path) -> Settings:
    script = tmp_path / "hook.py"
    script.write_text(f"import sys, pathlib; pathlib.Path({str(told)!r}).write_bytes(sys.stdin.buffer.read())")
    return settings_of(tmp_path, notify_command=f"{sys.executable} {script}", start_date=date(2024, 7, 15))


def after(settings: Settings, op: dg.OpDefinition, name: str = "daily_close", **tags: str) -> None:
    """Runs a job of one op and lets the sensors see how it ended."""

    @dg.job(name=name)
    def job() -> None:
        op()

    failures, breaks = build_notice_sensors(settings, "", "freshness")
    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(instance=instance, raise_on_error=False, tags=tags)
        context: Any = dg.build_run_status_sensor_context(
            sensor_name="sensor",
            dagster_instance=instance,
            dagster_run=done.dagster_run,
            dagster_event=done.get_run_success_event() if done.success else done.get_run_failure_event(),
        )
        if done.success:
            breaks(context)
        else:
            failures(context.for_run_failure())


def test_a_run_that_failed_is_told_with_its_days_and_what_it_said(settings: Settings, told: Path) -> None:
    after(settings, refused, **DAYS)
    notice = json.loads(told.read_text())
    assert notice["summary"] == "daily_close of 2024-07-16 to 2024-07-17 failed"
    assert notice["lines"][0] == "The bank refuses account •••7654."
    assert (notice["first"], notice["last"]) == ("2024-07-16", "2024-07-17")


def test_of_a_defect_the_message_stays_at_home(settings: Settings, told: Path) -> None:
    after(settings, broken, **DAYS)
    assert json.loads(told.read_text())["lines"][0] == "The step broken failed."
    assert "CANARY" not in told.read_text()


def test_a_run_that_left_new_breaks_is_told_once(settings: Settings, told: Path) -> None:
    publish_breaks(settings, OPEN, NEW)
    after(settings, good, **DAYS)
    assert json.loads(told.read_text())["summary"] == "2 open breaks, 2 of them new"
    after(settings, good, **DAYS)
    assert len(list(entered(settings))) == 1


def test_the_question_of_nine_o_clock_tells_that_a_day_is_late(settings: Settings, told: Path) -> None:
    nine = datetime(2024, 7, 17, 9, 1, tzinfo=ZoneInfo("America/New_York"))
    with time_machine.travel(nine, tick=True):
        after(settings, good, name="freshness")
    notice = json.loads(told.read_text())
    assert (notice["kind"], notice["summary"]) == ("late", "2024-07-16 is not there")
