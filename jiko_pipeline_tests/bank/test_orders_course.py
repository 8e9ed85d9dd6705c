"""Ordering, polling and downloading at the second bank: each pull ordered once, whatever happens on the way."""

import hashlib
import json
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jiko_pipeline.bank.clock import SYSTEM_CLOCK
from jiko_pipeline.bank.connection import Bank, connect
from jiko_pipeline.bank.contract import DateType, OutputFormat, ReportType
from jiko_pipeline.bank.errors import AuthenticationError
from jiko_pipeline.bank.order_book import OrderBook, State, Turn
from jiko_pipeline.bank.orders import DeliveredReport, Outcome, fetch_reports
from jiko_pipeline.bank.report_requests import PullReason, ReportPull
from jiko_pipeline.errors import StorageError
from jiko_pipeline.settings import Settings
from jiko_pipeline_tests.bank.second_bank import Reply, SecondBank, Seen, StillClock

REQUESTS = "/api/v1/report-requests/"
ORDER = f"POST {REQUESTS}"
LIST = f"GET {REQUESTS}"
DAY = date(2024, 7, 17)
Make = Callable[..., Settings]


def statement(pocket: str = "p-1", day: date = DAY, **changes: Any) -> ReportPull:
    return ReportPull(ReportType.BANK_STATEMENT, (OutputFormat.CAMT053,), pocket, day, day, **changes)


def trades() -> ReportPull:
    forms = (OutputFormat.CSV, OutputFormat.KYRIBA_CSV)
    return ReportPull(ReportType.TRADE, forms, None, date(2024, 6, 17), DAY, DateType.TRADE_DATE)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[OrderBook]:
    with OrderBook(tmp_path / "data" / "bank" / "orders.sqlite") as opened:
        yield opened


class Fetcher:
    """Fetches over a connection of its own; `files` are the bytes that were delivered."""

    def __init__(self, settings: Settings, still: StillClock | SimpleNamespace, book: OrderBook) -> None:
        self.settings, self.still, self.book = settings, still, book
        self.files: list[tuple[DeliveredReport, bytes]] = []

    def __call__(self, *pulls: ReportPull, **overrides: Any) -> Outcome:
        settings = self.settings.model_copy(update=overrides)
        with connect(settings, clock=self.still.clock) as bank:
            self.bank: Bank = bank
            return fetch_reports(bank, self.book, pulls, self.deliver)

    def deliver(self, report: DeliveredReport) -> None:
        self.files.append((report, report.path.read_bytes()))


@pytest.fixture
def fetch(settings_for: Make, still: StillClock, book: OrderBook) -> Fetcher:
    return Fetcher(settings_for(), still, book)


def states(book: OrderBook, *pulls: ReportPull) -> list[State | None]:
    entries = [book.entry(pull.key) for pull in pulls]
    return [None if entry is None else entry.state for entry in entries]


def test_a_report_is_ordered_polled_and_delivered(second_bank: SecondBank, fetch: Fetcher, book: OrderBook) -> None:
    pull = statement()
    outcome = fetch(pull)
    assert outcome.delivered == [pull]
    (report, body) = fetch.files[0]
    made = second_bank.requests[0]["reports"][0]
    assert body == second_bank.content(made["id"])
    assert (report.sha256, report.byte_length) == (hashlib.sha256(body).hexdigest(), len(body))
    assert (report.report_id, report.report_request_id) == (made["id"], second_bank.requests[0]["id"])
    assert report.created_at_provider is not None
    assert report.created_at_provider.isoformat() == made["created_at"]
    assert report.output_format is OutputFormat.CAMT053
    assert states(book, pull) == [State.DELIVERED]


def test_the_order_says_what_the_pull_says(second_bank: SecondBank, fetch: Fetcher) -> None:
    fetch(statement(), trades())
    orders = sorted((item["parameters"] for item in second_bank.requests), key=lambda body: body["report_type"])
    assert orders == [
        {
            "report_type": "BANK_STATEMENT_REPORT",
            "output_formats": ["CAMT053"],
            "pocket_ids": ["p-1"],
            "date": "2024-07-17",
        },
        {
            "report_type": "TRADE_REPORT",
            "output_formats": ["CSV", "KYRIBA_CSV"],
            "date_from": "2024-06-17",
            "date_to": "2024-07-17",
            "date_type": "TRADE_DATE",
        },
    ]


def test_a_request_for_two_forms_is_one_order_and_two_files(second_bank: SecondBank, fetch: Fetcher) -> None:
    outcome = fetch(trades())
    assert [report.output_format for report in outcome.reports] == [OutputFormat.CSV, OutputFormat.KYRIBA_CSV]
    assert len(second_bank.requests) == 1


