"""`python -m jiko_pipeline_tests.bench.decade`: years of days through Dagster or `sync`, a line of JSON a window.

Belongs here: what a window costs (seconds by step, memory of the process that did it, sizes on disk) while the days
before it pile up, and whether that grows. Does not belong here: figures of one window (`whole`, `rooms`).

`--by sync` does all windows in this process, so that memory that is not given back shows; `--by dagster` starts
`dagster dev` and launches one backfill from the assets, whose runs are processes of their own. `--by figures` reads
the lines again and says what they amount to.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from jiko_pipeline.orchestration.assets import DAILY_ASSETS
from jiko_pipeline.orchestration.launcher import WORKER_TAG, is_alive
from jiko_pipeline.pipeline.listing_fetch import fetch_parties
from jiko_pipeline.pipeline.sync import sync_window
from jiko_pipeline.pipeline.windows import Window, cut
from jiko_pipeline.settings import load_settings
from jiko_pipeline_tests.operation.command_line import DataDirectory
from jiko_pipeline_tests.operation.dagster_host import DagsterHost, dagster_dev

FIRST: Final = date(2014, 6, 2)
_TICKS: Final = os.sysconf("SC_CLK_TCK")

RUNS: Final = """
query Runs($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill {
      status
      runs(limit: 500) {
        id status startTime endTime creationTime
        tags { key value }
        stepStats { stepKey startTime endTime }
      }
    }
  }
}
"""


def main() -> None:
    """Does what the command line asks."""
    arguments = _arguments()
    for name in [name for name in os.environ if name.startswith("JIKO_") or name == "DAGSTER_HOME"]:
        del os.environ[name]
    if arguments.by == "figures":
        sys.stdout.write(figures(arguments.lines) + "\n")
        return
    first = arguments.first
    windows = cut(first, first + timedelta(days=arguments.days - 1))
    settings = {
        "JIKO_SIMULATOR_POCKETS": str(arguments.pockets),
        "JIKO_SIMULATOR_LIMITS": "off",
        "JIKO_START_DATE": first.isoformat(),
    }
    measure = by_sync if arguments.by == "sync" else by_dagster
    arguments.lines.parent.mkdir(parents=True, exist_ok=True)
    with arguments.lines.open("a", encoding="utf-8") as lines:
        for measured in measure(arguments.directory, settings, windows):
            lines.write(json.dumps(measured) + "\n")
            lines.flush()


def by_sync(directory: Path, variables: dict[str, str], windows: Sequence[Window]) -> Iterator[dict[str, Any]]:
    """Every window in this process, one after the other, as `jiko sync --from --to` does them."""
    os.umask(0o077)
    os.environ.update(variables)
    settings = load_settings(data_dir=directory / "data")
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        fetch_parties(settings)
        for window in windows:
            marks: list[tuple[str, float, float]] = []

            def observe(at: Window, what: str, marks: list[tuple[str, float, float]] = marks) -> None:
                marks.append((what, time.process_time(), time.perf_counter()))

            outcome = sync_window(settings, window, observe=observe)
            marks.append(("end", time.process_time(), time.perf_counter()))
            steps = {
                name: {"cpu": later[1] - cpu, "wall": later[2] - wall} for (name, cpu, wall), later in pairwise(marks)
            }
            yield {
                "by": "sync",
                "first": window.first.isoformat(),
                "days": len(window.days),
                "exit_code": int(outcome.exit_code),
                "cpu": marks[-1][1] - marks[0][1],
                "wall": marks[-1][2] - marks[0][2],
                "rss": _status(os.getpid())["VmRSS"],
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                "steps": steps,
                **_sizes(settings.data_dir),
            }
    finally:
        DataDirectory(settings.data_dir).end_simulator()


def by_dagster(directory: Path, variables: dict[str, str], windows: Sequence[Window]) -> Iterator[dict[str, Any]]:
    """One backfill of all days; each of its runs, measured from outside until its end."""
    data = DataDirectory(directory / "data", variables)
    days = [day.isoformat() for window in windows for day in window.days]
    try:
        with dagster_dev(directory, data.environment()) as host:
            backfill = host.launch_backfill([declaration.key for declaration in DAILY_ASSETS], days)
            yield from _runs(host, backfill, data.path)
    finally:
        data.end_simulator()


def _runs(host: DagsterHost, backfill: str, data: Path) -> Iterator[dict[str, Any]]:
    seen: dict[str, dict[str, float]] = {}
    told: set[str] = set()
    while True:
        asked = host.graphql(RUNS, {"id": backfill})["partitionBackfillOrError"]
        for run in asked["runs"]:
            found = _worker({tag["key"]: tag["value"] for tag in run["tags"]}) if run["endTime"] is None else None
            if found is not None:
                held = seen.setdefault(run["id"], {"cpu": 0.0, "peak": 0.0})
                held.update({name: max(held[name], found[name]) for name in held})
        for run in sorted(asked["runs"], key=lambda each: each["creationTime"]):
            if run["endTime"] is None or run["id"] in told:
                continue
            told.add(run["id"])
            tags = {tag["key"]: tag["value"] for tag in run["tags"]}
            yield {
                "by": "dagster",
                "first": tags["dagster/asset_partition_range_start"],
                "days": _length(tags),
                "status": run["status"],
                **seen.get(run["id"], {}),
                "wall": run["endTime"] - run["startTime"],
                "queued": run["startTime"] - run["creationTime"],
                "ended": run["endTime"],
                "steps": {
                    step["stepKey"]: {"wall": step["endTime"] - step["startTime"]}
                    for step in run["stepStats"]
                    if step["endTime"] is not None and step["startTime"] is not None
                },
                **_sizes(data),
            }
        if asked["status"] not in {"REQUESTED", "CANCELING", "FAILING"}:
            return
        time.sleep(1)


def _length(tags: dict[str, str]) -> int:
    first = date.fromisoformat(tags["dagster/asset_partition_range_start"])
    return (date.fromisoformat(tags["dagster/asset_partition_range_end"]) - first).days + 1


def _worker(tags: dict[str, str]) -> dict[str, float] | None:
    """CPU seconds and greatest memory so far of the process that a run names; None where it is not there (yet)."""
    mark = tags.get(WORKER_TAG)
    if mark is None or not is_alive(mark):
        return None
    pid = int(mark.split(" ")[2])
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return {"cpu": (int(stat[11]) + int(stat[12])) / _TICKS, "peak": float(_status(pid)["VmHWM"])}
    except (OSError, KeyError):
        return None


def _status(pid: int) -> dict[str, int]:
    """Memory of a process in bytes, by the names of /proc."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.startswith("Vm")}


