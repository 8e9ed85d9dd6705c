"""What the pipeline costs as a whole: the demo with Dagster, `sync` without it, calls at the bank, start-up.

Belongs here: figures of processes. CPU seconds are those of the process measured; the simulated bank is another
process and is not in them.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from jiko_pipeline import calendars
from jiko_pipeline.cli.demo_command import DEMO_FIRST, DEMO_LAST
from jiko_pipeline.orchestration.assets import DAILY_ASSETS
from jiko_pipeline.pipeline.windows import cut
from jiko_pipeline.settings import Settings
from jiko_pipeline_tests.bench.measuring import Cost, Figure, cost_of
from jiko_pipeline_tests.reading.jiko_runs import Directory

_DAYS = len(calendars.days(DEMO_FIRST, DEMO_LAST))
_WINDOWS = len(cut(DEMO_FIRST, DEMO_LAST))


class BenchError(Exception):
    """A command that is measured did not do its work."""


def _cost_of_command(directory: Directory, *arguments: str) -> Cost:
    def once() -> None:
        answer = directory.jiko(*arguments)
        if answer.code:
            raise BenchError(f"jiko {' '.join(arguments)} answered {answer.code}: {answer.err}")

    return cost_of(once, goes=1)


def synced(directory: Directory) -> Cost:
    """The demo's days by `sync`, into an empty directory."""
    return _cost_of_command(directory, "sync", "--from", str(DEMO_FIRST), "--to", str(DEMO_LAST))


def demo(directory: Directory, sync: Cost) -> Iterator[Figure]:
    """The demo into an empty directory and once more, against `sync` of the same days; Dagster's share."""
    amount = f"31 business days, {_WINDOWS} windows"
    cost = _cost_of_command(directory, "demo")
    yield Figure("jiko demo", amount, cost, "jiko sync, same days", sync)
    yield Figure("jiko demo, second run", "nothing to do", _cost_of_command(directory, "demo"))
    pairs = len(DAILY_ASSETS) * _DAYS
    share = Cost((cost.wall - sync.wall) * 1000 / pairs, (cost.cpu - sync.cpu) * 1000 / pairs)
    yield Figure("Dagster's share, in ms", f"each of {pairs} assets and days", share)


def calls_per_report(settings: Settings) -> str:
    """A sentence on how many calls of the report endpoints a delivered report took."""
    told = Directory(settings.data_dir, settings.data_dir).announcement
    counters = httpx.get(
        f"{told['api_url']}/__simulator__/counters",
        headers={"X-Simulator-Token": told["control_token"]},
        trust_env=False,
        timeout=60,
    ).json()
    calls = {name: number for name, number in counters["calls"].items() if "report" in name or "link" in name}
    delivered = counters["reports_delivered"]
    named = ", ".join(f"{number} {name}" for name, number in sorted(calls.items()))
    return (
        f"API calls per delivered report: {sum(calls.values()) / delivered:.2f} (floor 2; {delivered} reports: {named})"
    )


def start_up(directory: Directory) -> Iterator[Figure]:
    """`jiko status` and `jiko --help`, against starting Python with DuckDB."""
    bare = cost_of(lambda: subprocess.run([sys.executable, "-c", "import duckdb"], check=True))
    for arguments in (("status",), ("--help",)):
        cost = min((_cost_of_command(directory, *arguments) for _ in range(3)), key=lambda each: each.cpu)
        yield Figure(f"jiko {' '.join(arguments)}", "start to end", cost, "python -c 'import duckdb'", bare)


def new_directory(beside: Path) -> Directory:
    """An empty data directory."""
    beside.mkdir()
    return Directory(beside / "data", beside)
