"""Signing in at a bank that checks every assertion: keys, renewal, refusals, clocks."""

import os
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jiko_pipeline.bank import listings
from jiko_pipeline.bank.connection import Bank, connect
from jiko_pipeline.bank.errors import (
    AuthenticationError,
    ContractBrokenError,
    RateLimitedError,
    ScopeError,
    UnavailableError,
)
from jiko_pipeline.errors import ExitCode, SettingsError
from jiko_pipeline.settings import Settings
from jiko_pipeline_tests.bank.second_bank import Reply, SecondBank, StillClock, write_key

TOKEN = "POST /api/oauth2/token"
POCKETS = "/api/v2/pockets/"
Make = Callable[..., Settings]


@pytest.fixture(autouse=True)
def _one_pocket(second_bank: SecondBank) -> None:
    second_bank.handlers["GET", POCKETS] = lambda _seen: Reply(200, {"items": [], "next_page": None})


def ask(bank: Bank) -> None:
    list(bank.pages(listings.pockets()))


def test_an_ed25519_key_signs_in(second_bank: SecondBank, settings_for: Make, still: StillClock) -> None:
    with connect(settings_for(), clock=still.clock) as bank:
        ask(bank)
        assert bank.calls["sign_in"] == 1
    assert len(second_bank.calls(f"GET {POCKETS}")) == 1


def test_an_rsa_key_signs_in(second_bank: SecondBank, settings_for: Make, still: StillClock, tmp_path: Path) -> None:
    file = tmp_path / "rsa.pem"
    second_bank.public_key = write_key(file, rsa=True)
    with connect(settings_for(private_key_file=file), clock=still.clock) as bank:
        ask(bank)
    assert len(second_bank.calls(f"GET {POCKETS}")) == 1


@pytest.mark.fault_rows(134)
@pytest.mark.fault_rows(131)
def test_a_key_that_others_can_read_is_refused_with_the_command_to_run(settings_for: Make) -> None:
    settings = settings_for()
    assert settings.private_key_file is not None
    settings.private_key_file.chmod(0o640)
    with pytest.raises(SettingsError) as caught, connect(settings):
        pass
    assert caught.value.remedy == f"Run: chmod 600 {settings.private_key_file}"


