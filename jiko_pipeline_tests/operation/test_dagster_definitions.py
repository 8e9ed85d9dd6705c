"""What Dagster is told: assets, checks, jobs, schedules, one partitions definition, one backfill policy."""

import importlib.resources
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import yaml

from jiko_pipeline.orchestration.build import build_defs
from jiko_pipeline.pipeline import windows
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline_tests.operation.dagster_host import PROJECT

NEW_YORK = ZoneInfo("America/New_York")
DAILY = {
    "raw/reports": ("raw", []),
    "raw/activity": ("raw", []),
    "staging/statements": ("raw", ["raw/reports"]),
    "staging/holdings": ("raw", ["raw/reports"]),
    "staging/activity": ("raw", ["raw/activity"]),
    "core/facts": ("core", ["staging/activity", "staging/holdings", "staging/statements"]),
    "recon/controls": ("recon", ["core/facts"]),
    "mart/daily_close": ("mart", ["recon/controls"]),
    "published/treasury": ("published", ["mart/daily_close"]),
}
"""Partitioned asset -> (group, inputs)."""

SNAPSHOT = "snapshots/pockets"
WITH_TABLES = {name for name in DAILY if not name.startswith(("raw/", "published/"))} | {SNAPSHOT}
SCHEMAS = ("columns of ", "dagster/column_schema")
BLOCKING = {
    ("core/facts", "tables_match_their_declarations"),
    ("core/facts", "rows_match_the_manifest"),
    ("published/treasury", "published_file_is_the_verified_copy"),
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(data_dir=tmp_path_factory.mktemp("definitions"), simulator_pockets=1)


@pytest.fixture(scope="module")
def defs(settings: Settings) -> dg.Definitions:
    return build_defs(settings=settings)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    home = tmp_path / "dagster-home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as made:
        yield made


def specs(defs: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def assets(defs: dg.Definitions) -> dict[str, dg.AssetsDefinition]:
    found = [asset for asset in defs.assets or () if isinstance(asset, dg.AssetsDefinition)]
    return {asset.key.to_user_string(): asset for asset in found}


def test_the_code_location_has_these_assets_in_these_groups_with_these_inputs(defs: dg.Definitions) -> None:
    found = {
        name: (spec.group_name, sorted(dep.asset_key.to_user_string() for dep in spec.deps))
        for name, spec in specs(defs).items()
    }
    assert found == {**DAILY, SNAPSHOT: ("snapshots", [])}


def test_nothing_of_the_daily_selection_depends_on_a_snapshot(defs: dg.Definitions) -> None:
    job = defs.resolve_job_def("daily_close")
    assert {key.to_user_string() for key in job.asset_layer.selected_asset_keys} == set(DAILY)


def test_every_partitioned_asset_has_the_one_partitions_definition_and_runs_of_31_days(defs: dg.Definitions) -> None:
    daily = {name: asset for name, asset in assets(defs).items() if asset.partitions_def is not None}
    assert set(daily) == set(DAILY)
    assert len({id(asset.partitions_def) for asset in daily.values()}) == 1
    partitions = daily["raw/reports"].partitions_def
    assert isinstance(partitions, dg.DailyPartitionsDefinition)
    assert (partitions.timezone, partitions.get_first_partition_key()) == ("America/New_York", "2024-06-03")
    assert {asset.backfill_policy for asset in daily.values()} == {dg.BackfillPolicy.multi_run(31)}


def test_every_asset_has_owners_kinds_and_a_description_that_says_how_to_backfill_it(defs: dg.Definitions) -> None:
    for name, spec in specs(defs).items():
        assert spec.owners, name
        assert spec.kinds, name
        assert spec.description, name
        assert name == SNAPSHOT or "launch from the asset graph" in spec.description


def test_every_asset_with_tables_shows_their_columns_with_types_and_descriptions(defs: dg.Definitions) -> None:
    for name, spec in specs(defs).items():
        schemas = [value for key, value in spec.metadata.items() if key.startswith(SCHEMAS)]
        assert bool(schemas) == (name in WITH_TABLES), name
        for value in schemas:
            columns = getattr(value, "schema", value).columns
            assert columns
            assert all(column.type and column.description for column in columns)


def test_jobs_schedules_and_sensor_are_these_and_off_until_a_person_turns_them_on(defs: dg.Definitions) -> None:
    repository = defs.get_repository_def()
    jobs = {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")}
    assert jobs == {"daily_close", "snapshots", "freshness", "history"}
    schedules = {
        schedule.name: (schedule.job_name, schedule.cron_schedule, schedule.execution_timezone, schedule.default_status)
        for schedule in repository.schedule_defs
    }
    off = dg.DefaultScheduleStatus.STOPPED
    assert schedules == {
        "daily_close_0630": ("daily_close", "30 6 * * *", "America/New_York", off),
        "trailing_reread": ("daily_close", "15 7 * * *", "America/New_York", off),
        "snapshots_0615": ("snapshots", "15 6 * * *", "America/New_York", off),
        "freshness_0900": ("freshness", "0 9 * * *", "America/New_York", off),
        "history_0400": ("history", "0 4 * * *", "America/New_York", off),
    }
    sensors = {sensor.name: sensor.default_status for sensor in repository.sensor_defs}
    stopped = dg.DefaultSensorStatus.STOPPED
    assert sensors == dict.fromkeys(("bank_events", "tell_of_failures", "tell_of_breaks"), stopped)


def test_there_is_one_check_for_each_control_and_only_checks_of_the_whole_file_block(defs: dg.Definitions) -> None:
    found = {
        (key.asset_key.to_user_string(), key.name): spec.blocking
        for asset in [*(defs.asset_checks or ()), *assets(defs).values()]
        for spec in asset.check_specs
        for key in [spec.key]
    }
    controls = {("recon/controls", f"{control.control_id}_{control.name}") for control in Registry.load().controls}
    assert len(controls) >= 21
    assert {key for key, blocking in found.items() if blocking} == BLOCKING
    freshness = ("published/treasury", "the_day_that_is_due_is_there")
    assert {key for key, blocking in found.items() if not blocking} == {*controls, freshness}


def tick(defs: dg.Definitions, name: str, at: datetime, instance: dg.DagsterInstance) -> list[Any]:
    """The run requests of a schedule at an instant."""
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=at, repository_def=defs.get_repository_def()
    )
    requests = defs.resolve_schedule_def(name).evaluate_tick(context).run_requests
    return list(requests or ())


def test_a_setting_turns_schedules_and_sensors_on_from_the_first_start(settings: Settings) -> None:
    told = settings.model_copy(update={"automation": True, "notify_command": "true"})
    repository = build_defs(settings=told).get_repository_def()
    assert {schedule.default_status for schedule in repository.schedule_defs} == {dg.DefaultScheduleStatus.RUNNING}
    assert {sensor.default_status for sensor in repository.sensor_defs} == {dg.DefaultSensorStatus.RUNNING}


def test_the_daily_job_leaves_the_question_of_yesterday_to_its_own_job(defs: dg.Definitions) -> None:
    def steps_of(job: str) -> set[str]:
        return {node.name for node in defs.resolve_job_def(job).nodes}

    (question,) = steps_of("freshness")
    assert question.endswith("the_day_that_is_due_is_there")
    assert question not in steps_of("daily_close")
    assert len(steps_of("daily_close")) == len(DAILY) + len(BLOCKING) + 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(date(2025, 3, 9), id="clocks go forward"),
        pytest.param(date(2025, 11, 2), id="clocks go back"),
        pytest.param(date(2025, 1, 1), id="New Year"),
    ],
)
@pytest.mark.fault_rows(102)
def test_the_daily_schedule_asks_at_half_past_six_in_new_york_for_the_day_before(
    change: date, defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    times = [
        datetime(day.year, day.month, day.day, 6, 30, tzinfo=NEW_YORK)
        for day in (change + timedelta(days=offset) for offset in range(-2, 3))
    ]
    for at in times:
        (request,) = tick(defs, "daily_close_0630", at, instance)
        assert request.partition_key == (at.date() - timedelta(days=1)).isoformat()
    assert len({at.astimezone(UTC).hour for at in times}) == (1 if change.month == 1 else 2)


@pytest.mark.parametrize(
    ("at", "first", "last"),
    [
        pytest.param(datetime(2024, 6, 21, 7, 15, tzinfo=NEW_YORK), "2024-06-13", "2024-06-20", id="over Juneteenth"),
        pytest.param(datetime(2024, 7, 8, 7, 15, tzinfo=NEW_YORK), "2024-06-28", "2024-07-05", id="over the Fourth"),
        pytest.param(datetime(2024, 6, 5, 7, 15, tzinfo=NEW_YORK), "2024-06-03", "2024-06-04", id="data just began"),
    ],
)
def test_the_trailing_schedule_asks_again_for_the_last_five_business_days(
    at: datetime, first: str, last: str, defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    (request,) = tick(defs, "trailing_reread", at, instance)
    assert request.tags["dagster/asset_partition_range_start"] == first
    assert request.tags["dagster/asset_partition_range_end"] == last
    assert request.tags["jiko/reason"] == "CONFIRM"
    assert request.run_key == f"reread-{last}"


def test_the_trailing_schedule_skips_when_there_is_no_business_day_yet(
    defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    assert tick(defs, "trailing_reread", datetime(2024, 6, 3, 7, 15, tzinfo=NEW_YORK), instance) == []


def test_another_profile_has_its_name_in_front_of_every_key_and_behind_every_job(settings: Settings) -> None:
    other = build_defs(settings=settings.model_copy(update={"profile": "sub-fund"}))
    assert set(specs(other)) == {f"sub_fund/{name}" for name in [*DAILY, SNAPSHOT]}
    jobs = {job.name for job in other.get_repository_def().get_all_jobs() if not job.name.startswith("__")}
    assert jobs == {f"{name}_sub_fund" for name in ("daily_close", "snapshots", "freshness", "history")}


def test_the_instance_at_the_root_and_the_packaged_one_differ_in_storage_only() -> None:
    packaged = importlib.resources.files("jiko_pipeline.orchestration") / "dagster.yaml"
    inside = yaml.safe_load(packaged.read_text(encoding="utf-8"))
    at_root = yaml.safe_load((PROJECT / "dagster.yaml").read_text(encoding="utf-8"))
    storage = {name: at_root.pop(name) for name in ("storage", "local_artifact_storage", "compute_logs")}
    assert at_root == inside
    directories = [storage["storage"]["sqlite"]["base_dir"]]
    directories += [storage[name]["config"]["base_dir"] for name in ("local_artifact_storage", "compute_logs")]
    assert directories == ["data/.dagster", "data/.dagster", "data/.dagster/storage"]
    assert inside["telemetry"] == {"enabled": False}
    assert inside["concurrency"]["runs"]["max_concurrent_runs"] == 2


def test_the_longest_window_is_what_a_run_of_a_backfill_covers() -> None:
    assert len(windows.cut(date(2024, 6, 3), date(2024, 7, 3))) == 1
    assert len(windows.cut(date(2024, 6, 3), date(2024, 7, 4))) == 2
