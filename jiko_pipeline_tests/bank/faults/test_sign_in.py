"""Rows 32 to 43, 132, 133, 135 and 141 of the fault matrix: tokens, assertions, scopes, clocks, secrets."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest

from jiko_pipeline.bank import listings
from jiko_pipeline.bank.contract import OutputFormat, ReportType
from jiko_pipeline.bank.errors import AuthenticationError, PermissionRefusedError, ScopeError, ValidationRefusedError
from jiko_pipeline.bank.order_book import OrderBook
from jiko_pipeline.bank.orders import fetch_reports
from jiko_pipeline.bank.report_requests import ReportPull
from jiko_pipeline.errors import ExitCode, SettingsError
from jiko_pipeline.settings import load_settings
from jiko_pipeline_tests.bank.chaos_client import DisturbedBank
from jiko_pipeline_tests.bank.chaos_rig import rule

TOKEN = {"path": "/api/oauth2/token"}
POCKETS = {"path": "/api/v2/pockets/"}
DAY = date(2024, 7, 16)


def sign_ins(disturbed: DisturbedBank) -> int:
    """How often the token endpoint took an assertion in and looked at it."""
    return disturbed.calls("token")


@pytest.mark.fault_rows(32)
def test_32_a_token_that_ends_between_two_pages_is_renewed_once(disturbed: DisturbedBank) -> None:
    before = sign_ins(disturbed)
    with disturbed.connection(page_limit=1) as bank:
        pages = bank.pages(listings.pockets())
        next(pages)
        disturbed.pass_time(901)
        assert [page.is_last for page in pages] == [False, False, True]
        assert bank.calls["sign_in"] == 2
    assert sign_ins(disturbed) - before == 2


@pytest.mark.fault_rows(33)
def test_33_a_token_that_ends_during_a_wait_is_not_sent_again(disturbed: DisturbedBank) -> None:
    disturbed.disturb(
        rule("token_life", seconds=60),
        rule("status", status=429, headers={"Retry-After": "100"}, match={**POCKETS, "nth": 1}),
    )
    with disturbed.connection() as bank:
        assert len(list(bank.pages(listings.pockets()))) == 1
        assert bank.calls["sign_in"] == 2
    assert disturbed.slept == [100.0]


@pytest.mark.fault_rows(34)
def test_34_a_revoked_token_is_replaced_once_and_a_second_refusal_ends_it(disturbed: DisturbedBank) -> None:
    undisturbed = disturbed.ids()
    disturbed.disturb(rule("revoke_token", match={**POCKETS, "nth": 1}))
    assert disturbed.ids() == undisturbed
    disturbed.disturb(rule("revoke_token", match=POCKETS))
    with pytest.raises(AuthenticationError) as caught:
        disturbed.ids()
    assert caught.value.exit_code is ExitCode.CREDENTIALS_OR_SETTINGS
    assert disturbed.faults() == ["revoke_token"] * 3


@pytest.mark.fault_rows(35)
@pytest.mark.parametrize("status", [429, 500])
def test_35_a_sign_in_that_fails_once_is_tried_again(disturbed: DisturbedBank, status: int) -> None:
    undisturbed = disturbed.ids()
    disturbed.disturb(rule("status", status=status, match={**TOKEN, "nth": 1}))
    assert disturbed.ids() == undisturbed
    assert disturbed.faults() == ["status"]


@pytest.mark.fault_rows(36)
def test_36_a_refused_sign_in_ends_it_without_a_loop(disturbed: DisturbedBank) -> None:
    disturbed.disturb(rule("token_error", error="invalid_grant"))
    with pytest.raises(AuthenticationError, match="invalid_grant") as caught:
        disturbed.ids()
    assert caught.value.exit_code is ExitCode.CREDENTIALS_OR_SETTINGS
    assert disturbed.faults() == ["token_error"]


@pytest.mark.fault_rows(37)
def test_37_a_token_outlives_no_process_so_each_run_signs_in_anew(disturbed: DisturbedBank) -> None:
    with disturbed.connection() as bank:
        bank.sign_in()
        token = bank.api._auth.token()  # type: ignore[union-attr]
    kept = [file for file in Path(disturbed.directory).rglob("*") if file.is_file()]
    assert kept
    assert not [file for file in kept if token.encode() in file.read_bytes()]
    before = sign_ins(disturbed)
    assert disturbed.ids()
    assert sign_ins(disturbed) - before == 1


@pytest.mark.fault_rows(38)
def test_38_eight_threads_at_the_end_of_a_token_renew_it_once(disturbed: DisturbedBank) -> None:
    with disturbed.connection(threads=8) as bank, ThreadPoolExecutor(8) as pool:
        bank.sign_in()
        disturbed.pass_time(901)
        found = list(pool.map(lambda _: len(list(bank.pages(listings.pockets()))), range(8)))
        assert found == [1] * 8
        assert bank.calls["sign_in"] == 2


@pytest.mark.fault_rows(39)
@pytest.mark.parametrize("args", [{"absent": True}, {"value": 0}, {"value": "soon"}, {"value": -900}])
def test_39_a_lifetime_that_makes_no_sense_causes_no_storm(disturbed: DisturbedBank, args: dict[str, object]) -> None:
    disturbed.disturb(rule("token_expires_in", **args))
    with disturbed.connection() as bank:
        for _ in range(5):
            list(bank.pages(listings.pockets()))
        assert bank.calls["sign_in"] == 1


@pytest.mark.fault_rows(40)
@pytest.mark.parametrize("milliseconds", [500, pytest.param(20_000, marks=pytest.mark.soak)])
def test_40_all_wait_for_a_slow_sign_in_and_none_fails(disturbed: DisturbedBank, milliseconds: int) -> None:
    # It is real time, in which eight threads come to wait.
    disturbed.disturb(rule("latency", ms=milliseconds, match=TOKEN))
    with disturbed.connection(threads=8) as bank, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: len(list(bank.pages(listings.pockets()))), range(8)))
        assert found == [1] * 8
        assert bank.calls["sign_in"] == 1


@pytest.mark.fault_rows(42)
def test_42_what_the_token_endpoint_repeats_is_written_nowhere(
    disturbed: DisturbedBank, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    disturbed.disturb(rule("token_error", status=401, error="invalid_client", echo=True))
    with pytest.raises(AuthenticationError) as caught:
        disturbed.ids()
    said = f"{caught.value}{caught.value.remedy}{caught.value!r}{caplog.text}"
    # A signed assertion begins with the JSON of its header.
    assert "invalid_client" in said
    assert "eyJ" not in said
    assert "client_assertion" not in said


@pytest.mark.fault_rows(43)
def test_43_a_scope_that_is_missing_is_named(disturbed: DisturbedBank) -> None:
    disturbed.disturb(rule("scope_reduced", without=["pockets.read"]))
    with pytest.raises(ScopeError, match=r"lack the scope pockets\.read") as caught:
        disturbed.ids()
    assert caught.value.exit_code is ExitCode.CREDENTIALS_OR_SETTINGS
    assert not isinstance(caught.value, PermissionRefusedError)
    assert "pockets.read" in caught.value.remedy


@pytest.mark.fault_rows(132)
@pytest.mark.parametrize("minutes", [-10, 10])
def test_132_a_bank_whose_clock_is_off_is_signed_in_at_by_its_clock(disturbed: DisturbedBank, minutes: int) -> None:
    disturbed.disturb(rule("clock_skew", minutes=minutes))
    with disturbed.connection() as bank:
        assert len(list(bank.pages(listings.pockets()))) == 1
        assert bank.clock_skew_seconds == pytest.approx(minutes * 60, abs=5)
        assert bank.calls["sign_in"] == 2


@pytest.mark.fault_rows(133)
def test_133_a_sign_in_whose_answer_was_lost_is_signed_anew(disturbed: DisturbedBank) -> None:
    undisturbed = disturbed.ids()
    disturbed.disturb(rule("reset_peer", match={**TOKEN, "nth": 1}))
    before = sign_ins(disturbed)
    assert disturbed.ids() == undisturbed
    # The bank saw both assertions and refuses one that it has seen before.
    assert sign_ins(disturbed) - before == 2


@pytest.mark.fault_rows(135)
@pytest.mark.parametrize(
    ("environment", "setting", "url"),
    [
        ("production", "auth_url", "https://authentication-portal.sandbox-api.jikoservices.com"),
        ("production", "api_url", "https://customer-api.sandbox-api.jikoservices.com"),
        ("sandbox", "auth_url", "https://auth.jiko.io/"),
        ("sandbox", "api_url", "https://api.business.jiko.io"),
    ],
)
def test_135_an_address_of_another_environment_is_refused_before_anything_is_sent(
    environment: str, setting: str, url: str
) -> None:
    with pytest.raises(SettingsError, match=f"JIKO_{setting.upper()} is an address of") as caught:
        load_settings(
            environment=environment, client_id="c", key_id="k", private_key_file=Path("key.pem"), **{setting: url}
        )
    assert caught.value.exit_code is ExitCode.CREDENTIALS_OR_SETTINGS


@pytest.mark.fault_rows(141)
def test_141_an_input_that_the_bank_repeats_is_not_repeated_by_us(
    disturbed: DisturbedBank, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    disturbed.disturb(rule("echo_input", secret="canary-of-the-bank", match=POCKETS))
    with pytest.raises(ValidationRefusedError) as caught:
        disturbed.ids()
    said = f"{caught.value}{caught.value.detail}{caught.value!r}{caplog.text}"
    assert "422" in said
    assert "canary" not in said
    assert "Bearer" not in said


@pytest.mark.fault_rows(149)
def test_149_without_the_scope_of_orders_nothing_is_ordered_and_everything_else_is_read(
    disturbed: DisturbedBank,
) -> None:
    pocket, *_ = disturbed.ids()
    disturbed.disturb(rule("scope_reduced", without=["reports.write"]))
    days = [DAY - timedelta(days=n) for n in (0, 1, 4, 5, 6, 7)]
    pulls = [ReportPull(ReportType.BANK_STATEMENT, (OutputFormat.CAMT053,), pocket, day, day) for day in days]
    before = disturbed.calls("create_report_request")
    with disturbed.connection(threads=1) as bank, OrderBook(bank.settings.order_book_file) as book:
        outcome = fetch_reports(bank, book, pulls, lambda report: None)
        assert len(list(bank.pages(listings.transactions(DAY, DAY)))) == 1
        # Nothing is claimed: the run after the scope was granted orders them all.
        assert book.open_pulls() == []
    assert outcome.barred is not None
    assert "reports.write" in str(outcome.barred)
    assert len(outcome.refused) == len(pulls)
    assert disturbed.calls("create_report_request") - before == 1
