"""Runs of the daily job, and what Dagster knows of work: figures for each day, nothing for what failed."""

from datetime import date
from pathlib import Path

import dagster as dg

from jiko_pipeline.orchestration.assets import DAILY_ASSETS
from jiko_pipeline.orchestration.daily_run import days_missing, run_daily_job
from jiko_pipeline.orchestration.instance import open_instance
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline_tests.operation.command_line import DataDirectory
from jiko_pipeline_tests.operation.conftest import Make

DAY = date(2024, 6, 12)
RANGE = Window(date(2024, 6, 13), date(2024, 6, 16))
"""Two business days and a weekend."""


def settings_of(directory: DataDirectory, **overrides: object) -> Settings:
    return load_settings(**{"data_dir": directory.path, "simulator_pockets": 1, **overrides})


def row_counts(settings: Settings) -> dict[str, dict[str, int]]:
    """Asset -> partition -> dagster/partition_row_count of its latest materialization."""
    found: dict[str, dict[str, int]] = {}
    with open_instance(settings) as instance:
        for declaration in DAILY_ASSETS:
            key = dg.AssetKey(list(declaration.key))
            counts = found.setdefault(key.to_user_string(), {})
            for record in instance.fetch_materializations(key, limit=1000, ascending=True).records:
                materialization = record.asset_materialization
                assert materialization is not None
                assert materialization.partition is not None
                counts[materialization.partition] = int(
                    materialization.metadata["dagster/partition_row_count"].value  # type: ignore[arg-type]
                )
    return found


def materialized(settings: Settings) -> dict[str, set[str]]:
    """Asset -> partitions that are materialized."""
    with open_instance(settings) as instance:
        keys = [dg.AssetKey(list(declaration.key)) for declaration in DAILY_ASSETS]
        return {key.to_user_string(): set(instance.get_materialized_partitions(key)) for key in keys}


def checks(settings: Settings) -> dict[str, tuple[bool, str]]:
    """Control -> whether its latest check passed, and how severe it is when it did not."""
    with open_instance(settings) as instance:
        records = instance.get_event_records(dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION))
        evaluations = [record.event_log_entry.dagster_event.event_specific_data for record in reversed(records)]  # type: ignore[union-attr]
        return {one.check_name[:3]: (one.passed, one.severity.value) for one in evaluations}  # type: ignore[union-attr]


def test_a_run_tells_the_rows_of_each_of_its_days_and_marks_none_of_a_day_that_failed(new_directory: Make) -> None:
    directory = new_directory()
    settings = settings_of(directory)
    assert run_daily_job(settings, [Window(DAY, DAY), RANGE])
    told = checks(settings)
    assert told["K10"] == (True, "ERROR")
    # What nobody has supplied is a warning, what there was no occasion for is none.
    assert (told["K26"], told["K39"], told["K27"][0]) == ((False, "WARN"), (False, "WARN"), True)

    days = [day.isoformat() for day in (DAY, *RANGE.days)]
    counts = row_counts(settings)
    assert {name: sorted(by_day) for name, by_day in counts.items()} == dict.fromkeys(counts, days)
    assert len(counts) == 9
    results = directory.rows("select business_date, count(*) from recon.result where status <> 'NOT_TESTED' group by 1")
    tested = {day.isoformat(): number for day, number in results}
    assert counts["recon/controls"] == {day: tested.get(day, 0) for day in days}
    assert counts["mart/daily_close"] == {day: 0 if date.fromisoformat(day).weekday() >= 5 else 1 for day in days}
    entries = directory.rows(
        "select scope_date, sum(row_count) from raw.delivery where document_kind in ('BANK_STATEMENT',"
        " 'BROKERAGE_STATEMENT') group by 1"
    )
    assert {day.isoformat() for day, number in entries if number} == {
        day for day, number in counts["staging/statements"].items() if number
    }

    another_world = settings_of(directory, simulator_seed=8)
    assert not run_daily_job(another_world, [Window(date(2024, 6, 17), date(2024, 6, 17))])
    assert {name: sorted(done) for name, done in materialized(settings).items()} == dict.fromkeys(counts, days)
    assert days_missing(settings, [DAY, date(2024, 6, 17)]) == [date(2024, 6, 17)]

    published = settings.published_file
    published.unlink()
    published.mkdir()
    (published / "in the way").touch()
    assert not run_daily_job(settings, [Window(date(2024, 6, 17), date(2024, 6, 17))])
    assert {name for name, done in materialized(settings).items() if "2024-06-17" not in done} == {"published/treasury"}


def test_sync_tells_an_instance_that_exists_what_it_has_done_and_makes_none_where_there_is_none(
    new_directory: Make, tmp_path: Path
) -> None:
    directory = new_directory()
    assert directory.sync("2024-06-13", "2024-06-14").exit_code == 0
    assert not (directory.path / ".dagster").exists()
    assert not list(tmp_path.glob("**/dagster.yaml"))

    with open_instance(settings_of(directory)):
        pass
    assert directory.sync("2024-06-14", "2024-06-15").exit_code == 0
    done = materialized(settings_of(directory))
    assert done == {"/".join(asset.key): {"2024-06-14", "2024-06-15"} for asset in DAILY_ASSETS}
