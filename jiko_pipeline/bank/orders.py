"""Order everything, poll together, download: many reports of one window in few calls.

Belongs here: the course of a fetch, from pulls to files handed over. Does not belong here: what an order
looks like (`report_requests`), what was ordered before (`order_book`), how a file travels (`downloads`).

For each pull: an order that is open or was lost is adopted, else one is sent; its request is entered in the
book before it is polled; the file is handed to the caller before the pull is marked as delivered. So fetching
is at-least-once and ordering at most once, however a run ends.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
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
    ScopeError,
    ValidationRefusedError,
)
from jiko_pipeline.bank.listings import next_cursor
from jiko_pipeline.bank.order_book import OrderBook, Turn
from jiko_pipeline.bank.report_requests import (
    GET_REQUEST,
    LIST_REQUESTS,
    MAKE_LINK,
    ORDER,
    MadeReport,
    ReportPull,
    ReportRequest,
    body_of,
    echo_problem,
    is_same_order,
    made_reports,
    read_request,
)
from jiko_pipeline.calendars import new_york_date
from jiko_pipeline.errors import JikoPipelineError, NotProvedError, TryLaterError
from jiko_pipeline.settings import Settings

_CLOCKS_DIFFER_AT_MOST: Final = timedelta(seconds=120)
_LOST_ORDERS_AT_MOST: Final = 3
_PAUSE_GROWTH: Final = 1.5
_NOT_FOUND_PAUSE_SECONDS: Final = 1.0

Progress = Callable[[str, int, int], None]
"""Called with what is going on ("ordered", "delivered"), how many are through, and of how many."""


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


@dataclass(slots=True)
class Outcome:
    """What became of the pulls: each is in exactly one of delivered, already, pending, refused.

    `pending` are taken up by the next run with the same report request. `trouble` is the first reason, if
    any, why the bank could not be asked further.
    """

    delivered: list[ReportPull] = field(default_factory=list)
    already: list[ReportPull] = field(default_factory=list)
    pending: list[ReportPull] = field(default_factory=list)
    refused: list[tuple[ReportPull, str]] = field(default_factory=list)
    reports: list[DeliveredReport] = field(default_factory=list)
    trouble: TryLaterError | None = None


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


def fetch_reports(
    bank: ReportBank,
    book: OrderBook,
    pulls: Iterable[ReportPull],
    deliver: Callable[[DeliveredReport], object],
    *,
    progress: Progress | None = None,
) -> Outcome:
    """Fetch the reports of `pulls` and hand each file to `deliver`, in the caller's thread.

    What concerns one pull is in the outcome; what concerns all of them (credentials, storage, an error in
    `deliver`) is raised, after which the same call takes up where this one ended.
    """
    unique = {pull.key: pull for pull in pulls}
    with ThreadPoolExecutor(max_workers=bank.settings.threads, thread_name_prefix="reports") as pool:
        fetch = _Fetch(bank, book, pool, deliver, progress or (lambda _what, _done, _all: None), len(unique))
        try:
            fetch.run(list(unique.values()))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            fetch.let_go()
    return fetch.outcome


class _Fetch:
    def __init__(
        self,
        bank: ReportBank,
        book: OrderBook,
        pool: ThreadPoolExecutor,
        deliver: Callable[[DeliveredReport], object],
        progress: Progress,
        total: int,
    ) -> None:
        self._bank = bank
        self._contract = bank.contract
        self._book = book
        self._pool = pool
        self._deliver = deliver
        self._progress = progress
        self._total = total
        self._ordering: dict[str, ReportPull] = {}
        self._waiting: dict[str, ReportPull] = {}
        self._open: dict[str, tuple[ReportPull, datetime | None]] = {}
        self._downloading: dict[Future[list[DeliveredReport]], ReportPull] = {}
        self.outcome = Outcome()

    def run(self, pulls: list[ReportPull]) -> None:
        deadline = self._bank.clock.monotonic() + self._bank.settings.poll_deadline_seconds
        resumed = self._order(pulls)
        pause, longest = self._bank.settings.poll_pauses
        pause_first = not resumed
        while self._open or self._waiting or self._downloading:
            if not (self._open or self._waiting) or self.outcome.trouble is not None:
                self._hand_over_all()
                if self.outcome.trouble is not None:
                    break
                continue
            if pause_first:
                if self._bank.clock.monotonic() + pause > deadline:
                    self._hand_over_all()
                    break
                self._bank.clock.sleep(pause)
                pause = min(pause * _PAUSE_GROWTH, longest)
            pause_first = True
            self._take_turns()
            try:
                self._poll()
            except TryLaterError as error:
                self._stop(error)
            self._hand_over_done()
        self.outcome.pending += [pull for pull, _ in self._open.values()]
        self.outcome.pending += list(self._waiting.values())

    def let_go(self) -> None:
        """Give back what is still claimed, and remove files that nobody took."""
        for pull in self._ordering.values():
            self._book.leave_open(pull)
        for future in self._downloading:
            if future.done() and not future.cancelled() and future.exception() is None:
                for report in future.result():
                    report.path.unlink(missing_ok=True)

    def _stop(self, error: TryLaterError) -> None:
        if self.outcome.trouble is None:
            self.outcome.trouble = error

    # Ordering

    def _order(self, pulls: list[ReportPull]) -> bool:
        """Claim and order; True when some request was made by an earlier run and may be ready by now."""
        resumed = False
        to_order: list[tuple[ReportPull, Turn]] = []
        for pull in pulls:
            turn = self._book.claim(pull, self._bank.now())
            if turn in (Turn.ORDER, Turn.LOOK_THEN_ORDER):
                self._ordering[pull.key] = pull
                to_order.append((pull, turn))
            else:
                resumed |= turn is Turn.POLL
                self._place(pull, turn)
        self._send_orders(to_order)
        return resumed

    def _place(self, pull: ReportPull, turn: Turn) -> None:
        if turn is Turn.NOTHING:
            self.outcome.already.append(pull)
        elif turn is Turn.WAIT:
            self._waiting[pull.key] = pull
        elif entry := self._book.entry(pull.key):
            if turn is Turn.POLL and entry.request_id is not None:
                self._open[entry.request_id] = (pull, entry.requested_at)
            else:
                self.outcome.refused.append((pull, entry.problem or "the bank failed it"))

    def _send_orders(self, to_order: list[tuple[ReportPull, Turn]]) -> None:
        futures = {self._pool.submit(self._order_one, pull, turn): pull for pull, turn in to_order}
        fatal: BaseException | None = None
        for done, (future, pull) in enumerate(futures.items(), start=1):
            try:
                request = future.result()
            except TryLaterError as error:
                self._stop(error)
                self.outcome.pending.append(pull)
            except (ValidationRefusedError, ScopeError, NotProvedError) as error:
                self.outcome.refused.append((pull, str(error)))
            except JikoPipelineError as error:
                # The others are waited for, so that each order that reached the bank is entered in the book.
                fatal = fatal or error
                self.outcome.pending.append(pull)
            else:
                self._open[request.request_id] = (pull, request.created_at)
            self._ordering.pop(pull.key, None)
            self._progress("ordered", done, len(futures))
        if fatal is not None:
            raise fatal

    def _order_one(self, pull: ReportPull, turn: Turn) -> ReportRequest:
        """An order that is recorded; the claim is given back when there is none. Runs in a worker thread."""
        try:
            if self.outcome.trouble is not None:
                raise self.outcome.trouble
            return self._adopt_or_order(pull, look_first=turn is Turn.LOOK_THEN_ORDER)
        except AmbiguousOutcomeError:
            self._book.leave_open(pull)
            raise
        except BaseException:
            if turn is Turn.ORDER:
                self._book.release(pull)
            else:
                self._book.leave_open(pull)
            raise

    def _adopt_or_order(self, pull: ReportPull, *, look_first: bool) -> ReportRequest:
        entry = self._book.entry(pull.key)
        claimed_at = entry.claimed_at if entry is not None else self._bank.now()
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
                answer = self._bank.api.call(
                    ORDER,
                    self._contract.report_requests_path,
                    method="POST",
                    document=body_of(pull, self._contract),
                )
            except AmbiguousOutcomeError as error:
                lost, look_first = error, True
                continue
            where = self._contract.report_requests_path
            request = read_request(json_object(answer.body, where), self._contract, where)
            if self._book.record_order(pull, request.request_id, request.created_at, self._bank.now()):
                return request
            # Another pull with the same parameters took this request for its own lost one.
            look_first = True
        raise lost or AmbiguousOutcomeError(f"The order of {pull.title} could not be told from others.")

    def _adopt(self, pull: ReportPull, claimed_at: datetime) -> ReportRequest | None:
        since = claimed_at - _CLOCKS_DIFFER_AT_MOST
        candidates = [
            request
            for request in self._requests(since)
            if is_same_order(pull, request, self._contract) and request.created_at is not None
        ]
        known = self._book.known_requests(request.request_id for request in candidates)
        for request in candidates:
            if request.request_id not in known and self._book.record_order(
                pull, request.request_id, request.created_at, self._bank.now()
            ):
                return request
        return None

    def _take_turns(self) -> None:
        """See what became of the pulls that another process was ordering."""
        to_order: list[tuple[ReportPull, Turn]] = []
        for pull in list(self._waiting.values()):
            turn = self._book.claim(pull, self._bank.now())
            if turn is Turn.WAIT:
                continue
            del self._waiting[pull.key]
            if turn in (Turn.ORDER, Turn.LOOK_THEN_ORDER):
                self._ordering[pull.key] = pull
                to_order.append((pull, turn))
            else:
                self._place(pull, turn)
        self._send_orders(to_order)

    # Polling

    def _requests(self, since: datetime | None) -> Iterator[ReportRequest]:
        """Report requests, newest first, those made before `since` left out."""
        contract = self._contract
        where = contract.report_requests_path
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

    def _poll(self) -> None:
        if not self._open:
            return
        made = [requested_at for _, requested_at in self._open.values()]
        known = [requested_at for requested_at in made if requested_at is not None]
        since = min(known) if len(known) == len(made) else None
        unseen = set(self._open)
        failed: list[tuple[str, ReportPull, str]] = []
        for request in self._requests(since):
            if request.request_id in unseen:
                unseen.discard(request.request_id)
                self._judge(request, failed)
            if not unseen:
                break
        for request_id in unseen:
            self._ask_by_id(request_id, failed)
        self._order_again(failed)

    def _ask_by_id(self, request_id: str, failed: list[tuple[str, ReportPull, str]]) -> None:
        where = self._contract.report_request_path.format(id=safe_id(request_id, "id of a report request"))
        try:
            answer = self._bank.api.call(GET_REQUEST, where)
            request = read_request(json_object(answer.body, where), self._contract, where)
            if request.request_id != request_id:
                raise ContractBrokenError(f"{where} answered another report request than the one asked for.")
        except NotFoundError:
            pull, requested_at = self._open[request_id]
            age = self._bank.now() - (requested_at or self._bank.now())
            if age > timedelta(seconds=self._contract.not_found_grace_seconds):
                del self._open[request_id]
                failed.append((request_id, pull, "the bank no longer knows the request"))
        except NotProvedError as error:
            pull, _ = self._open.pop(request_id)
            self.outcome.refused.append((pull, str(error)))
        else:
            self._judge(request, failed)

    def _judge(self, request: ReportRequest, failed: list[tuple[str, ReportPull, str]]) -> None:
        contract = self._contract
        pull, _ = self._open[request.request_id]
        problem = echo_problem(pull, request, contract)
        if problem is not None:
            del self._open[request.request_id]
            problem = f"The bank's request {request.request_id} is not for {pull.title}: {problem}."
            self.outcome.refused.append((pull, problem))
        elif request.status in contract.status_open:
            return
        elif request.status in contract.status_completed:
            del self._open[request.request_id]
            try:
                reports = made_reports(pull, request, contract, contract.report_requests_path)
            except NotProvedError as error:
                self.outcome.refused.append((pull, str(error)))
            else:
                future = self._pool.submit(self._download_all, pull, request.request_id, reports)
                self._downloading[future] = pull
        elif request.status in contract.status_failed:
            del self._open[request.request_id]
            said = request.raw.get(contract.report_error)
            reason = said if isinstance(said, str) and said.strip() else f"status {request.status}"
            failed.append((request.request_id, pull, _one_line(reason)))
        else:
            del self._open[request.request_id]
            word = _one_line(request.status)
            problem = f"The bank gives {pull.title} the status {word!r}, which the contract does not know."
            self.outcome.refused.append((pull, problem))

    def _order_again(self, failed: list[tuple[str, ReportPull, str]]) -> None:
        to_order: list[tuple[ReportPull, Turn]] = []
        for request_id, pull, reason in failed:
            now = self._bank.now()
            if self._book.claim_again(pull, request_id, self._contract.orders_per_pull, now):
                self._ordering[pull.key] = pull
                to_order.append((pull, Turn.ORDER))
                continue
            entry = self._book.entry(pull.key)
            if entry is not None and entry.request_id == request_id:
                said = f"The bank failed {pull.title} {entry.orders} times: {reason}."
                self._book.mark_refused(pull, said, now)
                self.outcome.refused.append((pull, said))
            else:
                self._waiting[pull.key] = pull
        self._send_orders(to_order)

    # Downloading

    def _download_all(
        self, pull: ReportPull, request_id: str, reports: tuple[MadeReport, ...]
    ) -> list[DeliveredReport]:
        """All files of one request. Runs in a worker thread."""
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
        where = self._contract.report_download_path.format(id=report.report_id)
        give_up = self._bank.clock.monotonic() + self._contract.not_found_grace_seconds
        while True:
            try:
                answer = self._bank.api.call(MAKE_LINK, where, method="POST")
            except NotFoundError:
                if self._bank.clock.monotonic() + _NOT_FOUND_PAUSE_SECONDS > give_up:
                    raise
                self._bank.clock.sleep(_NOT_FOUND_PAUSE_SECONDS)
                continue
            return json_object(answer.body, where).get(self._contract.link_url)

    def _hand_over_done(self) -> None:
        for future in [future for future in self._downloading if future.done()]:
            self._hand_over(future)

    def _hand_over_all(self) -> None:
        while self._downloading:
            self._hand_over(next(iter(self._downloading)))

    def _hand_over(self, future: Future[list[DeliveredReport]]) -> None:
        pull = self._downloading[future]
        try:
            reports = future.result()
        except TryLaterError as error:
            self._stop(error)
            self.outcome.pending.append(pull)
        except (NotProvedError, ValidationRefusedError, ScopeError) as error:
            self.outcome.refused.append((pull, str(error)))
        else:
            try:
                for report in reports:
                    self._deliver(report)
            finally:
                for report in reports:
                    report.path.unlink(missing_ok=True)
            self._book.mark_delivered(pull, self._bank.now())
            self.outcome.delivered.append(pull)
            self.outcome.reports += reports
            self._progress("delivered", len(self.outcome.delivered), self._total)
        finally:
            self._downloading.pop(future, None)


def _one_line(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable[:200].strip().rstrip(".")
