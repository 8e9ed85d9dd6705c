"""Assembly: one function that makes all of the Dagster definitions of a profile."""

import dagster as dg

from jiko_pipeline.orchestration.assets import DAILY_ASSETS, build_daily_asset, build_snapshot_asset
from jiko_pipeline.orchestration.checks import build_control_checks, build_file_checks, build_freshness_check
from jiko_pipeline.orchestration.jobs import build_automation
from jiko_pipeline.orchestration.partitions import daily_partitions
from jiko_pipeline.settings import Settings, load_settings


def build_defs(profile: str | None = None, *, settings: Settings | None = None) -> dg.Definitions:
    """The definitions of one profile; any but the default one has its name in front of every asset key."""
    if settings is None:
        settings = load_settings(**({} if profile is None else {"profile": profile}))
    is_default = settings.profile == "default"
    prefix = [] if is_default else [settings.profile.replace("-", "_")]
    suffix = "" if is_default else f"_{prefix[0]}"
    partitions = daily_partitions(settings.start_date)
    daily = [build_daily_asset(declaration, settings, partitions, prefix) for declaration in DAILY_ASSETS]
    snapshot = build_snapshot_asset(settings, prefix)
    freshness = build_freshness_check(settings, prefix)
    automation = build_automation(settings, daily, snapshot, freshness.check_key, suffix)
    assets = dg.Definitions(
        assets=[*daily, snapshot],
        asset_checks=[
            build_control_checks(settings, prefix),
            *build_file_checks(settings, prefix),
            freshness,
        ],
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(assets, automation)
