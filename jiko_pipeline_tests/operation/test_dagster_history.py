"""Dagster's history is kept to its limit, and partitions still say what was made of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from jiko_pipeline.orchestration.build import build_defs
from jiko_pipeline.orchestration.history import PRUNED_RUN, prune_history
from jiko_pipeline.settings import Settings, load_settings

PARTITIONS = dg.DailyPartitionsDefinition("2024-06-03", timezone="America/New_York")
KEY = dg.AssetKey(["made"])


@dg.asset(key=KEY, partitions_def=PARTITIONS)
def made(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    if context.partition_key == "2024-06-09":
        raise dg.Failure("no such day")
    return dg.MaterializeResult(metadata={"rows": int(context.partition_key[-2:])})


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    home = tmp_path / "home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as opened:
        yield opened


def run(instance: dg.DagsterInstance, *days: str) -> list[str]:
    """A run a day, oldest first: their ids."""
    return [dg.materialize([made], partition_key=day, instance=instance, raise_on_error=False).run_id for day in days]


def settings_of(tmp_path: Path, **limits: int) -> Settings:
    return load_settings(data_dir=tmp_path / "data", **limits)


def run_ids(instance: dg.DagsterInstance) -> list[str]:
    return [found.run_id for found in reversed(instance.get_runs())]


def rows_of(instance: dg.DagsterInstance) -> dict[str | None, tuple[object, object]]:
    """Partition -> (rows, the run that was pruned) of its latest materialization."""
    found = {}
    for record in instance.fetch_materializations(KEY, limit=100, ascending=True).records:
        materialization = record.asset_materialization
        assert materialization is not None
        pruned = materialization.metadata.get(PRUNED_RUN)
        found[materialization.partition] = (
            materialization.metadata["rows"].value,
            None if pruned is None else pruned.value,
        )
    return found


def test_the_oldest_runs_beyond_the_limit_go_and_every_partition_stays_as_it_was(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    first, second, again, failed, last = run(
        instance, "2024-06-03", "2024-06-04", "2024-06-03", "2024-06-09", "2024-06-05"
    )
    partitions = set(instance.get_materialized_partitions(KEY))
    pruned = prune_history(instance, settings_of(tmp_path, history_runs=2), datetime.now(UTC))
    assert (pruned.runs, pruned.materializations) == (3, 2)
    assert run_ids(instance) == [failed, last]
    assert set(instance.get_materialized_partitions(KEY)) == partitions == {"2024-06-03", "2024-06-04", "2024-06-05"}
    # Of a day that two runs made the later one speaks.
    assert rows_of(instance) == {"2024-06-03": (3, again), "2024-06-04": (4, second), "2024-06-05": (5, None)}
    assert first not in run_ids(instance)
    assert instance.all_logs(first) == []

    assert prune_history(instance, settings_of(tmp_path, history_runs=2), datetime.now(UTC)).runs == 0


def test_runs_of_long_ago_go_however_few_there_are(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    run(instance, "2024-06-03")
    settings = settings_of(tmp_path, history_days=30)
    assert prune_history(instance, settings, datetime.now(UTC) + timedelta(days=29)).runs == 0
    assert prune_history(instance, settings, datetime.now(UTC) + timedelta(days=31)).runs == 1
    assert run_ids(instance) == []
    assert set(instance.get_materialized_partitions(KEY)) == {"2024-06-03"}


def test_pruning_again_after_it_was_cut_short_loses_nothing(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(instance, "2024-06-03", "2024-06-04")

    def killed(run_id: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(instance, "delete_run", killed)
        with pytest.raises(KeyboardInterrupt):
            prune_history(instance, settings_of(tmp_path, history_runs=1), datetime.now(UTC))
    assert prune_history(instance, settings_of(tmp_path, history_runs=1), datetime.now(UTC)).runs == 1
    assert {day: rows for day, (rows, _) in rows_of(instance).items()} == {"2024-06-03": 3, "2024-06-04": 4}


def test_the_job_of_the_history_keeps_itself(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    run(instance, "2024-06-03", "2024-06-04")
    job = build_defs(settings=settings_of(tmp_path, history_runs=1)).resolve_job_def("history")
    done = job.execute_in_process(instance=instance)
    assert done.success
    assert len(run_ids(instance)) == 2
    assert done.run_id in run_ids(instance)
    assert set(instance.get_materialized_partitions(KEY)) == {"2024-06-03", "2024-06-04"}
