"""`jiko doctor`: each check finds what was made wrong, names a remedy, and shows no secret."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from jiko_pipeline.bank.clock import SYSTEM_CLOCK, Clock
from jiko_pipeline.bank.contract import JIKO
from jiko_pipeline.errors import ExitCode
from jiko_pipeline.pipeline.doctor.configuration import (
    check_hosts,
    check_key,
    check_settings,
    check_variables,
    check_webhook_secret,
)
from jiko_pipeline.pipeline.doctor.connection import NEEDED_DAILY, check_bank, check_scopes
from jiko_pipeline.pipeline.doctor.examination import examine
from jiko_pipeline.pipeline.doctor.findings import Finding, Grade
from jiko_pipeline.pipeline.doctor.machine import (
    check_calendars,
    check_directory,
    check_disk,
    check_lock,
    check_world,
)
from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline.warehouse.lock import writer_lock
from jiko_pipeline_tests.bank.simulator_rig import ServedBank, served
from jiko_pipeline_tests.reading.jiko_runs import Directory

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
Make = Callable[..., Settings]


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def real(tmp_path: Path) -> Make:
    """Settings for a real bank whose every check is OK."""
    key = Ed25519PrivateKey.generate()
    write_key(tmp_path / "key.pem", key)

    def make(**overrides: object) -> Settings:
        return load_settings(
            **{
                "environment": "sandbox",
                "client_id": "client-4711",
                "private_key_file": tmp_path / "key.pem",
                "key_id": "key-1",
                "download_hosts": "files.example,.cdn.example,localhost:8443",
                "data_dir": tmp_path / "data",
                **overrides,
            }
        )

    return make


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBank]:
    """A simulated bank that answers."""
    state = tmp_path_factory.mktemp("doctor") / "bank"
    with served(ServeOptions(state_dir=state, config=WorldConfig(pockets=1))) as bank:
        yield bank


@pytest.fixture
def client(bank: ServedBank, tmp_path: Path) -> Settings:
    """Settings that lead to that bank."""
    told = bank.announcement
    return load_settings(
        api_url=told["api_url"],
        auth_url=told["auth_url"],
        download_hosts=told["storage_host"],
        client_id=told["client_id"],
        private_key_file=told["private_key_file"],
        key_id=told["key_id"],
        data_dir=tmp_path / "data",
    )


def write_key(file: Path, key: Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    file.touch(mode=0o600)
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def grades(findings: list[Finding]) -> dict[str, Grade]:
    """The grade of each check, the last one where there are several."""
    return {finding.check: finding.grade for finding in findings}


def assert_found(finding: Finding, grade: Grade, exit_code: ExitCode, *words: str) -> None:
    assert (finding.grade, finding.exit_code) == (grade, exit_code), finding
    assert finding.remedy
    for word in words:
        assert word in finding.says


def test_a_real_bank_with_good_settings_has_no_finding(real: Make) -> None:
    settings = real()
    findings = [*check_settings(settings, NOW), check_key(settings), *check_hosts(settings)]
    assert [finding.grade for finding in findings] == [Grade.OK] * 3
    assert all(finding.remedy is None for finding in findings)


@pytest.mark.parametrize(
    ("overrides", "grade", "word"),
    [
        ({"start_date": "2026-03-03"}, Grade.FAIL, "yet to come"),
        ({"poll_base_seconds": 9, "poll_cap_seconds": 3}, Grade.WARN, "longer than the longest"),
        ({"simulator_pockets": 9}, Grade.WARN, "JIKO_SIMULATOR_POCKETS"),
        ({"environment": "simulator"}, Grade.WARN, "JIKO_CLIENT_ID"),
        ({"environment": "simulator", "api_url": "http://localhost:1", "key_id": None}, Grade.FAIL, "JIKO_KEY_ID"),
    ],
)
def test_a_contradiction_is_found(overrides: dict[str, object], grade: Grade, word: str, real: Make) -> None:
    (finding,) = check_settings(real(**overrides), NOW)
    code = ExitCode.CREDENTIALS_OR_SETTINGS if grade is Grade.FAIL else ExitCode.OK
    assert_found(finding, grade, code, word)


def test_a_variable_that_is_no_setting_is_named_with_the_nearest_setting() -> None:
    names = ["PATH", "JIKO_THREADS", "jiko_data_dir", "JIKO_FAILPOINT", "JIKO_START_DAY", "JIKO_PRIVATE_KEYFILE"]
    key, day = check_variables(names)
    assert_found(key, Grade.WARN, ExitCode.OK, "JIKO_PRIVATE_KEYFILE")
    assert "JIKO_PRIVATE_KEY_FILE" in str(key.remedy)
    assert_found(day, Grade.WARN, ExitCode.OK, "JIKO_START_DAY")
    assert "JIKO_START_DATE" in str(day.remedy)


def test_a_misspelt_variable_is_named_beside_the_setting_that_is_missed_and_its_value_is_not(tmp_path: Path) -> None:
    variables = {"JIKO_ENVIRONMENT": "sandbox", "JIKO_KEYID": "key-4711"}
    answer = Directory(tmp_path / "data", tmp_path, variables).jiko("doctor", "--json")
    missed, misspelt = answer.json["findings"]
    assert (missed["grade"], misspelt["grade"]) == ("FAIL", "WARN")
    assert "JIKO_KEY_ID" in missed["says"]
    assert "JIKO_KEYID" in misspelt["says"]
    assert "JIKO_KEY_ID" in misspelt["remedy"]
    assert "4711" not in answer.out + answer.err


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_key_or_secret_that_is_no_regular_file_is_found_and_not_read(
    make: Callable[[Path, int], None], real: Make, tmp_path: Path
) -> None:
    make(tmp_path / "odd", 0o600)
    settings = real(private_key_file=tmp_path / "odd", webhook_secret_file=tmp_path / "odd")
    for finding in (check_key(settings), *check_webhook_secret(settings)):
        assert_found(finding, Grade.FAIL, ExitCode.CREDENTIALS_OR_SETTINGS, "no regular file")


def test_a_key_that_others_can_read_is_found(real: Make, tmp_path: Path) -> None:
    (tmp_path / "key.pem").chmod(0o640)
    finding = check_key(real())
    assert_found(finding, Grade.FAIL, ExitCode.CREDENTIALS_OR_SETTINGS, "read by other users")
    assert finding.remedy == f"Run: chmod 600 {tmp_path / 'key.pem'}"


def test_a_key_that_others_can_replace_is_found(real: Make, tmp_path: Path) -> None:
    settings = real()
    tmp_path.chmod(0o777)
    assert_found(check_key(settings), Grade.WARN, ExitCode.OK, "can replace")


@pytest.mark.parametrize(
    ("key", "grade", "word"),
    [
        (rsa.generate_private_key(public_exponent=65537, key_size=2048), Grade.OK, "RSA of 2048 bits"),
        (rsa.generate_private_key(public_exponent=65537, key_size=1024), Grade.FAIL, "1024 bits"),
        (ec.generate_private_key(ec.SECP256R1()), Grade.FAIL, "key-1"),
    ],
    ids=["rsa", "short rsa", "another curve"],
)
@pytest.mark.filterwarnings("error")
def test_the_kind_of_the_key_is_told(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, grade: Grade, word: str, real: Make, tmp_path: Path
) -> None:
    write_key(tmp_path / "key.pem", key)
    finding = check_key(real())
    assert finding.grade is grade
    assert word in finding.says


@pytest.mark.parametrize(
    ("hosts", "grade"),
    [
        ("", Grade.FAIL),
        ("https://files.example", Grade.FAIL),
        ("files.example/path", Grade.FAIL),
        ("*.files.example", Grade.FAIL),
        ("files.example,", Grade.OK),
        (".example", Grade.WARN),
    ],
)
def test_the_allow_list_is_examined(hosts: str, grade: Grade, real: Make) -> None:
    (finding,) = check_hosts(real(download_hosts=hosts))
    assert finding.grade is grade


def test_a_webhook_secret_that_others_can_read_or_that_is_too_short_is_found(real: Make, tmp_path: Path) -> None:
    secret = tmp_path / "webhook-secret"
    settings = real(webhook_secret_file=secret)
    assert check_webhook_secret(real()) == []
    assert_found(check_webhook_secret(settings)[0], Grade.FAIL, ExitCode.CREDENTIALS_OR_SETTINGS, "cannot be read")
    secret.write_text("4711")
    secret.chmod(0o644)
    (finding,) = check_webhook_secret(settings)
    assert_found(finding, Grade.FAIL, ExitCode.CREDENTIALS_OR_SETTINGS, "read by other users")
    assert "4711" not in finding.says
    secret.chmod(0o600)
    (finding,) = check_webhook_secret(settings)
    assert_found(finding, Grade.FAIL, ExitCode.CREDENTIALS_OR_SETTINGS, "one line of at least 16 characters")
    secret.write_text("4711471147114711")
    assert check_webhook_secret(settings)[0].grade is Grade.OK


def test_a_directory_that_others_can_enter_is_found(real: Make, tmp_path: Path) -> None:
    (tmp_path / "data" / "archive").mkdir(parents=True)
    (tmp_path / "data").chmod(0o750)
    (tmp_path / "data" / "archive").chmod(0o755)
    names = [finding.remedy for finding in check_directory(real())]
    assert names == [f"Run: chmod 700 {tmp_path / 'data'}", f"Run: chmod 700 {tmp_path / 'data' / 'archive'}"]
    group = check_directory(real(published_group_readable=True))
    assert [finding.remedy for finding in group] == [f"Run: chmod 700 {tmp_path / 'data' / 'archive'}"]


def test_a_directory_that_cannot_be_made_is_found(real: Make, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    (finding,) = check_directory(real(data_dir=tmp_path / "a-file" / "data"))
    assert_found(finding, Grade.FAIL, ExitCode.STORAGE, "cannot be written")


def test_a_directory_of_another_world_is_found(real: Make, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    world = {"environment": "production", "api_origin": "https://api.business.jiko.io", "world_id": "jiko"}
    (tmp_path / "data" / "world.json").write_text(json.dumps(world))
    assert_found(check_world(real()), Grade.FAIL, ExitCode.CREDENTIALS_OR_SETTINGS, "belongs to production")
    findings = examine(real, offline=False, now=NOW)
    assert findings[-1].says == "Not asked, for what failed above."


def test_too_small_a_disk_is_found(real: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    full = os.statvfs_result((4096, 4096, 10**9, 10**6, 10**4, 10**6, 10**6, 10**6, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: full)
    assert_found(check_disk(real()), Grade.FAIL, ExitCode.STORAGE, "39 MiB free")


def test_the_holder_of_the_lock_is_named(real: Make, tmp_path: Path) -> None:
    settings = real()
    room = tmp_path / "data" / "warehouse"
    room.mkdir(parents=True)
    assert check_lock(settings).says == "Nobody writes."
    with writer_lock(room / "writer.lock", 0):
        said = check_lock(settings).says
    assert said.startswith(f"process {os.getpid()}, since ")
    assert "writes to the warehouse" in said
    assert check_lock(settings).says == "Nobody writes."


def test_calendars_and_auctions_say_how_far_they_reach(real: Make) -> None:
    assert [finding.grade for finding in check_calendars(real(), datetime(2024, 6, 3, tzinfo=UTC))] == [Grade.OK] * 2
    holidays, auctions = check_calendars(real(), NOW)
    assert holidays.grade is Grade.OK
    assert_found(auctions, Grade.WARN, ExitCode.OK, "2024-08-08", "18 months ago")
    late = check_calendars(real(), datetime(2100, 2, 1, tzinfo=UTC))
    assert_found(late[0], Grade.WARN, ExitCode.OK, "11 months from now")


def test_a_bank_that_signs_us_in_has_no_finding(client: Settings) -> None:
    findings = check_bank(client)
    assert grades(findings) == dict.fromkeys(("bank", "clock", "token", "scopes"), Grade.OK)


def test_a_clock_that_is_wrong_is_found(client: Settings) -> None:
    late = Clock(
        wall=lambda: SYSTEM_CLOCK.wall() - timedelta(seconds=400),
        monotonic=SYSTEM_CLOCK.monotonic,
        sleep=SYSTEM_CLOCK.sleep,
    )
    clock = next(finding for finding in check_bank(client, clock=late) if finding.check == "clock")
    assert_found(clock, Grade.WARN, ExitCode.OK, "behind the bank's. Sign-ins correct for it.")


def test_a_scope_that_is_not_granted_is_named_with_what_it_costs(client: Settings) -> None:
    wanted = JIKO.model_copy(update={"scopes": (*JIKO.scopes, "ledger.read")})
    *_, token, scopes = check_bank(client, contract=wanted)
    assert_found(token, Grade.FAIL, ExitCode.CREDENTIALS_OR_SETTINGS, "does not grant the scopes")
    assert scopes.says == "The scope ledger.read is not granted; without it: nothing that is read."
    assert scopes.grade is Grade.WARN


def test_the_daily_scopes_cannot_be_missed(client: Settings) -> None:
    findings = check_scopes(JIKO, frozenset(JIKO.scopes) - {"pockets.read", "team.read"})
    assert [finding.grade for finding in findings] == [Grade.FAIL, Grade.WARN]
    assert "transactions, trading strategies, trades" in findings[0].says
    assert "team audits" in findings[1].says
    assert set(JIKO.scopes) >= NEEDED_DAILY


def test_a_key_that_the_bank_does_not_know_is_found(client: Settings, tmp_path: Path) -> None:
    write_key(tmp_path / "other.pem", Ed25519PrivateKey.generate())
    findings = check_bank(client.model_copy(update={"private_key_file": tmp_path / "other.pem"}))
    assert_found(findings[-1], Grade.FAIL, ExitCode.CREDENTIALS_OR_SETTINGS, "refused to sign us in")
    assert grades(findings)["clock"] is Grade.OK


def test_a_bank_that_does_not_answer_is_found(real: Make) -> None:
    gone = real(api_url="http://localhost:9", auth_url="http://localhost:9", request_deadline_seconds=0.2)
    findings = check_bank(gone)
    assert_found(findings[-1], Grade.FAIL, ExitCode.TRY_LATER, "localhost:9")


def test_the_command_without_a_network_is_a_line_a_check(tmp_path: Path) -> None:
    answer = Directory(tmp_path / "data", tmp_path).jiko_without_network("doctor", "--offline")
    assert answer.code == 0, answer
    assert [line.split()[0] for line in answer.out.splitlines()] == ["OK"] * 9
    assert not (tmp_path / "data").exists()


def test_the_command_answers_with_the_worst_and_shows_no_secret(tmp_path: Path) -> None:
    write_key(tmp_path / "key.pem", Ed25519PrivateKey.generate())
    secret = (tmp_path / "key.pem").read_text().splitlines()[1]
    answer = Directory(
        tmp_path / "data",
        tmp_path,
        {
            "JIKO_ENVIRONMENT": "sandbox",
            "JIKO_CLIENT_ID": "client-4711",
            "JIKO_KEY_ID": "key-1",
            "JIKO_PRIVATE_KEY_FILE": "key.pem",
        },
    ).jiko_without_network("doctor", "--offline", "--json")
    assert answer.code == ExitCode.CREDENTIALS_OR_SETTINGS
    assert answer.json["exit_code"] == answer.code
    failing = [finding["check"] for finding in answer.json["findings"] if finding["grade"] == "FAIL"]
    assert failing == ["download hosts"]
    assert secret not in answer.out + answer.err
    assert "client-4711" not in answer.out + answer.err


def test_settings_that_cannot_be_read_are_the_only_finding(tmp_path: Path) -> None:
    answer = Directory(tmp_path / "data", tmp_path, {"JIKO_THREADS": "many-4711"}).jiko("doctor", "--json")
    assert answer.code == ExitCode.CREDENTIALS_OR_SETTINGS
    (finding,) = answer.json["findings"]
    assert (finding["check"], finding["grade"]) == ("settings", "FAIL")
    assert "JIKO_THREADS" in finding["says"]
    assert "4711" not in answer.out