def _sizes(data: Path) -> dict[str, int]:
    def total(path: Path) -> int:
        files = path.rglob("*") if path.is_dir() else [path]
        return sum(file.stat().st_size for file in files if file.is_file())

    return {
        "warehouse": total(data / "warehouse"),
        "history": total(data / ".dagster" / "history"),
        "dagster": total(data / ".dagster"),
    }


def figures(lines: Path) -> str:
    """What the lines amount to: a window's cost early and late, memory, the share of each step, the disk."""
    measured = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    whole = [line for line in measured if line["days"] == 31]
    quarter = max(1, len(whole) // 4)
    early, late = whole[1 : 1 + quarter], whole[-quarter:]

    def mean(of: Sequence[dict[str, Any]], name: Callable[[dict[str, Any]], float]) -> float:
        return sum(name(line) for line in of) / max(1, len(of))

    told = [
        f"{len(measured)} windows, {sum(line['days'] for line in measured)} days, by {measured[0]['by']}; of windows of"
        f" 31 days the second to number {1 + quarter} against the last {quarter}",
        f"wall s a window: {mean(early, lambda x: x['wall']):.1f} -> {mean(late, lambda x: x['wall']):.1f}",
        f"CPU s a window: {mean(early, lambda x: x.get('cpu', 0)):.1f} -> {mean(late, lambda x: x.get('cpu', 0)):.1f}",
        f"peak MB: first {measured[0].get('peak', 0) / 1e6:.0f}, second {whole[1].get('peak', 0) / 1e6:.0f}, greatest"
        f" {max(line.get('peak', 0) for line in measured) / 1e6:.0f}, last {measured[-1].get('peak', 0) / 1e6:.0f}",
        f"warehouse MB {measured[-1]['warehouse'] / 1e6:.1f}, Dagster MB {measured[-1]['dagster'] / 1e6:.1f}",
    ]
    for name in measured[0]["steps"]:
        for unit in ("cpu", "wall"):
            if unit in whole[0]["steps"].get(name, {}):
                a, b = (
                    mean(part, lambda x: x["steps"].get(name, {}).get(unit, 0))  # noqa: B023 - used at once
                    for part in (early, late)
                )
                told.append(f"  {name:<44} {unit:<4} {a:7.2f} -> {b:7.2f}")
    return "\n".join(told)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m jiko_pipeline_tests.bench.decade", description=__doc__)
    parser.add_argument("--by", choices=("sync", "dagster", "figures"), required=True)
    parser.add_argument("--days", type=int, default=3650)
    parser.add_argument("--pockets", type=int, default=10)
    parser.add_argument("--first", type=date.fromisoformat, default=FIRST)
    parser.add_argument("--directory", type=Path, help="an empty directory for the data")
    parser.add_argument("--lines", type=Path, required=True, help="where the lines go")
    return parser.parse_args()


if __name__ == "__main__":
    main()
