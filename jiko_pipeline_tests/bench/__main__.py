"""`python -m jiko_pipeline_tests.bench`: every figure, in a table on standard output. About ten minutes."""

import os
import platform
import sys
import tempfile
from pathlib import Path

import duckdb
import polars as pl

from jiko_pipeline.settings import load_settings
from jiko_pipeline_tests.bench import matching, rooms, whole, years
from jiko_pipeline_tests.bench.measuring import Figure, table
from jiko_pipeline_tests.reading.jiko_runs import end_simulator


def main() -> None:
    """Measures everything and prints it; progress goes to standard error."""
    for name in [name for name in os.environ if name.startswith("JIKO_") or name == "DAGSTER_HOME"]:
        del os.environ[name]
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="jiko-bench-") as folder:
        by_sync = whole.new_directory(Path(folder) / "sync")
        by_demo = whole.new_directory(Path(folder) / "demo")
        try:
            _tell("the demo's days by jiko sync")
            cost = whole.synced(by_sync)
            settings = load_settings(data_dir=by_sync.data_dir)
            calls = whole.calls_per_report(settings)
            end_simulator(settings.simulator_dir)
            _tell("the demo's days by Dagster")
            figures += whole.demo(by_demo, cost)
            _tell("start-up")
            figures += whole.start_up(by_demo)
        finally:
            for directory in (by_sync, by_demo):
                end_simulator(directory.data_dir / "simulator")
        for what, measured in (
            ("reading", rooms.reading),
            ("loading", rooms.loading),
            ("judging", rooms.judging),
            ("hashing", rooms.hashing),
        ):
            _tell(what)
            figures += measured(settings)
    for what, alone in (
        ("matching ten million rows", matching.matching),
        ("a day in years", years.judging_a_day),
    ):
        _tell(what)
        figures += alone()
    sys.stdout.write(
        f"Python {platform.python_version()}, DuckDB {duckdb.__version__}, polars {pl.__version__}, "
        f"{os.cpu_count()} processors; ratio is CPU over CPU\n\n{table(figures)}\n\n{calls}\n"
    )


def _tell(what: str) -> None:
    sys.stderr.write(f"measuring: {what}\n")


main()
