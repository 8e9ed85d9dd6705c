"""One report at a time: order it or find its lost order, look at its request, fetch its files.

Belongs here: the calls that concern reports, made by whichever thread. Does not belong here: the course of many
pulls (`orders`), what was ordered before (`order_book`), what an order looks like (`report_requests`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from jiko_pipeline.bank.api import ApiClient, json_object, safe_id
from jiko_pipeline.bank.clock import Clock
from jiko_pipeline.bank.contract import Contract, OutputFormat
from jiko_pipeline.bank.downloads import DownloadClient
from jiko_pipeline.bank.errors import (
    AmbiguousOutcomeError,
    ContractBrokenError,
    LinkExpiredError,
    NotFoundError,
)
from jiko_pipeline.bank.listings import next_cursor
from jiko_pipeline.bank.operations import path_of
from jiko_pipeline.bank.order_book import OrderBook
from jiko_pipeline.bank.report_requests import (
    GET_REQUEST,
    LIST_REQUESTS,
    MAKE_LINK,
    ORDER,
    MadeReport,
    ReportPull,
    ReportRequest,
    body_of,
    is_same_order,
    read_request,
)
from jiko_pipeline.calendars import new_york_date
from jiko_pipeline.errors import JikoPipelineError
from jiko_pipeline.failpoints import failpoint
from jiko_pipeline.settings import Settings

_CLOCKS_DIFFER_AT_MOST: Final = timedelta(seconds=120)
_LOST_ORDERS_AT_MOST: Final = 3
_NOT_FOUND_PAUSE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class DeliveredReport:
    """One file, as handed to `deliver`, which has to take it from `path` before it returns.

    `created_at_provider` is the bank's time of the report (UTC; None when it states none), `fetched_at` the
    end of the fetch, `file_name` the bank's name for it: data only, never a path.
    """

    pull: ReportPull
    output_format: OutputFormat
    report_id: str
    report_request_id: str
    created_at_provider: datetime | None
    fetched_at: datetime
    path: Path
    sha256: str
    byte_length: int
    media_type: str
    file_name: str | None


class ReportBank(Protocol):
    """What a fetch needs of a connection; `jiko_pipeline.bank.connection.Bank` has it."""

    @property
    def api(self) -> ApiClient:
        """The client of the API."""

    @property
    def downloads(self) -> DownloadClient:
        """The client of download links."""

    @property
    def contract(self) -> Contract:
        """The wire as it is assumed."""

    @property
    def clock(self) -> Clock:
        """The time."""

    @property
    def settings(self) -> Settings:
        """Threads, pauses and the deadline of polling."""

    def now(self) -> datetime:
        """Our best guess of the bank's time, UTC."""


