"""Dagster's history kept to a limit: old runs go, what they say of partitions stays.

Belongs here: which runs go, and saying again what only they have said. Does not belong here: ticks of schedules and
sensors, which Dagster prunes itself (`retention` in dagster.yaml).

Dagster has no retention of runs and events, and with a run it deletes the materializations that it made: a partition
would look as if it had never been made. So before a run goes, the latest materialization of each partition that it
made is reported once more, without a run. https://docs.dagster.io/deployment/oss/dagster-instance
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import dagster as dg

from jiko_pipeline.settings import Settings

BACKFILL_TAG: Final = "dagster/backfill"
PRUNED_RUN: Final = "jiko/pruned_run"
"""Metadata of a materialization that was reported again: the run that had made it."""

_ENDED: Final = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many runs went and how many materializations were reported again."""

    runs: int
    materializations: int


def prune_history(instance: dg.DagsterInstance, settings: Settings, now: datetime, *, but: str | None = None) -> Pruned:
    """Removes runs that ended before `JIKO_HISTORY_DAYS`, and the oldest beyond `JIKO_HISTORY_RUNS`.

    Runs under way, those of a backfill under way, and the run `but` stay. `now` is an aware instant.
    """
    oldest = now - timedelta(days=settings.history_days)
    under_way = {
        backfill.backfill_id
        for backfill in instance.get_backfills()
        if backfill.status.value in {"REQUESTED", "CANCELING", "FAILING"}
    }
    ended = [
        record
        for record in _ended_runs(instance)
        if record.dagster_run.run_id != but and record.dagster_run.tags.get(BACKFILL_TAG) not in under_way
    ]
    too_many = len(ended) - settings.history_runs
    going = [
        record.dagster_run for place, record in enumerate(ended) if place < too_many or record.update_timestamp < oldest
    ]
    reported = _report_again(instance, {run.run_id for run in going})
    for run in going:
        instance.delete_run(run.run_id)
        instance.compute_log_manager.delete_logs(prefix=[run.run_id])
    return Pruned(len(going), reported)


def _ended_runs(instance: dg.DagsterInstance) -> Iterator[dg.RunRecord]:
    """Runs that have ended, oldest first."""
    cursor = None
    while True:
        page = instance.get_run_records(
            dg.RunsFilter(statuses=_ENDED), limit=_PAGE, cursor=cursor, order_by="id", ascending=True
        )
        yield from page
        if len(page) < _PAGE:
            return
        cursor = page[-1].dagster_run.run_id


def _report_again(instance: dg.DagsterInstance, going: set[str]) -> int:
    """Reports the materializations that are their partition's latest and were made by runs that go."""
    reported = 0
    if not going:
        return reported
    for key in instance.all_asset_keys():
        for materialization, run_id in _latest_of(instance, key, going):
            instance.report_runless_asset_event(
                materialization._replace(
                    metadata={**materialization.metadata, PRUNED_RUN: dg.MetadataValue.text(run_id)}
                )
            )
            reported += 1
    return reported


def _latest_of(
    instance: dg.DagsterInstance, key: dg.AssetKey, going: set[str]
) -> Sequence[tuple[dg.AssetMaterialization, str]]:
    latest: dict[str | None, tuple[dg.AssetMaterialization, str]] = {}
    cursor = None
    while True:
        page = instance.fetch_materializations(key, limit=_PAGE, cursor=cursor, ascending=True)
        for record in page.records:
            made = record.asset_materialization
            if made is not None:
                latest[made.partition] = (made, record.run_id)
        if not page.has_more:
            return [found for found in latest.values() if found[1] in going]
        cursor = page.cursor
