"""No token, assertion, key or link signature leaves the process: not in errors, not in logs, not in files."""

import logging
import traceback
from collections.abc import Callable

import pytest

from jiko_pipeline.bank import listings
from jiko_pipeline.bank.connection import connect
from jiko_pipeline.bank.order_book import OrderBook
from jiko_pipeline.bank.orders import fetch_reports
from jiko_pipeline.errors import JikoPipelineError
from jiko_pipeline.settings import Settings
from jiko_pipeline_tests.bank.second_bank import Reply, SecondBank, Seen, StillClock
from jiko_pipeline_tests.bank.test_orders_course import statement

Make = Callable[..., Settings]


@pytest.mark.fault_rows(42)
@pytest.mark.fault_rows(129)
def test_no_secret_is_written_anywhere(
    second_bank: SecondBank, settings_for: Make, still: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = settings_for()
    assert settings.private_key_file is not None

    def echo(status: int) -> Callable[[Seen], Reply]:
        def reply(seen: Seen) -> Reply:
            said = f"{seen.headers} {seen.body!r} {seen.query}"
            return Reply(status, {"detail": [{"loc": ["body"], "msg": "wrong", "input": said}], "error": said})

        return reply

    troubles: list[str] = []
    outcomes: list[str] = []
    statuses = (400, 401, 403, 404, 409, 418, 422, 429, 500, 302)
    places = (
        "GET /api/v2/pockets/",
        "POST /api/v1/report-requests/",
        "POST /api/v1/reports/.*/download/",
        "STORAGE /files/.*",
        "POST /api/oauth2/token",
    )
    number = 0
    for place in places:
        for status in statuses:
            number += 1
            second_bank.plant(place, *[echo(status)] * 5)
            try:
                with (
                    connect(settings, clock=still.clock) as bank,
                    OrderBook(settings.data_dir / "bank" / "orders.sqlite") as book,
                ):
                    pull = statement(f"p-{number}")
                    outcome = fetch_reports(bank, book, [pull], lambda _report: None)
                    outcomes.append(f"{outcome.refused} {outcome.trouble!r} {outcome.pending} {outcome.reports}")
                    list(bank.pages(listings.pockets()))
            except JikoPipelineError as error:
                troubles += [f"{error} {error.means} {error.remedy}", *traceback.format_exception(error)]
            second_bank._planted.clear()

    assert len(troubles) > 20
    assert len(second_bank.secrets) > 50
    key_lines = [line for line in settings.private_key_file.read_text().splitlines() if "-----" not in line]
    canaries = [*second_bank.secrets, *key_lines, "canary", "signature="]
    told = {"errors": "\n".join(troubles), "outcomes": "\n".join(outcomes), "log": caplog.text}
    for file in settings.data_dir.rglob("*"):
        if file.is_file():
            told[str(file)] = file.read_bytes().decode("latin-1")
    found = {(where, canary[:12]) for where, text in told.items() for canary in canaries if canary in text}
    assert found == set()
