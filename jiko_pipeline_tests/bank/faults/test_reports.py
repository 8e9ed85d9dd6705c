"""Rows 57 to 67 of the fault matrix: reports that take their time, fail, or are of something else."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from jiko_pipeline.bank import listings
from jiko_pipeline.bank.connection import connect
from jiko_pipeline.bank.order_book import OrderBook, State
from jiko_pipeline.bank.orders import DeliveredReport, Outcome, fetch_reports
from jiko_pipeline.bank.report_requests import ReportPull
from jiko_pipeline.settings import Settings
from jiko_pipeline_tests.bank.chaos_client import DisturbedBank
from jiko_pipeline_tests.bank.chaos_rig import rule
from jiko_pipeline_tests.bank.second_bank import Reply, SecondBank, Seen, StillClock
from jiko_pipeline_tests.bank.test_orders_course import LIST, ORDER, statement

Make = Callable[..., Settings]
REQUESTS = {"path": "/api/v1/report-requests/*", "method": "GET"}


class Fetch:
    """Fetches over connections of its own; `delivered` are the reports that came."""

    def __init__(self, settings: Settings, still: StillClock) -> None:
        self._settings, self._still = settings, still
        self.delivered: list[DeliveredReport] = []

    def __call__(self, *pulls: ReportPull) -> Outcome:
        with (
            connect(self._settings, clock=self._still.clock) as bank,
            OrderBook(self._settings.order_book_file) as book,
        ):
            return fetch_reports(bank, book, pulls, self.delivered.append)


@pytest.fixture
def fetch(settings_for: Make, still: StillClock) -> Fetch:
    return Fetch(settings_for(), still)


@pytest.mark.fault_rows(57)
def test_57_a_report_that_is_pending_for_forty_polls_is_waited_for(second_bank: SecondBank, fetch: Fetch) -> None:
    second_bank.looks_needed = 41
    assert fetch(statement()).delivered == [statement()]
    assert len(second_bank.requests) == 1
    assert len(second_bank.calls(LIST)) >= 40


@pytest.mark.fault_rows(58)
def test_58_a_report_that_is_pending_for_ever_keeps_its_order(disturbed: DisturbedBank) -> None:
    (pocket, *_) = disturbed.ids()
    pulls = disturbed.statements(pocket)
    before = disturbed.calls("create_report_request")
    disturbed.disturb(rule("field_value", id="pending", name="status", value="PENDING", match=REQUESTS))
    assert disturbed.fetched(pulls, poll_deadline_seconds=20).pending == pulls
    with OrderBook(disturbed.settings().order_book_file) as book:
        entry = book.entry(pulls[0].key)
    assert entry is not None
    assert (entry.state, entry.orders) == (State.ORDERED, 1)
    disturbed.disturb(rule("new_field", id="pending", match=REQUESTS))
    reports: list[DeliveredReport] = []
    assert disturbed.fetched(pulls, reports.append).delivered == pulls
    assert [report.report_request_id for report in reports] == [entry.request_id]
    assert disturbed.calls("create_report_request") - before == 1


@pytest.mark.fault_rows(60)
def test_60_a_report_that_always_fails_is_kept_out_with_its_reason(disturbed: DisturbedBank) -> None:
    (pocket, *_) = disturbed.ids()
    before = disturbed.calls("create_report_request")
    disturbed.disturb(
        rule("field_value", name="status", value="FAILED", match=REQUESTS),
        rule("field_value", name="error", value="the ledger is closed", match=REQUESTS),
    )
    ((_, why),) = disturbed.fetched(disturbed.statements(pocket)).refused
    assert "2 times: the ledger is closed" in why
    assert disturbed.calls("create_report_request") - before == 2


@pytest.mark.fault_rows(61)
def test_61_a_state_that_nobody_knows_is_named_and_noted_with_its_request(disturbed: DisturbedBank) -> None:
    (pocket, *_) = disturbed.ids()
    disturbed.disturb(rule("field_value", name="status", value="ARCHIVED", match=REQUESTS))
    ((_, why),) = disturbed.fetched(disturbed.statements(pocket)).refused
    assert "'ARCHIVED'" in why
    assert [request.trouble for request in disturbed.requests().values() if request.ending == "QUARANTINED"] == [why]


@pytest.mark.fault_rows(62)
def test_62_a_report_that_goes_back_to_pending_is_polled_further(second_bank: SecondBank, fetch: Fetch) -> None:
    def shown(status: str) -> Callable[[Seen], Reply]:
        def answer(_seen: Seen) -> Reply:
            (made,) = second_bank.requests
            reports = [{"id": "r-1", "output_format": "CAMT053"}] if status == "COMPLETED" else []
            return Reply(200, {"items": [{**made, "status": status, "reports": reports}], "next_page": None})

        return answer

    words = ("IN_PROGRESS", "PENDING", "COMPLETED", "IN_PROGRESS", "PENDING")
    second_bank.plant(LIST, *[shown(word) for word in words])
    # What it called completed for a moment has no file.
    second_bank.plant(r"POST /api/v1/reports/r-1/download/", *[Reply(404, {})] * 31)
    second_bank.looks_needed = 3
    assert fetch(statement()).delivered == [statement()]
    assert len(second_bank.requests) == 1


@pytest.mark.fault_rows(65)
def test_65_of_two_orders_with_the_same_parameters_the_newest_is_taken_and_none_is_added(
    second_bank: SecondBank, fetch: Fetch, still: StillClock, settings_for: Make
) -> None:
    def take_twice(seen: Seen) -> Reply:
        for _ in range(2):
            still.advance(1)
            second_bank.order(json.loads(seen.body))
        return Reply(hang_up=True)

    second_bank.plant(ORDER, take_twice)
    assert fetch(statement()).delivered == [statement()]
    newest = max(second_bank.requests, key=lambda request: datetime.fromisoformat(request["created_at"]))
    (report,) = fetch.delivered
    assert report.report_request_id == newest["id"]
    assert (len(second_bank.calls(ORDER)), len(second_bank.requests)) == (1, 2)
    with connect(settings_for(), clock=still.clock) as bank:
        day = still.now.date()
        listed = b"".join(page.body for page in bank.pages(listings.report_requests(day, day)))
    assert all(request["id"].encode() in listed for request in second_bank.requests)


@pytest.mark.fault_rows(66, 67)
@pytest.mark.parametrize(
    "change",
    [
        {"name": "reports", "value": [{"id": None, "output_format": "CAMT053"}]},
        {"name": "reports", "value": []},
        {"name": "reports", "value": None},
        {"name": "parameters.date", "value": "2024-07-15"},
        {"name": "parameters.pocket_ids", "value": ["00000000-0000-4000-8000-000000000000"]},
    ],
)
def test_a_report_of_nothing_or_of_something_else_is_kept_out_and_noted(
    disturbed: DisturbedBank, change: dict[str, Any]
) -> None:
    (pocket, *_) = disturbed.ids()
    disturbed.disturb(
        rule("field_value", name="status", value="COMPLETED", match=REQUESTS),
        rule("field_value", **change, match=REQUESTS),
    )
    delivered: list[DeliveredReport] = []
    ((_, why),) = disturbed.fetched(disturbed.statements(pocket), delivered.append).refused
    assert delivered == []
    assert [request.trouble for request in disturbed.requests().values() if request.ending == "QUARANTINED"] == [why]
