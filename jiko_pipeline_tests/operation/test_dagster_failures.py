"""A run that fails: what has landed stays, what may pass is tried again, what will not pass is left alone by all."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.launcher import WorkerStatus
from dagster._daemon.monitoring.run_monitoring import monitor_started_run

from jiko_pipeline.orchestration.assets import DAILY_ASSETS
from jiko_pipeline.orchestration.daily_run import run_daily_job
from jiko_pipeline.orchestration.instance import open_instance
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline_tests.bank import chaos_rig
from jiko_pipeline_tests.bank.chaos_rig import rule
from jiko_pipeline_tests.operation.command_line import DataDirectory, data_directories
from jiko_pipeline_tests.operation.dagster_host import PROJECT

ASSETS = [dg.AssetKey(list(declaration.key)) for declaration in DAILY_ASSETS]
WILL_RETRY = "dagster/will_retry"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataDirectory]:
    """One pocket; each test goes on with days of its own."""
    with data_directories() as made:
        made.append(DataDirectory(tmp_path_factory.mktemp("failures") / "data", {"JIKO_SIMULATOR_POCKETS": "1"}))
        yield made[0]


@pytest.fixture
def settings(directory: DataDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An instance that would run everything again that fails, whatever the reason."""
    home = tmp_path / "home"
    home.mkdir()
    stated = yaml.safe_load((PROJECT / "jiko_pipeline/orchestration/dagster.yaml").read_text(encoding="utf-8"))
    stated["run_retries"]["retry_on_asset_or_op_failure"] = True
    (home / "dagster.yaml").write_text(yaml.safe_dump(stated), encoding="utf-8")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    return load_settings(
        data_dir=directory.path, simulator_pockets=1, poll_deadline_seconds=0.3, fetch_retry_seconds=0.01
    )


def patient(settings: Settings) -> Settings:
    return settings.model_copy(update={"poll_deadline_seconds": 3600.0})


def materialized(settings: Settings) -> dict[str, list[str]]:
    with open_instance(settings) as instance:
        return {key.to_user_string(): sorted(instance.get_materialized_partitions(key)) for key in ASSETS}


def latest_run(settings: Settings) -> tuple[dg.DagsterRun, list[dg.DagsterEvent]]:
    with open_instance(settings) as instance:
        (record,) = instance.get_run_records(limit=1)
        entries = instance.all_logs(record.dagster_run.run_id)
        return record.dagster_run, [entry.dagster_event for entry in entries if entry.dagster_event is not None]


def tries(events: Sequence[dg.DagsterEvent], step: str) -> tuple[int, int]:
    """(how often the step was put off for another try, how often it failed for good)"""
    of_step = [event for event in events if event.step_key == step]
    return sum(event.is_step_up_for_retry for event in of_step), sum(event.is_step_failure for event in of_step)


def test_days_that_have_landed_are_materialized_everywhere_and_only_the_others_fail(
    directory: DataDirectory, settings: Settings
) -> None:
    landed, late = ["2024-06-12", "2024-06-13"], "2024-06-14"
    assert directory.sync(*landed).exit_code == 0
    days = [*landed, late]
    with chaos_rig.chaos(
        directory, rule("field_value", match={"path": "/api/v1/report-requests/*"}, name="status", value="PENDING")
    ):
        assert not run_daily_job(settings, [Window(date(2024, 6, 12), date(2024, 6, 14))])
    orders = directory.orders()

    # What does not rest on reports has landed for all days.
    whole = {"raw/activity": days, "staging/activity": days}
    assert materialized(settings) == {key.to_user_string(): landed for key in ASSETS} | whole
    run, events = latest_run(settings)
    assert tries(events, "raw__reports") == (2, 1)
    (failed,) = [event for event in events if event.is_step_failure]
    assert failed.step_failure_data.user_failure_data is not None
    told = failed.step_failure_data.user_failure_data
    assert told.metadata["waiting"].value == [late]
    assert "1 of 3 days wait for reports" in (told.description or "")
    # It may pass, so the daemon may run it again.
    assert run.tags[WILL_RETRY] == "true"
    closed = "select distinct business_date from mart.daily_close where business_date > '2024-06-11' order by 1"
    assert [str(day) for (day,) in directory.rows(closed)] == days

    assert run_daily_job(patient(settings), [Window(date(2024, 6, 12), date(2024, 6, 14))])
    assert materialized(settings) == {key.to_user_string(): days for key in ASSETS}
    assert directory.orders() == orders
    assert directory.rows("select count(*) from mart.daily_close where not ready_to_book") == [(0,)]


