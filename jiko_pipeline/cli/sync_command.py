"""`jiko sync`: the steps over the windows of a range of days, with progress."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from jiko_pipeline import calendars
from jiko_pipeline.cli.terminal import err, out, print_json
from jiko_pipeline.cli.verdict_lines import print_verdicts, verdict_records
from jiko_pipeline.errors import ExitCode, most_serious
from jiko_pipeline.pipeline.expected import utc_now
from jiko_pipeline.pipeline.windows import DateRangeError, Window, requested
from jiko_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from jiko_pipeline.reporting.verdict import PocketVerdict


def _range(settings: Settings, day: date | None, first: date | None, last: date | None) -> list[Window]:
    now = utc_now()
    if day is not None and (first is not None or last is not None):
        raise DateRangeError("--date stands alone; --from and --to go together.")
    if (first is None) != (last is None):
        raise DateRangeError("--from and --to go together.")
    if first is None or last is None:
        first = last = day or calendars.new_york_date(now) - timedelta(days=1)
    return requested(settings, first, last, now)


def _unproved(verdicts: "Sequence[PocketVerdict]") -> bool:
    """True when a day is not ready although no control broke: something could not be tested."""
    return any(verdict.not_ready and not verdict.held_by_breaks for verdict in verdicts)


def run_sync(day: date | None, first: date | None, last: date | None, confirm: bool, json_output: bool) -> int:
    """Does the work of the days, prints the verdict, answers with the most serious of what it met."""
    from jiko_pipeline.orchestration.home import instance_exists
    from jiko_pipeline.pipeline.listing_fetch import fetch_parties
    from jiko_pipeline.pipeline.sync import sync_window
    from jiko_pipeline.reporting.verdict import pocket_verdicts, quarantine_notes
    from jiko_pipeline.warehouse.lock import writer_lock
    from jiko_pipeline.warehouse.publish import published
    from jiko_pipeline.warehouse.world import make_private_directory, refuse_other_environment

    settings = load_settings()
    windows = _range(settings, day, first, last)
    refuse_other_environment(settings.data_dir, settings.environment.value)
    console = err()
    outcomes = []
    make_private_directory(settings.data_dir)
    with writer_lock(settings.data_dir / "sync.lock", wait_seconds=0):
        for number, window in enumerate(windows, start=1):
            place = f"[{number}/{len(windows)}] " if len(windows) > 1 else ""

            def observe(at: Window, what: str, place: str = place) -> None:
                console.print(f"{place}{at}: {what}", markup=False)

            if number == 1:
                # What has no date is asked for once, before the first window: controls judge by who was listed.
                parties = fetch_parties(settings)
            outcome = sync_window(settings, window, reason="CONFIRM" if confirm else "DAILY", observe=observe)
            outcomes.append(outcome)
            if instance_exists(settings):
                from jiko_pipeline.orchestration.daily_run import report_materialized

                report_materialized(settings, window, outcome.run_id)
    with published(settings) as con:
        verdicts = pocket_verdicts(con, settings.profile, windows[0].first, windows[-1].last)
        standing = quarantine_notes(con, settings.profile, windows[0].first, windows[-1].last)
    told = [note for outcome in outcomes for note in outcome.notes]
    notes = [*dict.fromkeys((*told, *parties.notes)), *standing]
    exit_code = most_serious(
        *(outcome.exit_code for outcome in outcomes),
        parties.exit_code,
        ExitCode.NOT_PROVED if standing or _unproved(verdicts) else ExitCode.OK,
        ExitCode.BREAKS_OPEN if any(verdict.held_by_breaks for verdict in verdicts) else ExitCode.OK,
    )
    if json_output:
        print_json(
            {
                "first": windows[0].first,
                "last": windows[-1].last,
                "documents": sum(outcome.total("documents") for outcome in outcomes),
                "rows": sum(outcome.total("rows") for outcome in outcomes),
                "notes": notes,
                "published_file": settings.published_file,
                "pockets": verdict_records(verdicts),
            }
        )
        return exit_code
    for note in notes:
        console.print(note, markup=False)
    print_verdicts(verdicts)
    if not verdicts:
        out().print("No business day in this range: nothing to reconcile.", markup=False)
    out().print(f"Published: {settings.published_file}", markup=False)
    return exit_code