def test_the_names_the_bank_gives_are_data_and_never_paths(fetch: Fetcher) -> None:
    fetch(statement())
    report, _ = fetch.files[0]
    assert report.file_name == "../../etc/passwd"
    assert report.path.parent == fetch.settings.data_dir / "bank" / "incoming"
    assert list(report.path.parent.iterdir()) == []


def test_a_second_run_orders_nothing_and_asks_nothing(second_bank: SecondBank, fetch: Fetcher) -> None:
    fetch(statement(), trades())
    before = len(second_bank.seen)
    outcome = fetch(statement(), trades())
    assert outcome.already == [statement(), trades()]
    assert len(second_bank.seen) == before


def test_the_same_document_for_another_reason_is_another_order(second_bank: SecondBank, fetch: Fetcher) -> None:
    confirm = [statement(reason=PullReason.CONFIRM, round=day) for day in ("2024-07-18", "2024-07-19")]
    outcome = fetch(statement(), *confirm)
    assert len(outcome.delivered) == len(second_bank.requests) == 3
    assert len({report.report_request_id for report in outcome.reports}) == 3


def test_four_hundred_reports_take_two_calls_each_and_few_looks(second_bank: SecondBank, fetch: Fetcher) -> None:
    days = [DAY - timedelta(days=n) for n in range(100)]
    outcome = fetch(*[statement(f"p-{n}", day) for n in range(4) for day in days])
    assert len(outcome.delivered) == 400
    calls = fetch.bank.calls
    assert (calls["reports.order"], calls["reports.link"]) == (400, 400)
    assert calls["reports.list_requests"] <= 10
    assert calls["reports.get_request"] == 0
    assert second_bank.incidents == []


def test_polls_pause_longer_and_longer_up_to_the_cap(
    second_bank: SecondBank, fetch: Fetcher, still: StillClock
) -> None:
    second_bank.looks_needed = 12
    fetch(statement())
    assert still.slept[:3] == [2.0, 3.0, 4.5]
    assert still.slept[-1] == 60.0
    assert still.slept == sorted(still.slept)


@pytest.mark.fault_rows(58)
def test_unfinished_reports_are_left_pending_and_taken_up_again(
    second_bank: SecondBank, fetch: Fetcher, still: StillClock, book: OrderBook
) -> None:
    second_bank.looks_needed = 10**6
    outcome = fetch(statement())
    assert outcome.pending == [statement()]
    assert still.elapsed <= 3600
    second_bank.looks_needed = 1
    assert fetch(statement()).delivered == [statement()]
    assert len(second_bank.requests) == 1


def test_a_request_that_fell_off_the_list_is_asked_for_by_id(second_bank: SecondBank, fetch: Fetcher) -> None:
    empty = Reply(200, {"items": [], "next_page": None})
    second_bank.plant(LIST, empty, empty, empty)
    assert fetch(statement()).delivered == [statement()]
    assert fetch.bank.calls["reports.get_request"] >= 1


@pytest.mark.fault_rows(59)
def test_a_failed_report_is_ordered_once_more(second_bank: SecondBank, fetch: Fetcher) -> None:
    second_bank.failures_left = 1
    assert fetch(statement()).delivered == [statement()]
    assert len(second_bank.requests) == 2


@pytest.mark.fault_rows(60)
def test_a_report_that_always_fails_is_refused_after_two_orders(
    second_bank: SecondBank, fetch: Fetcher, book: OrderBook
) -> None:
    second_bank.failures_left = 99
    ((pull, reason),) = fetch(statement()).refused
    assert pull == statement()
    assert "the ledger was busy" in reason
    assert len(second_bank.requests) == 2
    ((_, again),) = fetch(statement()).refused
    assert again == reason
    assert len(second_bank.requests) == 2
    book.forget(statement())
    second_bank.failures_left = 0
    assert fetch(statement()).delivered == [statement()]


@pytest.mark.fault_rows(61)
def test_an_unknown_status_is_refused_by_name_and_not_ordered_again(second_bank: SecondBank, fetch: Fetcher) -> None:
    second_bank.final_status = "ARCHIVED"
    ((_, reason),) = fetch(statement()).refused
    assert "'ARCHIVED'" in reason
    fetch(statement())
    assert len(second_bank.requests) == 1


def test_an_order_that_the_bank_finds_wrong_touches_no_other_pull(second_bank: SecondBank, fetch: Fetcher) -> None:
    def refuse(seen: Seen) -> Reply:
        if b"p-2" in seen.body:
            return Reply(422, {"detail": [{"loc": ["body", "date"], "msg": "not open on this date"}]})
        return Reply(201, second_bank.order(json.loads(seen.body)))

    second_bank.plant(ORDER, refuse, refuse)
    outcome = fetch(statement("p-1"), statement("p-2"))
    assert outcome.delivered == [statement("p-1")]
    ((pull, reason),) = outcome.refused
    assert pull == statement("p-2")
    assert "body.date: not open on this date" in reason
    # Nothing was made at the bank, so the pull may be asked for again.
    assert fetch(statement("p-2")).delivered == [statement("p-2")]