def test_a_failure_that_will_not_pass_is_tried_again_by_neither_client_nor_step_nor_run(
    directory: DataDirectory, settings: Settings
) -> None:
    day = date(2024, 6, 17)
    with chaos_rig.chaos(
        directory, rule("status", match={"path": "/api/v2/pockets/"}, status=403, body={"detail": "no such scope"})
    ):
        assert not run_daily_job(settings, [Window(day, day)])
        assert chaos_rig.injected(directory) == ["status"]
    run, events = latest_run(settings)
    assert tries(events, "raw__reports") == (0, 1)
    assert run.tags["dagster/max_retries"] == "0"
    assert run.tags[WILL_RETRY] == "false"
    assert "2024-06-17" not in materialized(settings)["published/treasury"]

    assert run_daily_job(patient(settings), [Window(day, day)])
    assert all("2024-06-17" in days for days in materialized(settings).values())


def test_an_error_that_is_not_ours_leaves_neither_its_message_nor_its_arguments_in_the_events(
    directory: DataDirectory, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "https://storage.example/file?signature=CANARY"

    def broken(*_: object) -> None:
        raise ValueError(secret)

    monkeypatch.setattr("jiko_pipeline.pipeline.fetching.pulls_for", broken)
    assert not run_daily_job(settings, [Window(date(2024, 6, 18), date(2024, 6, 18))])
    run, events = latest_run(settings)
    (failed,) = [event for event in events if event.is_step_failure]
    assert failed.step_failure_data.user_failure_data is not None
    assert "A defect: ValueError" in (failed.step_failure_data.user_failure_data.description or "")
    assert run.tags[WILL_RETRY] == "false"
    with open_instance(settings) as instance:
        assert not any("CANARY" in str(entry) for entry in instance.all_logs(run.run_id))


@pytest.mark.fault_rows(125)
def test_a_run_whose_process_was_killed_is_marked_and_keeps_nobody_waiting(
    directory: DataDirectory, settings: Settings
) -> None:
    day = date(2024, 6, 20)
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            "from datetime import date\n"
            "from jiko_pipeline.orchestration.daily_run import run_daily_job\n"
            "from jiko_pipeline.pipeline.windows import Window\n"
            "from jiko_pipeline.settings import load_settings\n"
            f"run_daily_job(load_settings(), [Window(date.fromisoformat('{day}'), date.fromisoformat('{day}'))])",
        ],
        cwd=directory.path.parent,
        env=directory.environment(JIKO_FAILPOINT="load-before-commit:2", DAGSTER_HOME=os.environ["DAGSTER_HOME"]),
        check=False,
    )
    assert killed.returncode == 137
    before = directory.hashes() if (directory.path / "treasury.duckdb").exists() else {}

    with open_instance(settings) as instance:
        (record,) = instance.get_run_records(limit=1)
        assert record.dagster_run.status is dg.DagsterRunStatus.STARTED
        monitor_started_run(instance, None, record, logging.getLogger("monitoring"))  # type: ignore[arg-type]
        marked = instance.get_run_by_id(record.dagster_run.run_id)
        assert marked is not None
        assert marked.status is dg.DagsterRunStatus.FAILURE
        # A worker that died is no reason to give up.
        assert marked.tags[WILL_RETRY] == "true"
    assert before == (directory.hashes() if before else {})

    assert run_daily_job(patient(settings), [Window(day, day)])
    assert all(str(day) in days for days in materialized(settings).values())
    with open_instance(settings) as instance:
        (record,) = instance.get_run_records(limit=1)
        # This process lives.
        health = instance.run_launcher.check_run_worker_health(record.dagster_run)
        assert health.status is WorkerStatus.RUNNING
