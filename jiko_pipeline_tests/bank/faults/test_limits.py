"""Rows 20 to 31 and 136 to 138 of the fault matrix: limits, errors of the bank, answers that are none."""

from datetime import date, timedelta

import pytest

from jiko_pipeline.bank import listings
from jiko_pipeline.bank.errors import (
    ContractBrokenError,
    PermissionRefusedError,
    RateLimitedError,
    ValidationRefusedError,
)
from jiko_pipeline.bank.operations import OPERATIONS
from jiko_pipeline.errors import ExitCode, JikoPipelineError
from jiko_pipeline_tests.bank import chaos_rig
from jiko_pipeline_tests.bank.chaos_client import DisturbedBank
from jiko_pipeline_tests.bank.chaos_rig import rule
from jiko_pipeline_tests.bank.second_bank import http_date

POCKETS = {"path": "/api/v2/pockets/"}
LIST = {"path": "/api/v2/transactions/"}
TRANSACTIONS = listings.transactions(date(2024, 7, 9), date(2024, 7, 12))


@pytest.mark.fault_rows(20)
def test_20_a_wait_that_the_bank_asks_for_is_waited(disturbed: DisturbedBank) -> None:
    undisturbed = disturbed.ids()
    disturbed.disturb(rule("status", status=429, headers={"Retry-After": "2"}, match={**POCKETS, "nth": 1}))
    assert disturbed.ids() == undisturbed
    assert disturbed.slept == [2.0]
    assert disturbed.faults() == ["status"]


@pytest.mark.fault_rows(21)
def test_21_a_date_to_wait_for_is_one_of_the_banks_clock(disturbed: DisturbedBank) -> None:
    undisturbed = disturbed.ids()
    with disturbed.connection() as bank:
        bank.sign_in()
        until = http_date(disturbed.wall() + timedelta(seconds=6))
        disturbed.disturb(rule("status", status=429, headers={"Retry-After": until}, match={**POCKETS, "nth": 1}))
        disturbed.wrong_by = timedelta(minutes=10)
        assert len([page for page in bank.pages(listings.pockets()) if page.is_last]) == 1
    assert len(undisturbed) == 4
    (waited,) = disturbed.slept
    assert 3 <= waited <= 6


@pytest.mark.fault_rows(22)
@pytest.mark.parametrize("asked", ["86400", "9999999999"])
def test_22_a_wait_beyond_a_run_is_told_and_not_waited(disturbed: DisturbedBank, asked: str) -> None:
    disturbed.disturb(rule("status", status=429, headers={"Retry-After": asked}, match=POCKETS))
    with pytest.raises(RateLimitedError) as caught:
        disturbed.ids()
    assert caught.value.exit_code is ExitCode.TRY_LATER
    assert caught.value.retry_at - disturbed.wall() > timedelta(hours=23)
    assert "again after 20" in caught.value.remedy
    assert (disturbed.slept, len(disturbed.faults())) == ([], 1)


@pytest.mark.fault_rows(23)
@pytest.mark.parametrize("asked", ["-1", "NaN", "", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "inf"])
def test_23_a_wait_that_makes_no_sense_is_replaced_by_our_own(disturbed: DisturbedBank, asked: str) -> None:
    undisturbed = disturbed.ids()
    disturbed.disturb(rule("status", status=429, headers={"Retry-After": asked}, match={**POCKETS, "nth": [1, 2]}))
    assert disturbed.ids() == undisturbed
    assert len(disturbed.slept) == 2
    assert all(0 <= waited <= 1.0 for waited in disturbed.slept)


@pytest.mark.fault_rows(24)
def test_24_a_429_on_every_third_request_costs_time_and_nothing_else(disturbed: DisturbedBank) -> None:
    undisturbed = disturbed.ids(TRANSACTIONS)
    disturbed.disturb(rule("status", status=429, headers={"Retry-After": "1"}, match={"path": "/api/*", "every": 3}))
    assert disturbed.ids(TRANSACTIONS, page_limit=1) == undisturbed
    assert len(disturbed.slept) == len(disturbed.faults()) >= len(undisturbed) // 3


@pytest.mark.fault_rows(25)
@pytest.mark.parametrize("requests", [300, pytest.param(3_000, marks=pytest.mark.soak)])
def test_25_a_bank_that_fails_a_fifth_of_the_time_is_read_to_the_end_however_long_that_takes(
    disturbed: DisturbedBank, requests: int
) -> None:
    operation = OPERATIONS["transactions.list"]
    query = (("limit", "1"), ("time_booked_from", "2024-07-09T04:00:00Z"))
    chaos_rig.reset(disturbed.bank, seed=25)
    left = 1.0
    for status in (500, 502, 503, 504):
        # Of four equal shares, each later one is drawn among what the earlier ones have left.
        disturbed.disturb(rule("status", status=status, match={**LIST, "p": 0.05 / left}))
        left -= 0.05
    with disturbed.connection() as bank:
        answers = [bank.api.call(operation, operation.path, query=query).body for _ in range(requests)]
    assert len(set(answers)) == 1
    assert len(disturbed.faults()) > max(50, requests / 5)


