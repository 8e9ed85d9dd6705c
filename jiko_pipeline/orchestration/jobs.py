"""The jobs, their schedules and sensors: the day, the trailing re-read, the snapshots, freshness, the history.

Schedules and the sensor of events are off until somebody turns them on in the UI; `JIKO_AUTOMATION` turns them on from
the first start. https://docs.dagster.io/guides/automate/schedules
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from jiko_pipeline.orchestration.assets import BACKFILL_GUIDE, NO_CONFIG, REASON_TAG
from jiko_pipeline.orchestration.history import prune_history
from jiko_pipeline.orchestration.notices import build_notice_sensors
from jiko_pipeline.orchestration.sensors import build_event_sensor
from jiko_pipeline.pipeline import windows
from jiko_pipeline.settings import Settings


def build_automation(
    settings: Settings,
    daily: Sequence[dg.AssetsDefinition],
    snapshot: dg.AssetsDefinition,
    freshness: dg.AssetCheckKey,
    suffix: str,
) -> dg.Definitions:
    """The daily job at 06:30, the re-read of the last business days at 07:15, the snapshots at 06:15, the question
    whether yesterday is there at 09:00, the pruning of the history at 04:00; all New York."""
    on = dg.DefaultScheduleStatus.RUNNING if settings.automation else dg.DefaultScheduleStatus.STOPPED
    selection = dg.AssetSelection.assets(*daily)
    daily_job = dg.define_asset_job(
        f"daily_close{suffix}",
        selection=(selection | dg.AssetSelection.checks_for_assets(*daily)) - dg.AssetSelection.checks(freshness),
        description=f"One day, or a range of at most 31: fetch, load, reconcile, publish. {BACKFILL_GUIDE}",
        executor_def=dg.in_process_executor,
    )
    snapshot_job = dg.define_asset_job(
        f"snapshots{suffix}",
        selection=dg.AssetSelection.assets(snapshot),
        description="Pockets, people, paper and other sides as they are listed now, and the reference list of bills.",
        executor_def=dg.in_process_executor,
    )

    freshness_job = dg.define_asset_job(
        f"freshness{suffix}",
        selection=dg.AssetSelection.checks(freshness),
        description="Is the business day before there?",
        executor_def=dg.in_process_executor,
    )

    @dg.op(
        name=f"prune_history{suffix}",
        config_schema=NO_CONFIG,
        description="Removes old runs; what they made stays materialized.",
    )
    def prune(context: dg.OpExecutionContext) -> None:
        pruned = prune_history(context.instance, settings, datetime.now(UTC), but=context.run_id)
        context.log.info("%d runs removed, %d materializations kept.", pruned.runs, pruned.materializations)

    @dg.job(
        name=f"history{suffix}",
        executor_def=dg.in_process_executor,
        description="Keeps the history of runs to JIKO_HISTORY_DAYS and JIKO_HISTORY_RUNS.",
    )
    def history_job() -> None:
        prune()

    @dg.schedule(
        name=f"trailing_reread{suffix}",
        job=daily_job,
        cron_schedule="15 7 * * *",
        execution_timezone="America/New_York",
        default_status=on,
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
        jobs=[daily_job, snapshot_job, freshness_job, history_job],
        sensors=[
            build_event_sensor(settings, daily_job.name, daily[-1].key, suffix),
            *build_notice_sensors(settings, suffix, freshness_job.name),
        ],
        schedules=[
            dg.build_schedule_from_partitioned_job(
                daily_job,
                name=f"daily_close_0630{suffix}",
                hour_of_day=6,
                minute_of_hour=30,
                default_status=on,
                description="Yesterday's close at 06:30 New York.",
            ),
            trailing_reread,
            *(
                dg.ScheduleDefinition(
                    name=f"{name}{suffix}",
                    job=job,
                    cron_schedule=cron,
                    execution_timezone="America/New_York",
                    default_status=on,
                )
                for name, job, cron in (
                    ("snapshots_0615", snapshot_job, "15 6 * * *"),
                    ("freshness_0900", freshness_job, "0 9 * * *"),
                    ("history_0400", history_job, "0 4 * * *"),
                )
            ),
        ],
    )