@pytest.mark.fault_rows(134)
@pytest.mark.parametrize(
    "content", [b"", b"no key at all", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_holds_no_key_is_refused(settings_for: Make, content: bytes) -> None:
    settings = settings_for()
    assert settings.private_key_file is not None
    settings.private_key_file.write_bytes(content)
    with pytest.raises(SettingsError, match="no usable private key"), connect(settings):
        pass


@pytest.mark.fault_rows(134)
def test_a_missing_key_is_refused(settings_for: Make, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"), connect(settings_for(private_key_file=tmp_path / "no")):
        pass


def test_the_token_is_used_again_until_half_of_its_life_is_over(settings_for: Make, still: StillClock) -> None:
    with connect(settings_for(), clock=still.clock) as bank:
        ask(bank)
        still.advance(449)
        ask(bank)
        assert bank.calls["sign_in"] == 1
        still.advance(2)
        ask(bank)
        assert bank.calls["sign_in"] == 2


@pytest.mark.fault_rows(39)
@pytest.mark.parametrize("lifetime", [None, 0, -5, "soon", "NaN", True, 10**12])
def test_a_lifetime_that_makes_no_sense_causes_no_storm(
    second_bank: SecondBank, settings_for: Make, still: StillClock, lifetime: object
) -> None:
    second_bank.expires_in = lifetime
    with connect(settings_for(), clock=still.clock) as bank:
        for _ in range(5):
            ask(bank)
        assert bank.calls["sign_in"] == 1


def test_eight_threads_at_once_sign_in_once(second_bank: SecondBank, settings_for: Make, still: StillClock) -> None:
    with connect(settings_for(threads=8), clock=still.clock) as bank:
        threads = [threading.Thread(target=ask, args=(bank,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert bank.calls["sign_in"] == 1
    assert len(second_bank.calls(f"GET {POCKETS}")) == 8


def test_a_revoked_token_is_replaced_once(second_bank: SecondBank, settings_for: Make, still: StillClock) -> None:
    with connect(settings_for(), clock=still.clock) as bank:
        ask(bank)
        second_bank.tokens.clear()
        ask(bank)
        assert bank.calls["sign_in"] == 2


@pytest.mark.fault_rows(34)
def test_a_fresh_token_that_is_refused_too_ends_in_exit_40(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    second_bank.plant(f"GET {POCKETS}", *[Reply(401, {"detail": "no"})] * 2)
    with connect(settings_for(), clock=still.clock) as bank, pytest.raises(AuthenticationError) as caught:
        ask(bank)
    assert caught.value.exit_code == ExitCode.CREDENTIALS_OR_SETTINGS
    assert len(second_bank.calls(f"GET {POCKETS}")) == 2


@pytest.mark.fault_rows(133)
def test_each_try_signs_a_new_assertion(second_bank: SecondBank, settings_for: Make, still: StillClock) -> None:
    # The bank takes the assertion in and then fails: repeating it would be refused as a replay.
    def fail_after_taking(seen: object) -> Reply:
        second_bank.sign_in(seen)  # type: ignore[arg-type]  # what the server passes is a Seen
        return Reply(503, {})

    second_bank.plant(TOKEN, fail_after_taking, fail_after_taking)
    with connect(settings_for(), clock=still.clock) as bank:
        ask(bank)
        assert bank.calls["sign_in"] == 3
    assert len(second_bank.jti) == 3


@pytest.mark.fault_rows(41, 132)
@pytest.mark.parametrize("minutes", [-60, -10, 10, 60])
def test_a_wrong_clock_here_is_corrected_by_the_date_of_the_bank(
    second_bank: SecondBank,
    settings_for: Make,
    still: StillClock,
    minutes: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(second_bank, "server_now", lambda: still.now + timedelta(minutes=minutes))
    with connect(settings_for(), clock=still.clock) as bank:
        ask(bank)
        assert bank.calls["sign_in"] == 2
        assert bank.clock_skew_seconds == pytest.approx(60 * minutes, abs=1)


@pytest.mark.fault_rows(134)
def test_an_unknown_key_is_refused_without_a_second_try(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    settings = settings_for()
    second_bank.plant(TOKEN, Reply(400, {"error": "invalid_client", "error_description": "key unknown"}))
    with connect(settings, clock=still.clock) as bank, pytest.raises(AuthenticationError) as caught:
        ask(bank)
    assert "key-1" in str(caught.value)
    assert "invalid_client" in str(caught.value)
    assert len(second_bank.calls(TOKEN)) == 1


@pytest.mark.fault_rows(43)
def test_scopes_that_are_not_granted_are_named(second_bank: SecondBank, settings_for: Make, still: StillClock) -> None:
    second_bank.plant(TOKEN, Reply(400, {"error": "invalid_scope"}))
    with connect(settings_for(), clock=still.clock) as bank, pytest.raises(ScopeError) as caught:
        ask(bank)
    assert "reports.write" in caught.value.remedy


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"access_token": ""},
        {"access_token": 7},
        {"access_token": "a\nb"},
        {"access_token": "t", "token_type": "DPoP"},
    ],
)
def test_an_answer_without_a_usable_token_breaks_the_contract(
    second_bank: SecondBank, settings_for: Make, still: StillClock, document: object
) -> None:
    second_bank.plant(TOKEN, Reply(200, document))
    with connect(settings_for(), clock=still.clock) as bank, pytest.raises(ContractBrokenError):
        ask(bank)


def test_a_bank_that_cannot_be_signed_in_at_is_given_up_after_five_tries(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    second_bank.plant(TOKEN, *[Reply(502, {})] * 5)
    with connect(settings_for(), clock=still.clock) as bank, pytest.raises(UnavailableError, match="5 tries"):
        ask(bank)
    assert still.elapsed < 120


def test_a_long_wait_asked_for_is_told_and_not_slept(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    second_bank.plant(TOKEN, Reply(429, {}, {"Retry-After": "86400"}))
    with connect(settings_for(), clock=still.clock) as bank, pytest.raises(RateLimitedError) as caught:
        ask(bank)
    assert caught.value.retry_at == still.now + timedelta(days=1)
    assert still.slept == []


@pytest.mark.filterwarnings("error")
def test_too_short_an_rsa_key_is_refused_in_one_sentence(settings_for: Make, tmp_path: Path) -> None:
    file = tmp_path / "short.pem"
    short = rsa.generate_private_key(65537, 1024)
    file.touch(mode=0o600)
    file.write_bytes(short.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with (
        pytest.raises(SettingsError, match="1024 bits; at least 2048") as caught,
        connect(settings_for(private_key_file=file)),
    ):
        pass
    assert caught.value.exit_code is ExitCode.CREDENTIALS_OR_SETTINGS


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_key_file_that_is_no_regular_file_is_not_read(
    settings_for: Make, tmp_path: Path, make: Callable[[Path, int], None]
) -> None:
    make(tmp_path / "key", 0o600)
    with (
        pytest.raises(SettingsError, match="no regular file"),
        connect(settings_for(private_key_file=tmp_path / "key")),
    ):
        pass
