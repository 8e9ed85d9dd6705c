"""The sensors that tell people: of runs that failed, and of breaks that a run that succeeded has left open.

On from the start where a way out is configured (`JIKO_NOTIFY_*`), else off. What is told, and to whom, is decided in
`jiko_pipeline.notifying`. A worker that was killed is told of too, once run monitoring has marked its run.
https://docs.dagster.io/guides/automate/run-status-sensors
"""

from datetime import UTC, datetime

import dagster as dg

from jiko_pipeline.notifying.channels import channels
from jiko_pipeline.notifying.telling import tell_of_breaks, tell_of_failure, tell_of_late_day
from jiko_pipeline.pipeline.freshness import freshness
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline.settings import Settings


def build_notice_sensors(settings: Settings, suffix: str, freshness_job: str) -> list[dg.SensorDefinition]:
    """One sensor for runs that failed, one for runs that succeeded."""
    status = dg.DefaultSensorStatus.RUNNING if channels(settings) else dg.DefaultSensorStatus.STOPPED

    @dg.run_failure_sensor(
        name=f"tell_of_failures{suffix}",
        default_status=status,
        description="Tells people of every run that failed, by the ways that JIKO_NOTIFY_* names.",
    )
    def tell_of_failures(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        window = window_of(run)
        tell_of_failure(
            settings,
            f"{run.job_name if not run.job_name.startswith('__') else 'A run of assets'} of {window or 'no day'}",
            " ".join(_reasons(context)) or "The run ended without saying why.",
            run_id=run.run_id,
            first=None if window is None else window.first,
            last=None if window is None else window.last,
        )

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name=f"tell_of_breaks{suffix}",
        default_status=status,
        description="Tells people of open breaks that they were not told of yet, and of a day that is late.",
    )
    def tell_of_open_breaks(context: dg.RunStatusSensorContext) -> None:
        run = context.dagster_run
        if run.job_name == freshness_job:
            now = datetime.now(UTC)
            found = freshness(settings, now)
            if found.due is not None and not found.is_fresh:
                tell_of_late_day(settings, found.due, str(found), now)
            return
        window = window_of(run)
        tell_of_breaks(
            settings,
            run_id=run.run_id,
            first=None if window is None else window.first,
            last=None if window is None else window.last,
        )

    return [tell_of_failures, tell_of_open_breaks]


def window_of(run: dg.DagsterRun) -> Window | None:
    """The days of a run by its tags; None where it has none."""
    day = run.tags.get("dagster/partition")
    first = run.tags.get("dagster/asset_partition_range_start", day)
    last = run.tags.get("dagster/asset_partition_range_end", day)
    if first is None or last is None:
        return None
    return Window(datetime.fromisoformat(first).date(), datetime.fromisoformat(last).date())


def _reasons(context: dg.RunFailureSensorContext) -> list[str]:
    """What the failed steps said; of errors that are not told in our own words nothing but where."""
    told = []
    for event in context.get_step_failure_events():
        stated = event.step_failure_data.user_failure_data
        words = None if stated is None else stated.description
        told.append(words or f"The step {event.step_key} failed.")
    if told:
        return told
    reached = context.failure_event.message if context.failure_event.step_key is None else None
    return [] if reached is None else [reached]