class ReportDesk:
    """The calls that concern reports, over one connection and with one order book. Thread-safe."""

    def __init__(self, bank: ReportBank, book: OrderBook) -> None:
        self._bank = bank
        self._book = book
        self._contract = bank.contract

    def order(self, pull: ReportPull, *, look_first: bool) -> ReportRequest:
        """An order of `pull` that is entered in the book; the caller holds its claim.

        With `look_first`, and whenever an answer was lost, an order that is at the bank already is adopted.
        Raises AmbiguousOutcomeError when one may be there and cannot be looked for.
        """
        with self._bank.api.log.course():
            return self._order(pull, look_first=look_first)

    def _order(self, pull: ReportPull, *, look_first: bool) -> ReportRequest:
        entry = self._book.entry(pull.key)
        claimed_at = entry.claimed_at if entry is not None else self._bank.now()
        where = path_of(ORDER.name, self._contract)
        lost: AmbiguousOutcomeError | None = None
        for _ in range(_LOST_ORDERS_AT_MOST):
            if look_first:
                try:
                    adopted = self._adopt(pull, claimed_at)
                except JikoPipelineError as error:
                    raise AmbiguousOutcomeError(f"{error}") from None
                if adopted is not None:
                    return adopted
            try:
                answer = self._bank.api.call(ORDER, where, document=body_of(pull, self._contract))
            except AmbiguousOutcomeError as error:
                lost, look_first = error, True
                continue
            try:
                failpoint("order-sent")
                request = read_request(json_object(answer.body, where), self._contract, where)
                recorded = self._book.record_order(pull, request.request_id, request.created_at, self._bank.now())
            except BaseException:
                # The bank has taken the order: whoever has the pull next looks for it before ordering.
                self._book.leave_open(pull)
                raise
            if recorded:
                failpoint("order-recorded")
                return request
            # Another pull with the same parameters took this request for its own lost one.
            look_first = True
        raise lost or AmbiguousOutcomeError(f"The order of {pull.title} could not be told from others.")

    def _adopt(self, pull: ReportPull, claimed_at: datetime) -> ReportRequest | None:
        since = claimed_at - _CLOCKS_DIFFER_AT_MOST
        candidates = [
            request
            for request in self.requests(since)
            if is_same_order(pull, request, self._contract) and request.created_at is not None
        ]
        known = self._book.known_requests(request.request_id for request in candidates)
        for request in candidates:
            if request.request_id not in known and self._book.record_order(
                pull, request.request_id, request.created_at, self._bank.now()
            ):
                return request
        return None

    def requests(self, since: datetime | None) -> Iterator[ReportRequest]:
        """Report requests, newest first, those made before `since` left out."""
        contract = self._contract
        where = path_of(LIST_REQUESTS.name, contract)
        day_before = None if since is None else new_york_date(since) - timedelta(days=1)
        seen: set[str] = set()
        cursor: str | None = None
        for _ in range(contract.page_cap):
            query = [(contract.limit, str(contract.requests_page_limit))]
            if day_before is not None:
                query.append((contract.requests_first, day_before.isoformat()))
            if cursor is not None:
                query.append((contract.cursor, cursor))
            document = json_object(self._bank.api.call(LIST_REQUESTS, where, query=query).body, where)
            cursor = next_cursor(document, contract, seen, where)
            older = False
            for item in document[contract.items]:
                request = read_request(item, contract, where)
                if since is not None and request.created_at is not None and request.created_at < since:
                    older = True
                    continue
                yield request
            if cursor is None or older:
                return

    def request(self, request_id: str) -> ReportRequest:
        """One report request, asked for by its id. Raises NotFoundError, ContractBrokenError."""
        where = path_of(
            GET_REQUEST.name, self._contract, report_request_id=safe_id(request_id, "id of a report request")
        )
        answer = self._bank.api.call(GET_REQUEST, where)
        request = read_request(json_object(answer.body, where), self._contract, where)
        if request.request_id != request_id:
            raise ContractBrokenError(f"{where} answered another report request than the one asked for.")
        return request

    def fetch_files(self, pull: ReportPull, request_id: str, reports: tuple[MadeReport, ...]) -> list[DeliveredReport]:
        """All files of a completed request, in the order of `reports`; none is left behind after an error."""
        fetched: list[DeliveredReport] = []
        try:
            for report in reports:
                fetched.append(self._download(pull, request_id, report))
        except BaseException:
            for earlier in fetched:
                earlier.path.unlink(missing_ok=True)
            raise
        return fetched

    def _download(self, pull: ReportPull, request_id: str, report: MadeReport) -> DeliveredReport:
        with self._bank.api.log.course():
            return self._downloaded(pull, request_id, report)

    def _downloaded(self, pull: ReportPull, request_id: str, report: MadeReport) -> DeliveredReport:
        links = 0
        while True:
            link = self._link(report)
            links += 1
            try:
                file = self._bank.downloads.fetch(link, cap_bytes=self._contract.cap_bytes(report.output_format))
            except LinkExpiredError:
                if links >= self._contract.links_per_report:
                    raise
                continue
            return DeliveredReport(
                pull=pull,
                output_format=report.output_format,
                report_id=report.report_id,
                report_request_id=request_id,
                created_at_provider=report.created_at,
                fetched_at=file.fetched_at,
                path=file.path,
                sha256=file.sha256,
                byte_length=file.byte_length,
                media_type=file.media_type,
                file_name=report.file_name,
            )

    def _link(self, report: MadeReport) -> object:
        where = path_of(MAKE_LINK.name, self._contract, report_id=report.report_id)
        give_up = self._bank.clock.monotonic() + self._contract.not_found_grace_seconds
        while True:
            try:
                answer = self._bank.api.call(MAKE_LINK, where)
            except NotFoundError:
                if self._bank.clock.monotonic() + _NOT_FOUND_PAUSE_SECONDS > give_up:
                    raise
                self._bank.clock.sleep(_NOT_FOUND_PAUSE_SECONDS)
                continue
            return json_object(answer.body, where).get(self._contract.link_url)
