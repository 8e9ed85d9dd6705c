"""Running the daily job in this process, and telling an instance of work that was done without it."""

import warnings
from collections.abc import Collection, Iterable, Sequence
from datetime import date

import dagster as dg

from jiko_pipeline.orchestration.assets import DAILY_ASSETS
from jiko_pipeline.orchestration.build import build_defs
from jiko_pipeline.orchestration.instance import open_instance
from jiko_pipeline.pipeline.turn import end_turn
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline.settings import Settings


def _prefix(settings: Settings) -> list[str]:
    return [] if settings.profile == "default" else [settings.profile.replace("-", "_")]


def days_missing(settings: Settings, days: Sequence[date]) -> list[date]:
    """The days whose published partition has not been materialized on the instance."""
    with open_instance(settings) as instance:
        key = dg.AssetKey([*_prefix(settings), *DAILY_ASSETS[-1].key])
        done = instance.get_materialized_partitions(key)
    return [day for day in days if day.isoformat() not in done]


def run_daily_job(settings: Settings, windows: Iterable[Window]) -> bool:
    """The daily job over each window, in this process and on the instance; True when every run succeeded."""
    with warnings.catch_warnings():
        # Dagster marks backfill policies as beta; nothing that a person in front of the terminal can act on.
        warnings.simplefilter("ignore", dg.BetaWarning)
        definitions = build_defs(settings=settings)
    suffix = "" if settings.profile == "default" else f"_{_prefix(settings)[0]}"
    job = definitions.resolve_job_def(f"daily_close{suffix}")
    succeeded = True
    with open_instance(settings) as instance:
        for window in windows:
            try:
                result = job.execute_in_process(
                    instance=instance,
                    raise_on_error=False,
                    run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
                    tags={
                        "dagster/asset_partition_range_start": window.first.isoformat(),
                        "dagster/asset_partition_range_end": window.last.isoformat(),
                    },
                )
            finally:
                # A run that failed has not come to the step that ends its turn.
                end_turn(settings)
            succeeded = succeeded and result.success
    return succeeded


def report_materialized(settings: Settings, window: Window, run_id: str, unfinished: Collection[date] = ()) -> None:
    """One runless materialization for each asset and finished day, so that the UI tells of work done by `sync`."""
    with open_instance(settings) as instance:
        for declaration in DAILY_ASSETS:
            key = dg.AssetKey([*_prefix(settings), *declaration.key])
            for day in (day for day in window.days if day not in unfinished):
                instance.report_runless_asset_event(
                    dg.AssetMaterialization(
                        asset_key=key,
                        partition=day.isoformat(),
                        description="Made by jiko sync.",
                        metadata={"jiko run": run_id},
                    )
                )
