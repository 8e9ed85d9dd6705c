"""What all rooms of tests share: the minutes each may take, and where the reference material is."""

import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

BUDGET_MINUTES = {"ground": 4, "bank": 5, "formats": 3, "reconciliation": 5, "operation": 8, "reading": 4}

_spent: dict[str, float] = defaultdict(float)
_count: dict[str, int] = defaultdict(int)

SYSTEM_PACKAGE = "needs the system package"
"""A skip for want of a system package says so with these words; continuous integration fails on it."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "soak" in (config.option.markexpr or ""):
        return
    kept = [item for item in items if "soak" not in item.keywords]
    config.hook.pytest_deselected(items=[item for item in items if "soak" in item.keywords])
    items[:] = kept


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    parts = Path(report.nodeid.split("::")[0]).parts
    room = parts[1] if len(parts) > 2 else "elsewhere"
    _spent[room] += report.duration
    if report.when == "call":
        _count[room] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not _spent:
        return
    # Each process spends its own minutes; what a room takes of the clock is the part of one of them.
    workers = max(1, getattr(config.option, "numprocesses", None) or 1)
    terminalreporter.section("minutes by room")
    for room in sorted(_spent, key=lambda name: list(BUDGET_MINUTES).index(name) if name in BUDGET_MINUTES else 99):
        budget = BUDGET_MINUTES.get(room)
        minutes = _spent[room] / 60 / workers
        over = "  OVER BUDGET" if budget is not None and minutes > budget else ""
        terminalreporter.write_line(
            f"{room:<16} {minutes:5.2f} of {budget if budget is not None else '-'} minutes, {_count[room]} tests{over}"
        )


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if os.environ.get("JIKO_CI") != "1":
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    skipped = [str(report.longrepr) for report in reporter.stats.get("skipped", [])]
    if any(SYSTEM_PACKAGE in reason for reason in skipped) and session.exitstatus == 0:
        session.exitstatus = 1


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The reference material beside the project; a test that needs it is skipped where it is absent."""
    configured = os.environ.get("JIKO_SHARED_DIR")
    path = Path(configured) if configured else Path(__file__).resolve().parents[2] / "shared"
    if not path.is_dir():
        pytest.skip(f"the reference material is not at {path} (JIKO_SHARED_DIR)")
    return path


@pytest.fixture(scope="session")
def jiko_command() -> list[str]:
    """The command line of this virtual environment."""
    return [sys.executable, "-m", "jiko_pipeline"]


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings and instances of the machine must not leak into a test."""
    for name in list(os.environ):
        if (name.startswith("JIKO_") and name not in {"JIKO_CI", "JIKO_SHARED_DIR"}) or name == "DAGSTER_HOME":
            monkeypatch.delenv(name)
    yield
