"""The client against the simulated bank with its chaos switch, on a time that passes by being waited for.

Belongs here: a served bank with a clock that both sides follow, and connections to it. Does not belong here:
assertions.
"""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from jiko_pipeline.bank import listings
from jiko_pipeline.bank.clock import Clock
from jiko_pipeline.bank.connection import Bank, connect
from jiko_pipeline.bank.contract import JIKO, Contract, OutputFormat, ReportType
from jiko_pipeline.bank.listings import Listing
from jiko_pipeline.bank.order_book import OrderBook
from jiko_pipeline.bank.orders import DeliveredReport, Outcome, fetch_reports
from jiko_pipeline.bank.report_requests import ReportPull
from jiko_pipeline.bank.request_log import LoggedRequest, read_requests
from jiko_pipeline.formats.pages import items_of
from jiko_pipeline.settings import Settings
from jiko_pipeline_tests.bank import chaos_rig
from jiko_pipeline_tests.bank.simulator_rig import ServedBank
from jiko_pipeline_tests.bank.statement_courier import simulator_settings
from jiko_pipeline_tests.bank.virtual_clock import SharedTime, VirtualTime


class DisturbedBank:
    """A served bank; `slept` are the waits of its clients, by which its own clock moves too."""

    def __init__(self, bank: ServedBank, directory: Path) -> None:
        self.bank = bank
        self.directory = directory
        self.slept: list[float] = []
        self.wrong_by = timedelta(0)
        self._ahead = bank.now() - datetime.now(UTC)
        shared = multiprocessing.get_context("spawn").Array("d", SharedTime.slots(1))
        self._source = SharedTime(shared, 1, lambda seconds: bank.move_clock(seconds=seconds))
        self._time = VirtualTime(self._source)

    def disturb(self, *rules: chaos_rig.Json) -> None:
        """Put rules in force."""
        chaos_rig.rules(self.bank, *rules)

    def faults(self) -> list[str]:
        """The faults that were injected, in order."""
        return chaos_rig.injected(self.bank)

    def reached_evil(self) -> Any:
        """What reached the evil origin."""
        return chaos_rig.incidents(self.bank)["evil"]

    def calls(self, name: str) -> int:
        """How often the bank was asked for an operation, by the bank's own name of it."""
        return int(self.bank.control("GET", "counters")["calls"].get(name, 0))

    def wall(self) -> datetime:
        """The time of the client, `wrong_by` included."""
        return datetime.now(UTC) + self._ahead + self.wrong_by + timedelta(seconds=self._source.jumped)

    def pass_time(self, seconds: float) -> None:
        """Let time pass on both sides."""
        self._time.sleep(seconds)

    @property
    def clock(self) -> Clock:
        """The clock of the client."""
        return Clock(wall=self.wall, monotonic=self._time.now, sleep=self._sleep, pool=self._time.pool)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._time.sleep(seconds)

    def settings(self, **overrides: object) -> Settings:
        """Settings of a client of this bank."""
        return simulator_settings(self.bank.announcement, self.directory, **overrides)

    @contextmanager
    def connection(self, *, contract: Contract = JIKO, **overrides: object) -> Iterator[Bank]:
        """A connection, with nothing signed in yet."""
        with connect(self.settings(**overrides), clock=self.clock, contract=contract) as bank:
            yield bank

    def statements(self, *pockets: str, day: date = date(2024, 7, 16)) -> list[ReportPull]:
        """Bank statements of pockets for one day, to be fetched."""
        return [ReportPull(ReportType.BANK_STATEMENT, (OutputFormat.CAMT053,), pocket, day, day) for pocket in pockets]

    def fetched(
        self, pulls: Sequence[ReportPull], deliver: Callable[[DeliveredReport], object] = str, **overrides: object
    ) -> Outcome:
        """What became of pulls, over a connection of its own; `deliver` sees each file."""
        with self.connection(**overrides) as bank, OrderBook(bank.settings.order_book_file) as book:
            return fetch_reports(bank, book, pulls, deliver)

    def requests(self) -> dict[str, LoggedRequest]:
        """What the clients in this directory noted of each of their requests."""
        return read_requests(sorted(self.settings().request_log_dir.glob("*.jsonl")))

    def rows(self, listing: Listing, *, page_limit: int = 100, contract: Contract = JIKO) -> list[dict[str, Any]]:
        """The rows of a listing as they came, over a connection of its own."""
        with self.connection(page_limit=page_limit, contract=contract) as bank:
            return [item for page in bank.pages(listing) for item in items_of(page.body)]

    def ids(self, listing: Listing | None = None, *, page_limit: int = 100) -> list[str]:
        """The ids of a listing (the pockets) in order, each once."""
        wanted = listing or listings.pockets()
        return list(dict.fromkeys(str(row["id"]) for row in self.rows(wanted, page_limit=page_limit)))
