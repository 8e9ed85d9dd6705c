"""`jiko sync`: the steps over the windows of a range of days, with progress."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from jiko_pipeline import calendars
from jiko_pipeline.cli.terminal import err, out, print_json, text
from jiko_pipeline.cli.verdict_lines import print_verdicts, verdict_records
from jiko_pipeline.errors import ExitCode, most_serious
from jiko_pipeline.pipeline.expected import utc_now
from jiko_pipeline.pipeline.pace import Pace
from jiko_pipeline.pipeline.windows import DateRangeError, Window, requested
from jiko_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from rich.console import Console

    from jiko_pipeline.pipeline.report import StepReport
    from jiko_pipeline.pipeline.sync import WindowOutcome
    from jiko_pipeline.reporting.verdict import PocketVerdict

_MANY_REPORTS: Final = 50
_TELLINGS: Final = 4


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
    from jiko_pipeline.bank.request_log import endings_of_this_process
    from jiko_pipeline.notifying.telling import tell_of_breaks, tell_of_error, tell_of_failure
    from jiko_pipeline.reporting.verdict import pocket_verdicts, quarantine_notes
    from jiko_pipeline.warehouse.publish import published
    from jiko_pipeline.warehouse.world import refuse_other_environment

    settings = load_settings()
    windows = _range(settings, day, first, last)
    refuse_other_environment(settings.data_dir, settings.environment.value)
    console = err()
    what = f"jiko sync of {windows[0].first} to {windows[-1].last}"
    try:
        outcomes, parties, before = _do(settings, windows, "CONFIRM" if confirm else "DAILY")
    except Exception as error:
        tell_of_error(settings, what, error)
        raise
    with published(settings) as con:
        verdicts = pocket_verdicts(con, settings.profile, windows[0].first, windows[-1].last)
        standing = quarantine_notes(con, settings.profile, windows[0].first, windows[-1].last)
    told = [note for outcome in outcomes for note in outcome.notes]
    notes = [*dict.fromkeys((*told, *parties.notes)), *standing]
    exit_code = most_serious(
        *(outcome.exit_code for outcome in outcomes),
        *before,
        parties.exit_code,
        ExitCode.NOT_PROVED if standing or _unproved(verdicts) else ExitCode.OK,
        ExitCode.BREAKS_OPEN if any(verdict.held_by_breaks for verdict in verdicts) else ExitCode.OK,
    )
    if exit_code in (ExitCode.TRY_LATER, ExitCode.CREDENTIALS_OR_SETTINGS):
        tell_of_failure(settings, what, " ".join(notes), first=windows[0].first, last=windows[-1].last)
    tell_of_breaks(settings, first=windows[0].first, last=windows[-1].last)
    if json_output:
        print_json(
            {
                "first": windows[0].first,
                "last": windows[-1].last,
                "documents": sum(outcome.total("documents") for outcome in outcomes),
                "rows": sum(outcome.total("rows") for outcome in outcomes),
                "notes": notes,
                "requests": dict(endings_of_this_process(settings.request_log_dir)),
                "published_file": settings.published_file,
                "pockets": verdict_records(verdicts),
            }
        )
        return exit_code
    for note in notes:
        console.print(text(note), markup=False)
    print_verdicts(verdicts)
    if not verdicts:
        out().print("No business day in this range: nothing to reconcile.", markup=False)
    out().print(f"Published: {settings.published_file}", markup=False)
    return exit_code


def _do(
    settings: Settings, windows: "Sequence[Window]", reason: str
) -> "tuple[list[WindowOutcome], StepReport, list[ExitCode]]":
    """Does the windows that no interrupted run has done: their outcomes, that of the lists without a date, and the
    exit codes of windows that were done before."""
    from jiko_pipeline.orchestration.home import instance_exists
    from jiko_pipeline.pipeline.listing_fetch import fetch_parties
    from jiko_pipeline.pipeline.resuming import record_of
    from jiko_pipeline.pipeline.sync import sync_window
    from jiko_pipeline.warehouse.lock import writer_lock
    from jiko_pipeline.warehouse.world import make_private_directory

    console = err()
    outcomes: list[WindowOutcome] = []
    make_private_directory(settings.data_dir)
    with writer_lock(settings.data_dir / "sync.lock", wait_seconds=0):
        record = record_of(settings, windows, reason, utc_now())
        before = list(record.done.values())
        left = [window for window in windows if window not in record.done]
        if before and left:
            console.print(
                f"{len(before)} of {len(windows)} windows were done by a run that did not come to its end; "
                f"taking up at {left[0]}.",
                markup=False,
            )
        # What has no date is asked for once, before the first window: controls judge by who was listed.
        parties = fetch_parties(settings)
        begun = time.monotonic()
        for number, window in enumerate(left, start=1):
            place = f"[{len(before) + number}/{len(windows)}] " if len(windows) > 1 else ""

            def observe(at: Window, what: str, place: str = place) -> None:
                console.print(f"{place}{at}: {what}", markup=False)

            reports = _Reports(console, place)
            outcome = sync_window(settings, window, reason=reason, observe=observe, progress=reports)
            outcomes.append(outcome)
            if instance_exists(settings):
                from jiko_pipeline.orchestration.daily_run import report_materialized

                report_materialized(settings, window, outcome.run_id, outcome.unfinished)
            record.enter(outcome, utc_now())
            if len(windows) > 1:
                pace = Pace(number, len(left), time.monotonic() - begun)
                figures = f"{reports.delivered} reports, {outcome.total('rows')} rows"
                console.print(f"{place}{window}: done, {figures}; {pace}", markup=False)
        record.close(windows)
    return outcomes, parties, before


@dataclass(slots=True)
class _Reports:
    """Counts the reports of a window, and tells a few times how many have come where there are many."""

    console: "Console"
    place: str
    delivered: int = 0
    told: dict[str, int] = field(default_factory=dict)

    def __call__(self, what: str, done: int, of: int) -> None:
        if what == "delivered":
            self.delivered = done
        part = done * _TELLINGS // max(1, of)
        if of >= _MANY_REPORTS and self.told.get(what, 0) != part:
            self.told[what] = part
            self.console.print(f"{self.place}reports {what}: {done} of {of}", markup=False)