@pytest.mark.fault_rows(66, 67)
@pytest.mark.parametrize(
    "change",
    [
        {"report_type": "POSITION_SUMMARY_REPORT"},
        {"output_formats": ["PDF"]},
        {"parameters": {"pocket_ids": ["p-9"], "date": "2024-07-17"}},
        {"parameters": {"pocket_ids": ["p-1"], "date": "2024-07-16"}},
        {"status": "COMPLETED", "reports": []},
        {"status": "COMPLETED", "reports": None},
        {"status": "COMPLETED", "reports": [{"id": None, "output_format": "CAMT053"}]},
        {"status": "COMPLETED", "reports": [{"id": "../../x", "output_format": "CAMT053"}]},
        {"status": "COMPLETED", "reports": [{"id": "r", "output_format": "PDF"}]},
        {"status": "COMPLETED", "reports": [{"id": "r", "output_format": "CAMT053", "pocket_id": "p-9"}]},
        {"status": "COMPLETED", "reports": [{"id": "r", "output_format": "CAMT053"}] * 2},
    ],
)
def test_an_answer_for_something_else_than_was_asked_is_refused(
    second_bank: SecondBank, fetch: Fetcher, change: dict[str, Any]
) -> None:
    def altered(_seen: Seen) -> Reply:
        return Reply(200, {"items": [{**second_bank.requests[0], **change}], "next_page": None})

    second_bank.plant(LIST, altered)
    outcome = fetch(statement())
    assert [pull for pull, _ in outcome.refused] == [statement()]
    assert fetch.files == []


def lose_answer(bank: SecondBank) -> Callable[[Seen], Reply]:
    """The bank takes the order in, and its answer never arrives."""

    def take_and_hang_up(seen: Seen) -> Reply:
        bank.order(json.loads(seen.body))
        return Reply(hang_up=True)

    return take_and_hang_up


@pytest.mark.fault_rows(63)
def test_an_order_whose_answer_was_lost_is_found_and_not_repeated(second_bank: SecondBank, fetch: Fetcher) -> None:
    second_bank.plant(ORDER, lose_answer(second_bank))
    assert fetch(statement()).delivered == [statement()]
    assert len(second_bank.requests) == 1
    assert len(second_bank.calls(ORDER)) == 1


@pytest.mark.parametrize("reply", [Reply(hang_up=True), Reply(502, {}), Reply(200, body=b"<html>")])
def test_an_order_that_never_arrived_is_sent_again(second_bank: SecondBank, fetch: Fetcher, reply: Reply) -> None:
    second_bank.plant(ORDER, reply)
    assert fetch(statement()).delivered == [statement()]
    assert len(second_bank.requests) == 1
    assert len(second_bank.calls(ORDER)) == 2


@pytest.mark.fault_rows(63)
def test_many_lost_answers_at_once_are_each_given_their_own_request(second_bank: SecondBank, fetch: Fetcher) -> None:
    pulls = [statement(f"p-{n}") for n in range(6)] + [statement("p-0", reason=PullReason.CONFIRM)]
    second_bank.plant(ORDER, *[lose_answer(second_bank)] * len(pulls))
    outcome = fetch(*pulls)
    assert sorted(pull.key for pull in outcome.delivered) == sorted(pull.key for pull in pulls)
    assert len(second_bank.requests) == len(pulls)
    assert len({report.report_request_id for report in outcome.reports}) == len(pulls)


def test_an_old_request_with_equal_parameters_is_not_adopted(
    second_bank: SecondBank, fetch: Fetcher, still: StillClock
) -> None:
    # Somebody asked for the same statement before the day had ended: its figures are provisional.
    second_bank.order(
        {
            "report_type": "BANK_STATEMENT_REPORT",
            "output_formats": ["CAMT053"],
            "pocket_ids": ["p-1"],
            "date": "2024-07-17",
        }
    )
    still.advance(600)
    second_bank.plant(ORDER, Reply(hang_up=True))
    outcome = fetch(statement())
    assert outcome.delivered == [statement()]
    assert outcome.reports[0].report_request_id == second_bank.requests[1]["id"]


@pytest.mark.fault_rows(64)
def test_the_claim_of_a_dead_process_is_taken_over_and_its_order_found(
    second_bank: SecondBank, fetch: Fetcher, book: OrderBook, still: StillClock
) -> None:
    def claim_and_die(file: Path) -> None:
        with OrderBook(file) as other:
            other.claim(statement(), still.now)

    file = fetch.settings.data_dir / "bank" / "orders.sqlite"
    child = multiprocessing.get_context("fork").Process(target=claim_and_die, args=(file,))
    child.start()
    child.join()
    second_bank.order(
        {
            "report_type": "BANK_STATEMENT_REPORT",
            "output_formats": ["CAMT053"],
            "pocket_ids": ["p-1"],
            "date": "2024-07-17",
        }
    )
    assert book.claim(statement(), still.now) is Turn.LOOK_THEN_ORDER
    book.leave_open(statement())
    assert fetch(statement()).delivered == [statement()]
    assert len(second_bank.requests) == 1
    assert second_bank.calls(ORDER) == []


