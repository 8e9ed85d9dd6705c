"""Signing in at the simulated bank over HTTP."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import OKPKey, RSAKey

from jiko_pipeline.simulator.serve import ServeOptions, ServeRefusedError
from jiko_pipeline_tests.bank.simulator_rig import ServedBank, again, served


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBank]:
    with served(ServeOptions(tmp_path_factory.mktemp("bank")), signed_in=False) as running:
        yield running


def _rsa_pair(directory: Path, bits: int) -> tuple[RSAKey, Path]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    file = directory / f"rsa-{bits}.pub.pem"
    file.write_bytes(
        private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return RSAKey.import_key(pem), file


def test_an_assertion_signed_with_the_registered_key_gets_a_bearer_token_of_900_seconds(
    bank: ServedBank,
) -> None:
    answer = bank.ask_token(bank.assertion(), scope="pockets.read reports.read")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == (
        "Bearer",
        900,
        "pockets.read reports.read",
    )
    assert answer.headers["Cache-Control"] == "no-store"
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert bank.plain.get(f"{bank.announcement['api_url']}/api/v2/pockets/", headers=headers).status_code == 200


def test_an_rsa_client_signs_in_with_ps256_and_not_with_rs256(tmp_path: Path) -> None:
    private, file = _rsa_pair(tmp_path, 2048)
    options = ServeOptions(tmp_path / "state", clients=(("test-client", file),))
    with served(options) as bank:
        assert "private_key_file" not in bank.announcement
        assert bank.ask_token(bank.assertion(key=private, algorithm="PS256")).status_code == 200
        refused = bank.ask_token(bank.assertion(key=private, algorithm="RS256"))
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_a_short_rsa_key_is_not_registered(tmp_path: Path) -> None:
    _, file = _rsa_pair(tmp_path, 1024)
    options = ServeOptions(tmp_path / "state", clients=(("test-client", file),))
    with pytest.raises(ServeRefusedError, match="2048 bits") as refusal, served(options):
        pass
    assert refusal.value.exit_code == 40


def test_an_assertion_is_accepted_once_even_after_a_restart(tmp_path: Path) -> None:
    options = ServeOptions(tmp_path / "state")
    with served(options, signed_in=False) as bank:
        port = int(bank.announcement["api_url"].rpartition(":")[2])
        assertion = bank.assertion()
        assert bank.ask_token(assertion).status_code == 200
        assert bank.ask_token(assertion).json()["error"] == "invalid_client"
    with served(again(options, port=port), signed_in=False) as bank:
        refused = bank.ask_token(assertion)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"aud": "https://auth.jiko.io/api/oauth2/token"}, "aud"),
        ({"iss": "someone-else"}, "iss"),
        ({"sub": "someone-else"}, "sub"),
        ({"exp": 1_000_000_000}, "expired"),
        ({"exp": None}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": time.time() + 3600}, "5 minutes"),
        ({"iat": time.time() + 3600}, "iat"),
        ({"iat": None}, "iat"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
    ],
)
def test_an_assertion_with_a_wrong_claim_is_refused_and_not_repeated(
    bank: ServedBank, wrong: dict[str, Any], word: str
) -> None:
    assertion = bank.assertion(**wrong)
    refused = bank.ask_token(assertion)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert word in refused.json()["error_description"]
    assert assertion not in refused.text


def test_an_assertion_may_be_thirty_seconds_late(bank: ServedBank) -> None:
    now = bank.now().timestamp()
    assert bank.ask_token(bank.assertion(iat=now - 60, exp=now - 20)).status_code == 200
    assert bank.ask_token(bank.assertion(iat=now - 90, exp=now - 40)).status_code == 401


def test_an_assertion_signed_with_another_key_is_refused(bank: ServedBank) -> None:
    refused = bank.ask_token(bank.assertion(key=OKPKey.generate_key("Ed25519")))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("assertion", ["", "not-a-token", "a.b.c", "e30.e30."])
def test_what_is_no_signed_assertion_is_refused(bank: ServedBank, assertion: str) -> None:
    assert bank.ask_token(assertion).status_code in (400, 401)


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
        ({"client_assertion_type": "something"}, 400, "invalid_request"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"scope": "pockets.read everything"}, 400, "invalid_scope"),
    ],
)
def test_a_wrong_form_field_is_refused_with_the_oauth_word_for_it(
    bank: ServedBank, fields: dict[str, str], status: int, error: str
) -> None:
    refused = bank.ask_token(bank.assertion(), **fields)
    assert (refused.status_code, refused.json()["error"]) == (status, error)


def test_a_token_request_that_is_no_form_is_refused(bank: ServedBank) -> None:
    refused = bank.http.post("/api/oauth2/token", json={"grant_type": "client_credentials"})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def test_a_token_ends_after_fifteen_minutes_of_the_banks_clock(tmp_path: Path) -> None:
    with served(ServeOptions(tmp_path / "state")) as bank:
        bank.move_clock(seconds=895)
        assert bank.http.get("/api/v2/pockets/").status_code == 200
        bank.move_clock(seconds=10)
        refused = bank.http.get("/api/v2/pockets/")
        assert (refused.status_code, refused.json()) == (401, {"detail": "Not authenticated"})


def test_a_token_outlives_a_restart(tmp_path: Path) -> None:
    options = ServeOptions(tmp_path / "state")
    with served(options) as bank:
        token = bank.http.headers["Authorization"]
    with served(options, signed_in=False) as bank:
        assert bank.http.get("/api/v2/pockets/", headers={"Authorization": token}).status_code == 200


def test_a_token_without_the_scope_of_an_operation_is_refused_with_403(bank: ServedBank) -> None:
    token = bank.ask_token(bank.assertion(), scope="pockets.read reports.read").json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    body = {
        "report_type": "TRADE_REPORT",
        "output_formats": ["CSV"],
        "date_from": "2024-06-03",
        "date_to": "2024-06-04",
    }
    assert bank.http.get("/api/v1/report-requests/", headers=headers).status_code == 200
    refused = bank.http.post("/api/v1/report-requests/", json=body, headers=headers)
    assert refused.status_code == 403
    assert "reports.write" in refused.json()["detail"]


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer nonsense", "Basic bm9ib2R5Og=="])
def test_a_request_without_a_valid_token_is_refused_with_401(bank: ServedBank, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    refused = bank.plain.get(f"{bank.announcement['api_url']}/api/v2/transactions/", headers=headers)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_no_token_and_no_assertion_is_kept_in_clear(tmp_path: Path) -> None:
    options = ServeOptions(tmp_path / "state")
    with served(options, signed_in=False) as bank:
        assertion = bank.assertion()
        token = bank.ask_token(assertion).json()["access_token"]
        kept = b"".join(file.read_bytes() for file in options.state_dir.iterdir() if file.name != "client_key.pem")
    assert token.encode() not in kept
    assert assertion.encode() not in kept
