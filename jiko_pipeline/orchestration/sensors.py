"""The sensor of events: days that something happened to are materialized again.

Off until somebody turns it on in the UI, or by `JIKO_AUTOMATION`. Which days those are is decided in
`jiko_pipeline.pipeline.events`.
https://docs.dagster.io/guides/automate/sensors
"""

import dagster as dg

from jiko_pipeline.orchestration.assets import REASON_TAG
from jiko_pipeline.pipeline.events import EventCursor, look_at_events
from jiko_pipeline.settings import Settings


def build_event_sensor(settings: Settings, daily_job: str, published: dg.AssetKey, suffix: str) -> dg.SensorDefinition:
    """Asks the bank and the inbox of events; one run of the daily job a day concerned.

    `daily_job` is its name; a day for which `published`, the last asset, is materialized was made before.
    """

    @dg.sensor(
        name=f"bank_events{suffix}",
        job_name=daily_job,
        minimum_interval_seconds=settings.events_poll_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.automation else dg.DefaultSensorStatus.STOPPED,
        description="Makes a day again when an event of the bank concerns it, once the day is over in New York.",
    )
    def bank_events(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        seen = look_at_events(settings, EventCursor.from_text(context.cursor))
        if seen.unreadable:
            context.log.warning("%d items of the events listing are no events.", seen.unreadable)
        made = context.instance.get_materialized_partitions(published)
        requests = [
            dg.RunRequest(
                run_key=due.key,
                partition_key=due.day.isoformat(),
                # The reports of a day that was made before are asked for again; else they are not there yet.
                tags={REASON_TAG: "CONFIRM" if due.day.isoformat() in made else "DAILY"},
            )
            for due in seen.due
        ]
        if requests:
            return dg.SensorResult(run_requests=requests, cursor=seen.cursor.to_text())
        why = f"{seen.new} new events; {len(seen.cursor.waiting)} days wait for their end."
        return dg.SensorResult(skip_reason=why, cursor=seen.cursor.to_text())

    return bank_events