@pytest.mark.fault_rows(26)
def test_26_a_page_for_people_is_tried_again_and_then_refused(disturbed: DisturbedBank) -> None:
    undisturbed = disturbed.ids()
    disturbed.disturb(rule("html", match={**POCKETS, "nth": 1}))
    assert disturbed.ids() == undisturbed
    disturbed.disturb(rule("html", match=POCKETS))
    with pytest.raises(ContractBrokenError, match="JSON") as caught:
        disturbed.ids()
    assert caught.value.exit_code is ExitCode.NOT_PROVED


@pytest.mark.fault_rows(27)
def test_27_an_error_that_calls_itself_success_is_no_empty_listing(disturbed: DisturbedBank) -> None:
    disturbed.disturb(rule("json_error", match=POCKETS))
    with pytest.raises(ContractBrokenError, match="without a list of items") as caught:
        disturbed.ids()
    assert caught.value.exit_code is ExitCode.NOT_PROVED


@pytest.mark.fault_rows(28)
@pytest.mark.parametrize("path", ["/api/v1/reports/*/download/", "/api/v1/report-requests/?*/"])
def test_28_a_report_that_is_not_there_yet_is_asked_for_again(disturbed: DisturbedBank, path: str) -> None:
    (pocket, *_) = disturbed.ids()
    pulls = disturbed.statements(pocket)
    # Without a list the single request is looked at.
    nothing = {"prev_page": None, "next_page": None, "items": [], "object_type": "CursorList"}
    disturbed.disturb(
        rule("status", status=404, body={"detail": "Not found"}, match={"path": path, "nth": [1, 2]}),
        rule("status", status=200, body=nothing, match={"path": "/api/v1/report-requests/", "method": "GET"}),
    )
    assert disturbed.fetched(pulls).delivered == pulls
    assert sum(disturbed.slept) <= 30
    assert disturbed.faults().count("status") >= 3


@pytest.mark.fault_rows(29)
def test_29_a_request_that_is_not_valid_is_told_with_the_banks_reason(disturbed: DisturbedBank) -> None:
    with disturbed.connection() as bank, pytest.raises(ValidationRefusedError) as caught:
        bank.api.call(
            OPERATIONS["transactions.list"], "/api/v2/transactions/", query=(("limit", "canary-in-the-query"),)
        )
    assert caught.value.exit_code is ExitCode.CREDENTIALS_OR_SETTINGS
    assert "query.limit" in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.fault_rows(30)
def test_30_a_pocket_that_is_closed_to_us_bars_no_other(disturbed: DisturbedBank) -> None:
    closed, *others = [str(row["id"]) for row in disturbed.rows(listings.pockets()) if row["status"] == "OPEN"]
    disturbed.disturb(
        rule("status", status=403, body={"detail": "forbidden"}, match={"path": "/api/*", "body": closed}),
        rule(
            "status", status=403, body={"detail": "forbidden"}, match={"path": "/api/*", "query": {"pocket[]": closed}}
        ),
    )
    outcome = disturbed.fetched(disturbed.statements(closed, *others))
    assert {pull.pocket_id for pull in outcome.delivered} == set(others)
    assert [pull for pull, _ in outcome.refused] == disturbed.statements(closed)
    assert outcome.barred is None
    with disturbed.connection() as bank:
        with pytest.raises(PermissionRefusedError) as caught:
            bank.first_and_last_activity(closed)
        assert bank.first_and_last_activity(others[0])[0] is not None
    assert caught.value.exit_code is ExitCode.NOT_PROVED


@pytest.mark.fault_rows(31)
@pytest.mark.parametrize("status", [402, 418, 451])
def test_31_a_status_that_nobody_knows_is_named(disturbed: DisturbedBank, status: int) -> None:
    disturbed.disturb(rule("status", status=status, match=POCKETS))
    with pytest.raises(ContractBrokenError, match=f"{status}, which the contract does not know") as caught:
        disturbed.ids()
    assert caught.value.exit_code is ExitCode.NOT_PROVED
    assert disturbed.faults() == ["status"]


@pytest.mark.fault_rows(136)
def test_136_when_nothing_is_left_the_reset_is_waited_for(disturbed: DisturbedBank) -> None:
    disturbed.disturb(rule("rate_headers", limit=120, remaining=0, reset_in=20, match={**POCKETS, "nth": 1}))
    with disturbed.connection() as bank:
        for _ in range(2):
            list(bank.pages(listings.pockets()))
    (waited,) = disturbed.slept
    assert 18 <= waited <= 21


@pytest.mark.fault_rows(137)
@pytest.mark.parametrize("args", [{"reset_in": -30}, {"milliseconds": True}, {"reset": "soon"}])
def test_137_a_reset_that_makes_no_sense_stops_nobody(disturbed: DisturbedBank, args: dict[str, object]) -> None:
    disturbed.disturb(rule("rate_headers", limit=120, remaining=0, match=POCKETS, **args))
    with disturbed.connection() as bank:
        for _ in range(2):
            list(bank.pages(listings.pockets()))
    assert disturbed.slept == []


@pytest.mark.fault_rows(138)
@pytest.mark.parametrize("to", ["http", "evil"])
def test_138_a_redirect_is_not_followed(disturbed: DisturbedBank, to: str) -> None:
    disturbed.disturb(rule("redirect", to=to, match=POCKETS))
    with pytest.raises(JikoPipelineError, match="redirects are not followed"):
        disturbed.ids()
    assert disturbed.faults() == ["redirect"]
    assert disturbed.reached_evil() == []