def test_two_runs_at_once_order_once(
    second_bank: SecondBank, settings_for: Make, book: OrderBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Both wait for real here: on one still clock each would move the other's time on.
    real = SimpleNamespace(clock=SYSTEM_CLOCK)
    monkeypatch.setattr(second_bank, "server_now", SYSTEM_CLOCK.wall)
    pulls = [statement(f"p-{n}") for n in range(8)]
    settings = settings_for(poll_base_seconds=0.01, poll_cap_seconds=0.05)
    outcomes: list[Outcome] = []
    fetchers = [Fetcher(settings, real, book) for _ in range(2)]
    threads = [threading.Thread(target=lambda one=one: outcomes.append(one(*pulls))) for one in fetchers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(second_bank.requests) == 8
    assert [len(outcome.delivered) + len(outcome.already) for outcome in outcomes] == [8, 8]


def test_a_bank_that_goes_down_leaves_the_rest_pending_and_the_next_run_finishes(
    second_bank: SecondBank, fetch: Fetcher
) -> None:
    second_bank.plant(LIST, *[Reply(503, {})] * 5)
    outcome = fetch(statement("p-1"), statement("p-2"))
    assert sorted(pull.pocket_id or "" for pull in outcome.pending) == ["p-1", "p-2"]
    assert "503" in str(outcome.trouble)
    assert len(fetch(statement("p-1"), statement("p-2")).delivered) == 2
    assert len(second_bank.requests) == 2


def test_refused_credentials_end_the_fetch_and_leave_no_claim(
    second_bank: SecondBank, fetch: Fetcher, book: OrderBook
) -> None:
    second_bank.plant("POST /api/oauth2/token", *[Reply(400, {"error": "invalid_client"})] * 8)
    with pytest.raises(AuthenticationError):
        fetch(statement("p-1"), statement("p-2"))
    assert book.open_pulls() == []


def test_a_pull_is_not_delivered_until_its_file_was_taken(
    second_bank: SecondBank, fetch: Fetcher, book: OrderBook, still: StillClock
) -> None:
    def full(_report: DeliveredReport) -> None:
        raise StorageError("no space left")

    with connect(fetch.settings, clock=still.clock) as bank, pytest.raises(StorageError):
        fetch_reports(bank, book, [statement("p-1"), statement("p-2")], full)
    assert states(book, statement("p-1"), statement("p-2")) == [State.ORDERED, State.ORDERED]
    assert list((fetch.settings.data_dir / "bank" / "incoming").iterdir()) == []
    assert len(fetch(statement("p-1"), statement("p-2")).delivered) == 2
    assert len(second_bank.requests) == 2


def test_pulls_that_wait_are_listed_with_their_parameters(
    second_bank: SecondBank, fetch: Fetcher, book: OrderBook
) -> None:
    second_bank.looks_needed = 10**6
    fetch(trades(), statement())
    assert {entry.pull for entry in book.open_pulls()} == {trades(), statement()}
    assert {entry.orders for entry in book.open_pulls()} == {1}


def test_every_field_of_a_pull_is_in_its_key() -> None:
    base = trades()
    others = [
        ReportPull(ReportType.SECURITY_PRICE, base.output_formats, None, base.first, base.last),
        ReportPull(base.report_type, (OutputFormat.CSV,), None, base.first, base.last, base.date_type),
        ReportPull(base.report_type, base.output_formats, "p", base.first, base.last, base.date_type),
        ReportPull(base.report_type, base.output_formats, None, DAY, base.last, base.date_type),
        ReportPull(base.report_type, base.output_formats, None, base.first, base.first, base.date_type),
        ReportPull(base.report_type, base.output_formats, None, base.first, base.last, DateType.BOOK_DATE),
        ReportPull(
            base.report_type, base.output_formats, None, base.first, base.last, base.date_type, PullReason.CONFIRM
        ),
        ReportPull(base.report_type, base.output_formats, None, base.first, base.last, base.date_type, round="2"),
    ]
    assert len({pull.key for pull in [base, *others]}) == len(others) + 1


def test_the_book_is_readable_by_its_owner_only(fetch: Fetcher) -> None:
    fetch(statement())
    room = fetch.settings.data_dir / "bank"
    assert oct(room.stat().st_mode & 0o777) == "0o700"
    for file in room.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
