"""How far a run and its backfill are, for the run's page: reports of the window, windows of the backfill, time left.

Belongs here: what is logged and when. Does not belong here: the terminal (`jiko_pipeline.cli`).
"""

from collections.abc import Mapping
from typing import Final

import dagster as dg

from jiko_pipeline.bank.orders import Progress
from jiko_pipeline.pipeline.pace import Pace
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline.settings import REPORT_WINDOW_DAYS

BACKFILL_TAG: Final = "dagster/backfill"
_TELLINGS: Final = 5
"""How often the reports of a window are told of; every line is a row of the event log."""


def logged_reports(log: dg.DagsterLogManager) -> Progress:
    """Logs reports as they are ordered and delivered, a few times a window."""
    told: dict[str, int] = {}

    def tell(what: str, done: int, of: int) -> None:
        part = done * _TELLINGS // max(1, of)
        if told.get(what) != part:
            told[what] = part
            log.info("Reports %s: %d of %d.", what, done, of)

    return tell


def backfill_progress(context: dg.AssetExecutionContext, window: Window) -> Mapping[str, str]:
    """Metadata of a window that belongs to a backfill: which window of how many, the pace, and the time left."""
    backfill_id = context.run.tags.get(BACKFILL_TAG)
    if backfill_id is None:
        return {}
    backfill = context.instance.get_backfill(backfill_id)
    if backfill is None or backfill.asset_backfill_data is None:
        return {}
    days = {key.partition_key for key in backfill.asset_backfill_data.target_subset.iterate_asset_partitions()}
    windows = -(-len(days) // REPORT_WINDOW_DAYS)
    runs = context.instance.get_runs_count(
        dg.RunsFilter(tags={BACKFILL_TAG: backfill_id}, statuses=[dg.DagsterRunStatus.SUCCESS])
    )
    record = context.instance.get_run_record_by_id(context.run.run_id)
    begun = backfill.backfill_timestamp
    now = record.update_timestamp.timestamp() if record is not None else begun
    pace = Pace(done=min(runs + 1, windows), of=windows, seconds=max(0.0, now - begun))
    context.log.info("Backfill, %s: %s.", window, pace)
    return {"backfill": str(pace)}
