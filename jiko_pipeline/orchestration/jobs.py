"""The jobs, their schedules and the sensor of events: the daily one, the trailing re-read, the snapshots.

Schedules and sensor are off until somebody turns them on in the UI. https://docs.dagster.io/guides/automate/schedules
"""

from collections.abc import Sequence
from datetime import UTC

import dagster as dg

from jiko_pipeline.orchestration.assets import BACKFILL_GUIDE, REASON_TAG
from jiko_pipeline.orchestration.sensors import build_event_sensor
from jiko_pipeline.pipeline import windows
from jiko_pipeline.settings import Settings


def build_automation(
    settings: Settings,
    daily: Sequence[dg.AssetsDefinition],
    snapshot: dg.AssetsDefinition,
    suffix: str,
) -> dg.Definitions:
    """The daily job at 06:30, the re-read of the last business days at 07:15, the snapshots at 06:15, New York."""
    selection = dg.AssetSelection.assets(*daily)
    daily_job = dg.define_asset_job(
        f"daily_close{suffix}",
        selection=selection | dg.AssetSelection.checks_for_assets(*daily),
        description=f"One day, or a range of at most 31: fetch, load, reconcile, publish. {BACKFILL_GUIDE}",
        executor_def=dg.in_process_executor,
    )
    snapshot_job = dg.define_asset_job(
        f"snapshots{suffix}",
        selection=dg.AssetSelection.assets(snapshot),
        description="Pockets, people, paper and other sides as they are listed now, and the reference list of bills.",
        executor_def=dg.in_process_executor,
    )

    @dg.schedule(
        name=f"trailing_reread{suffix}",
        job=daily_job,
        cron_schedule="15 7 * * *",
        execution_timezone="America/New_York",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Asks for the last business days again and keeps what differs as a new version.",
    )
    def trailing_reread(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        now = context.scheduled_execution_time.astimezone(UTC)
        window = windows.trailing(settings, now)
        if window is None:
            return dg.SkipReason("There is no business day to read again.")
        return dg.RunRequest(
            run_key=f"reread-{window.last}",
            tags={
                "dagster/asset_partition_range_start": window.first.isoformat(),
                "dagster/asset_partition_range_end": window.last.isoformat(),
                REASON_TAG: "CONFIRM",
            },
        )

    return dg.Definitions(
        jobs=[daily_job, snapshot_job],
        sensors=[build_event_sensor(settings, daily_job.name, daily[-1].key, suffix)],
        schedules=[
            dg.build_schedule_from_partitioned_job(
                daily_job,
                name=f"daily_close_0630{suffix}",
                hour_of_day=6,
                minute_of_hour=30,
                default_status=dg.DefaultScheduleStatus.STOPPED,
                description="Yesterday's close at 06:30 New York.",
            ),
            trailing_reread,
            dg.ScheduleDefinition(
                name=f"snapshots_0615{suffix}",
                job=snapshot_job,
                cron_schedule="15 6 * * *",
                execution_timezone="America/New_York",
                default_status=dg.DefaultScheduleStatus.STOPPED,
            ),
        ],
    )
