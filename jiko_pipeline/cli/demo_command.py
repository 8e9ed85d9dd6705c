"""`jiko demo`: the Dagster daily job over the demo's days against the simulated bank."""

import os
import shutil
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jiko_pipeline.cli.simulator_command import fault_names
from jiko_pipeline.cli.terminal import err, out, print_json
from jiko_pipeline.cli.verdict_lines import print_verdicts, verdict_records
from jiko_pipeline.errors import ExitCode, JikoPipelineError, NotProvedError, SettingsError, most_serious
from jiko_pipeline.pipeline.expected import utc_now
from jiko_pipeline.pipeline.windows import requested
from jiko_pipeline.settings import Environment, Settings, load_settings

if TYPE_CHECKING:
    from jiko_pipeline.reporting.verdict import PocketVerdict

DEMO_FIRST: Final = date(2024, 6, 3)
DEMO_LAST: Final = date(2024, 7, 17)
"""31 Fed business days, two windows, bills that Treasury auctioned."""


class UnknownFaultError(JikoPipelineError):
    """A fault that the simulated bank cannot plant."""

    exit_code = ExitCode.USAGE


def demo_settings(fault: str | None) -> Settings:
    """The settings of a demo; a fault gets a data directory of its own below the data directory."""
    settings = load_settings()
    if settings.environment is not Environment.SIMULATOR:
        raise SettingsError(
            f"The demo runs against the simulated bank, and JIKO_ENVIRONMENT is {settings.environment.value}.",
            remedy="Unset JIKO_ENVIRONMENT for the demo; `jiko sync` asks the real bank.",
        )
    if fault is None:
        return settings
    if fault not in fault_names():
        raise UnknownFaultError(
            f"There is no fault called {fault!r}.", remedy=f"The faults are {', '.join(fault_names())}."
        )
    return load_settings(data_dir=settings.data_dir / f"fault-{fault}", simulator_fault=fault)


def run_demo(fault: str | None, json_output: bool) -> int:
    """Runs what of the demo has not run yet, prints one verdict line a pocket and what to do next."""
    from jiko_pipeline.orchestration.daily_run import days_missing, run_daily_job
    from jiko_pipeline.pipeline.listing_fetch import fetch_parties
    from jiko_pipeline.reporting.status import status
    from jiko_pipeline.reporting.verdict import pocket_verdicts
    from jiko_pipeline.warehouse.publish import published
    from jiko_pipeline.warehouse.world import refuse_other_environment

    settings = demo_settings(fault)
    refuse_other_environment(settings.data_dir, settings.environment.value)
    progress = err()
    closed = _days_closed(settings)
    windows = [
        window
        for window in requested(settings, DEMO_FIRST, DEMO_LAST, utc_now())
        if days_missing(settings, window.days) or not closed.issuperset(window.business_days)
    ]
    for window in windows:
        progress.print(f"Running the daily job for {window} ...", markup=False)
        if window is windows[0]:
            # What has no date is asked for once, before the first window: controls judge by who was listed.
            fetch_parties(settings)
        if not run_daily_job(settings, [window]):
            raise NotProvedError(
                f"The daily job for {window} failed.",
                means="The days of this window are not published; earlier ones are as they were.",
                remedy="See the run in the Dagster UI (`make dev`), or run `jiko sync` for its message.",
            )
    with published(settings) as con:
        verdicts = pocket_verdicts(con, settings.profile, DEMO_FIRST, DEMO_LAST)
    if json_output:
        print_json({"published_file": settings.published_file, "pockets": verdict_records(verdicts)})
    else:
        _print(settings, fault, bool(windows), verdicts)
    clean = bool(verdicts) and all(verdict.is_clean for verdict in verdicts)
    standing = status(settings, utc_now()).exit_code
    return most_serious(standing, ExitCode.OK if clean or standing else ExitCode.NOT_PROVED)


def _days_closed(settings: Settings) -> set[date]:
    """Business dates that the published file has a close for; none when nothing is published."""
    from jiko_pipeline.reporting.status import days_closed

    return set(days_closed(settings)) if settings.published_file.exists() else set()


def _print(settings: Settings, fault: str | None, ran: bool, verdicts: "list[PocketVerdict]") -> None:
    console = out()
    what = "SIMULATED bank, real Treasury bills" if fault is None else f"SIMULATED bank with the fault {fault}"
    console.print(f"{what}, {DEMO_FIRST} to {DEMO_LAST}{'' if ran else ' (nothing new to do)'}", markup=False)
    print_verdicts(verdicts)
    console.print(f"Published: {settings.published_file}", markup=False)
    where = "" if fault is None else f"JIKO_DATA_DIR={settings.data_dir} "
    console.print("Next:", markup=False)
    for command, purpose in (
        (f"{where}{_jiko()} breaks", "what differs, and why"),
        (f'{where}{_jiko()} sql "select * from mart.recon_bridge"', "the bridge from each day to the next"),
        (_dagster_command(), "the same in the Dagster UI, on http://127.0.0.1:3000"),
    ):
        console.print(f"  {command:<58} {purpose}", markup=False)


def _jiko() -> str:
    """The command as this terminal finds it: by name when it is on the path, else by its file."""
    if shutil.which("jiko"):
        return "jiko"
    file = Path(sys.argv[0])
    if file.name != "jiko":
        return f"{os.path.relpath(sys.executable)} -m jiko_pipeline"
    return os.path.relpath(file)


def _dagster_command() -> str:
    """How to start the UI from here: in the project by make, elsewhere by naming the module."""
    if Path("Makefile").exists() and Path("workspace.yaml").exists():
        return "make dev"
    return "dagster dev -m jiko_pipeline.orchestration.definitions"
