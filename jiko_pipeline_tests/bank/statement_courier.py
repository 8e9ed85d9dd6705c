"""A process of its own that orders and fetches the statements of some pockets on a time shared with others.

Belongs here: what such a process does and what it tells at its end. Does not belong here: assertions.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from multiprocessing.queues import Queue
from multiprocessing.sharedctypes import SynchronizedArray
from pathlib import Path
from typing import Any

import httpx

from jiko_pipeline.bank.clock import Clock
from jiko_pipeline.bank.connection import connect
from jiko_pipeline.bank.contract import OutputFormat, ReportType
from jiko_pipeline.bank.order_book import OrderBook
from jiko_pipeline.bank.orders import fetch_reports
from jiko_pipeline.bank.report_requests import ReportPull
from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline_tests.bank.virtual_clock import SharedTime, VirtualTime

BOTH_STATEMENTS = (ReportType.BANK_STATEMENT, ReportType.BROKERAGE_STATEMENT)


def simulator_settings(announcement: dict[str, Any], data_dir: Path, **overrides: object) -> Settings:
    """Settings of a client of a simulator that was announced."""
    return load_settings(
        **{
            "environment": "simulator",
            "api_url": announcement["api_url"],
            "auth_url": announcement["auth_url"],
            "client_id": announcement["client_id"],
            "private_key_file": Path(announcement["private_key_file"]),
            "key_id": announcement["key_id"],
            "download_hosts": (announcement["storage_host"],),
            "data_dir": data_dir,
            **overrides,
        }
    )


@dataclass(frozen=True)
class Errand:
    """Whose statements to fetch, of which days, from whom; `number` counts the processes from 1."""

    number: int
    announcement: dict[str, Any]
    data_dir: Path
    pockets: tuple[str, ...]
    days: tuple[date, ...]
    bank_is_ahead_by: float


@dataclass(frozen=True)
class Told:
    """What became of an errand; `started` and `ended` are seconds of the shared time."""

    delivered: int
    left: int
    trouble: tuple[str, ...]
    calls: Counter[str]
    started: float
    ended: float


def run(errand: Errand, shared: "SynchronizedArray[float]", told: "Queue[Told | str]") -> None:
    """Order, poll, download; `told` gets the end, or an error as text."""
    announcement = errand.announcement
    with httpx.Client(trust_env=False, timeout=60) as control:

        def move_bank(seconds: float) -> None:
            control.post(
                f"{announcement['api_url']}/__simulator__/clock",
                headers={"X-Simulator-Token": announcement["control_token"]},
                json={"advance_seconds": seconds},
            ).raise_for_status()

        source = SharedTime(shared, errand.number, move_bank)
        try:
            told.put(_fetch(errand, source, VirtualTime(source)))
        except Exception as error:  # noqa: BLE001  # told to the test's process
            told.put(f"{type(error).__name__}: {error}")
        finally:
            source.end()


def _fetch(errand: Errand, source: SharedTime, of_process: VirtualTime) -> Told:
    def wall() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=errand.bank_is_ahead_by + source.jumped)

    clock = Clock(wall=wall, monotonic=of_process.now, sleep=of_process.sleep, pool=of_process.pool)
    settings = simulator_settings(errand.announcement, errand.data_dir, poll_base_seconds=2.0, poll_cap_seconds=60.0)
    pulls = [
        ReportPull(kind, (OutputFormat.CAMT053,), pocket, day, day)
        for pocket in errand.pockets
        for day in errand.days
        for kind in BOTH_STATEMENTS
    ]
    started = of_process.now()
    with connect(settings, clock=clock) as bank, OrderBook(settings.order_book_file) as book:
        outcome = fetch_reports(bank, book, pulls, lambda report: None)
        calls = bank.calls
    left = len(outcome.pending) + len(outcome.refused)
    trouble = tuple(why for _, why in outcome.refused) + ((str(outcome.trouble),) if outcome.trouble else ())
    return Told(len(outcome.delivered), left, trouble, calls, started, of_process.now())
