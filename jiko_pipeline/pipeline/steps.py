"""The steps of a window, one function each, with one signature: (settings, window, run id, reason) -> report.

Belongs here: the thin joints between the rooms. `jiko_pipeline.pipeline.sync` calls them in order, Dagster one
an asset. From the first load to the publishing a process keeps its turn at the warehouse (`turn`).
"""

from importlib import resources

from jiko_pipeline.bank.orders import Progress
from jiko_pipeline.bank.report_requests import PullReason
from jiko_pipeline.pipeline.fetching import fetch_window_reports
from jiko_pipeline.pipeline.judging import judge
from jiko_pipeline.pipeline.listing_fetch import fetch_snapshots, fetch_window_activity
from jiko_pipeline.pipeline.loading import (
    ACTIVITY_KINDS,
    FACT_KINDS,
    FLOW_KINDS,
    HOLDING_KINDS,
    SNAPSHOT_KINDS,
    STATEMENT_KINDS,
    load_kinds,
)
from jiko_pipeline.pipeline.report import StepReport, combined
from jiko_pipeline.pipeline.turn import end_turn, take_turn
from jiko_pipeline.pipeline.windows import Window, first_day_reached
from jiko_pipeline.reconciliation.closing.build import build_close as build_close_tables
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.core_build import build_core as build_core_tables
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.mirror_build import build_dimensions, build_flows
from jiko_pipeline.warehouse.publish import publish as publish_file


def fetch_reports(
    settings: Settings, window: Window, run_id: str, reason: str, progress: Progress | None = None
) -> StepReport:
    """Orders, polls, downloads and archives the reports of the window."""
    return fetch_window_reports(settings, window, PullReason(reason), progress=progress)


def fetch_activity(settings: Settings, window: Window, run_id: str, reason: str) -> StepReport:
    """Lists and archives the movements, requests, messages and monthly statements of the window."""
    return fetch_window_activity(settings, window, PullReason(reason))


def load_statements(settings: Settings, window: Window, run_id: str, reason: str) -> StepReport:
    """Bank and brokerage statements into staging."""
    take_turn(settings)
    return load_kinds(settings, window, STATEMENT_KINDS, run_id)


def load_holdings(settings: Settings, window: Window, run_id: str, reason: str) -> StepReport:
    """Positions, prices and trade reports into staging."""
    take_turn(settings)
    return load_kinds(settings, window, HOLDING_KINDS, run_id)


def load_activity(settings: Settings, window: Window, run_id: str, reason: str) -> StepReport:
    """Movements, requests, messages and monthly statements into staging."""
    take_turn(settings)
    return load_kinds(settings, window, ACTIVITY_KINDS, run_id)


def build_core(settings: Settings, window: Window, run_id: str, reason: str) -> StepReport:
    """The current view of every fact of the window, with the pockets and bills it names.

    It reaches over all days of the documents that the run has loaded: some may be wider than the window.
    """
    take_turn(settings)
    snapshots = load_kinds(settings, None, SNAPSHOT_KINDS, run_id)
    days_loaded = (resources.files("jiko_pipeline.pipeline") / "days_loaded.sql").read_text(encoding="utf-8")
    with Warehouse(settings).existing() as con:
        first, last = con.execute(days_loaded, [settings.profile, run_id, [*FACT_KINDS]]).fetchall()[0]
        flows_first, flows_last = con.execute(days_loaded, [settings.profile, run_id, [*FLOW_KINDS]]).fetchall()[0]
        built = build_core_tables(
            con,
            settings.profile,
            settings.legal_entity_id,
            min(window.first, first or window.first),
            max(window.last, last or window.last),
            business_day_end=settings.business_day_end,
        )
        flows = build_flows(
            con,
            settings.profile,
            settings.legal_entity_id,
            min(window.first, flows_first or window.first),
            max(window.last, flows_last or window.last),
        )
        build_dimensions(con)
    per_day = {day: {"rows": sum(rows.get(day, 0) for rows in (built | flows).values())} for day in window.days}
    return StepReport("build core", per_day, snapshots.notes, snapshots.exit_code)


def run_controls(settings: Settings, window: Window, run_id: str, reason: str) -> StepReport:
    """Every control over the days of the window and those whose result depends on them."""
    take_turn(settings)
    with Warehouse(settings).existing() as con:
        summary = judge(con, settings, first_day_reached(settings, window), window.last, run_id)
    per_day = {}
    by_day = summary.by_day
    for day in window.days:
        # A day that is not judged has no figures, so that weekends do not pull the plots to zero.
        if day not in by_day:
            continue
        counts = by_day[day]
        per_day[day] = {
            "tested": counts.tested,
            "passed": counts.passed,
            "broken": counts.broken,
            "not tested": counts.not_tested,
        }
    return StepReport("run controls", per_day)


def build_close(settings: Settings, window: Window, run_id: str, reason: str) -> StepReport:
    """The daily close and its bridge for the days that were judged."""
    take_turn(settings)
    with Warehouse(settings).existing() as con:
        closes = build_close_tables(
            con,
            customer_id=settings.profile,
            legal_entity_id=settings.legal_entity_id,
            first=first_day_reached(settings, window),
            last=window.last,
            run_id=run_id,
        )
    by_day = {close.business_date: {"pockets": close.pockets, "ready": close.ready} for close in closes}
    return StepReport("build close", {day: by_day.get(day, {}) for day in window.days})


def publish(settings: Settings, window: Window, run_id: str, reason: str) -> StepReport:
    """The file that people read, replaced by a verified copy. Ends the turn, however it goes."""
    take_turn(settings)
    try:
        published = publish_file(settings)
    finally:
        end_turn(settings)
    counts = {"tables": len(published.tables), "bytes": published.byte_length}
    return StepReport("publish", dict.fromkeys(window.days, counts))


def take_snapshots(settings: Settings, run_id: str) -> StepReport:
    """What has no as-of date (pockets, people, paper, other sides), fetched, loaded, and put into its dimensions.

    The published file has them from the next publishing on.
    """
    fetched = fetch_snapshots(settings)
    loaded = load_kinds(settings, None, SNAPSHOT_KINDS, run_id)
    with Warehouse(settings).existing() as con:
        build_dimensions(con)
    exit_code, notes = combined((fetched, loaded))
    return StepReport(loaded.step, loaded.per_day, notes, exit_code)
