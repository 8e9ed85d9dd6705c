"""Order everything, poll together, download: many reports of one window in few calls.

Belongs here: the course of a fetch, from pulls to files handed over. Does not belong here: what an order
looks like (`report_requests`), the single calls (`report_desk`), what was ordered before (`order_book`).

For each pull: an order that is open or was lost is adopted, else one is sent; its request is entered in the
book before it is polled; the file is handed to the caller before the pull is marked as delivered. So fetching
is at-least-once and ordering at most once, however a run ends.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from jiko_pipeline.bank.errors import (
    AmbiguousOutcomeError,
    NotFoundError,
    PermissionRefusedError,
    ScopeError,
    ValidationRefusedError,
)
from jiko_pipeline.bank.operations import path_of
from jiko_pipeline.bank.order_book import OrderBook, Turn
from jiko_pipeline.bank.report_desk import DeliveredReport, ReportBank, ReportDesk
from jiko_pipeline.bank.report_requests import (
    LIST_REQUESTS,
    ReportPull,
    ReportRequest,
    echo_problem,
    made_reports,
)
from jiko_pipeline.errors import JikoPipelineError, NotProvedError, TryLaterError
from jiko_pipeline.failpoints import failpoint

__all__ = ["DeliveredReport", "Outcome", "Progress", "ReportBank", "fetch_reports"]

_PAUSE_GROWTH: Final = 1.5

Progress = Callable[[str, int, int], None]
"""Called with what is going on ("ordered", "delivered"), how many are through, and of how many."""


@dataclass(slots=True)
class Outcome:
    """What became of the pulls: each is in exactly one of delivered, already, pending, refused.

    `pending` are taken up by the next run with the same report request. `trouble` is the first reason, if
    any, why the bank could not be asked further; `barred` says that the credentials may not order at all.
    """

    delivered: list[ReportPull] = field(default_factory=list)
    already: list[ReportPull] = field(default_factory=list)
    pending: list[ReportPull] = field(default_factory=list)
    refused: list[tuple[ReportPull, str]] = field(default_factory=list)
    reports: list[DeliveredReport] = field(default_factory=list)
    trouble: TryLaterError | None = None
    barred: ScopeError | None = None


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
    with bank.clock.pool(bank.settings.threads, "reports") as pool:
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
        self._desk = ReportDesk(bank, book)
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
            if self.outcome.barred is not None:
                raise self.outcome.barred
            failpoint("order-claimed")
            return self._desk.order(pull, look_first=turn is Turn.LOOK_THEN_ORDER)
        except AmbiguousOutcomeError:
            self._book.leave_open(pull)
            raise
        except BaseException as error:
            if isinstance(error, ScopeError) and not isinstance(error, PermissionRefusedError):
                self.outcome.barred = error
            if turn is Turn.ORDER:
                self._book.release(pull)
            else:
                self._book.leave_open(pull)
            raise

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

    def _poll(self) -> None:
        if not self._open:
            return
        with self._bank.api.log.course():
            failed = self._look()
        self._order_again(failed)

    def _look(self) -> list[tuple[str, ReportPull, str]]:
        """See how far the open requests are; those that the bank failed, with its reasons."""
        made = [requested_at for _, requested_at in self._open.values()]
        known = [requested_at for requested_at in made if requested_at is not None]
        since = min(known) if len(known) == len(made) else None
        unseen = set(self._open)
        failed: list[tuple[str, ReportPull, str]] = []
        for request in self._desk.requests(since):
            if request.request_id in unseen:
                unseen.discard(request.request_id)
                self._judge(request, failed)
            if not unseen:
                break
        for request_id in unseen:
            self._ask_by_id(request_id, failed)
        return failed

    def _ask_by_id(self, request_id: str, failed: list[tuple[str, ReportPull, str]]) -> None:
        try:
            request = self._desk.request(request_id)
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
        failpoint("request-polled")
        pull, _ = self._open[request.request_id]
        problem = echo_problem(pull, request, contract)
        if problem is not None:
            del self._open[request.request_id]
            self._refuse(pull, f"The bank's request {request.request_id} is not for {pull.title}: {problem}.")
        elif request.status in contract.status_open:
            return
        elif request.status in contract.status_completed:
            del self._open[request.request_id]
            try:
                reports = made_reports(pull, request, contract, path_of(LIST_REQUESTS.name, contract))
            except NotProvedError as error:
                self._refuse(pull, str(error))
            else:
                future = self._pool.submit(self._desk.fetch_files, pull, request.request_id, reports)
                self._downloading[future] = pull
        elif request.status in contract.status_failed:
            del self._open[request.request_id]
            said = request.raw.get(contract.report_error)
            reason = said if isinstance(said, str) and said.strip() else f"status {request.status}"
            failed.append((request.request_id, pull, _one_line(reason)))
        else:
            del self._open[request.request_id]
            word = _one_line(request.status)
            self._refuse(pull, f"The bank gives {pull.title} the status {word!r}, which the contract does not know.")

    def _refuse(self, pull: ReportPull, problem: str) -> None:
        """Keep out a pull for what the answer that was just read says of it."""
        self._bank.api.log.unusable(problem)
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
            if not (isinstance(error, NotFoundError) and self._is_open_again(pull)):
                self.outcome.refused.append((pull, str(error)))
        else:
            try:
                for report in reports:
                    self._deliver(report)
            finally:
                for report in reports:
                    report.path.unlink(missing_ok=True)
            failpoint("report-delivered")
            self._book.mark_delivered(pull, self._bank.now())
            failpoint("delivery-recorded")
            self.outcome.delivered.append(pull)
            self.outcome.reports += reports
            self._progress("delivered", len(self.outcome.delivered), self._total)
        finally:
            self._downloading.pop(future, None)

    def _is_open_again(self, pull: ReportPull) -> bool:
        """True when a request whose reports are not there is no longer called completed: it is polled further."""
        entry = self._book.entry(pull.key)
        if entry is None or entry.request_id is None:
            return False
        try:
            request = self._desk.request(entry.request_id)
        except (TryLaterError, NotProvedError):
            return False
        if request.status not in self._contract.status_open:
            return False
        self._open[entry.request_id] = (pull, entry.requested_at)
        return True


def _one_line(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable[:200].strip().rstrip(".")
