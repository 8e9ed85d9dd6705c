"""People are told by command, webhook and mail: in words without accounts, once, on record, at no cost to the work."""

import email
import email.policy
import json
import os
import socketserver
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jiko_pipeline.bank.errors import UnavailableError
from jiko_pipeline.errors import SettingsError
from jiko_pipeline.notifying.notice import Notice, NoticeKind, masked, masked_name
from jiko_pipeline.notifying.record import entered, record_file
from jiko_pipeline.notifying.telling import tell, tell_of_breaks, tell_of_error, tell_of_failure, tell_of_late_day
from jiko_pipeline.settings import Settings, load_settings

ACCOUNT = "021000021987654"
NOW = datetime(2024, 7, 18, 13, 0, tzinfo=UTC)


class Received(list[Any]):
    """What a receiver was sent, and where it listens."""

    port: int = 0


@contextmanager
def serving(server: socketserver.BaseServer, received: Received) -> Iterator[Received]:
    received.port = server.server_address[1]  # type: ignore[index]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def web_server(status: int = 200) -> Iterator[Received]:
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, json.loads(body)))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    with serving(HTTPServer(("127.0.0.1", 0), Handler), received):
        yield received


@contextmanager
def mail_server(refuse: bytes = b"") -> Iterator[Received]:
    """Speaks as much SMTP as takes in a message; refuses addresses that contain `refuse`."""
    received = Received()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 ready\r\n")
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines: list[bytes] = []
                    while (text := self.rfile.readline()) != b".\r\n":
                        lines.append(text.removeprefix(b".") if text.startswith(b"..") else text)
                    received.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))
                elif word == b"RCPT" and refuse and refuse in line:
                    self.wfile.write(b"550 nobody\r\n")
                    continue
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")
                if word == b"QUIT":
                    return

    with serving(socketserver.TCPServer(("127.0.0.1", 0), Handler), received):
        yield received


def secret_file(path: Path, line: str) -> Path:
    path.write_text(f"{line}\n")
    path.chmod(0o600)
    return path


def settings_of(tmp_path: Path, **ways: Any) -> Settings:
    data = tmp_path / "data"
    data.mkdir(exist_ok=True)
    return load_settings(data_dir=data, **ways)


def publish_breaks(settings: Settings, *breaks: tuple[str, str, str, date, str]) -> None:
    """A published file with these breaks: (id, control, severity, day, status), of a pocket named after an account."""
    settings.published_file.unlink(missing_ok=True)
    with duckdb.connect(str(settings.published_file)) as con:
        con.execute("create schema core; create schema recon")
        con.execute("create table core.pocket (customer_id text, pocket_id text, pocket_name text)")
        con.execute("insert into core.pocket values ('default', 'p', ?)", [f"Payroll {ACCOUNT}\n"])
        con.execute(
            "create table recon.break (customer_id text, pocket_id text, break_id text, control_id text,"
            " severity text, business_date date, status text)"
        )
        for one in breaks:
            con.execute("insert into recon.break values ('default', 'p', ?, ?, ?, ?, ?)", list(one))


OPEN = ("b1", "K10", "S1", date(2024, 7, 16), "OPEN")
CLEARED = ("b2", "K11", "S2", date(2024, 7, 16), "CLEARED_AUTO")
NEW = ("b3", "K12", "S2", date(2024, 7, 17), "OPEN")


def test_a_failure_goes_out_on_every_way_with_the_same_words_and_is_on_record(tmp_path: Path) -> None:
    got = tmp_path / "got.json"
    script = tmp_path / "hook.py"
    script.write_text(f"import sys, pathlib; pathlib.Path({str(got)!r}).write_bytes(sys.stdin.buffer.read())")
    with web_server() as web, mail_server() as mail:
        settings = settings_of(
            tmp_path,
            notify_command=f"{sys.executable} {script}",
            notify_webhook_file=secret_file(tmp_path / "hook", f"http://127.0.0.1:{web.port}/services/T0KEN?k=v"),
            notify_mail_to="treasury@example.com, second@example.com",
            notify_mail_from="jiko@example.com",
            notify_smtp_host="127.0.0.1",
            notify_smtp_port=mail.port,
            notify_smtp_security="none",
        )
        error = UnavailableError(f"api.business.jiko.io does not answer for account {ACCOUNT}.")
        deliveries = tell_of_error(settings, "jiko sync of 2024-07-16 to 2024-07-17", error)
    assert [(one.channel, one.sent) for one in deliveries] == [("command", True), ("webhook", True), ("mail", True)]
    by_command = json.loads(got.read_text())
    ((path, by_web),) = web
    (message,) = mail
    assert by_command == by_web
    assert path == "/services/T0KEN?k=v"
    assert by_web["summary"] == "jiko sync of 2024-07-16 to 2024-07-17 failed"
    assert "does not answer for account •••7654." in by_web["text"]
    assert message["Subject"] == "[jiko default] jiko sync of 2024-07-16 to 2024-07-17 failed"
    assert message["To"] == "treasury@example.com, second@example.com"
    assert message.get_content().splitlines() == by_web["text"].splitlines()
    lines = list(entered(settings))
    assert [(line["channel"], line["sent"], line["kind"]) for line in lines] == [
        (name, True, "failure") for name in ("command", "webhook", "mail")
    ]
    record = record_file(settings)
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert not any(hidden in record.read_text() for hidden in (ACCOUNT, "T0KEN"))


def test_nobody_is_told_and_nothing_recorded_where_no_way_out_is_named(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert tell_of_failure(settings, "the daily job", "It failed.") == ()
    assert tell_of_breaks(settings) == ()
    assert not record_file(settings).exists()


def test_open_breaks_are_told_once_and_again_when_one_is_new(tmp_path: Path) -> None:
    with web_server() as web:
        settings = settings_of(
            tmp_path, notify_webhook_file=secret_file(tmp_path / "hook", f"http://127.0.0.1:{web.port}")
        )
        publish_breaks(settings, OPEN, CLEARED)
        assert [one.sent for one in tell_of_breaks(settings)] == [True]
        assert tell_of_breaks(settings) == ()
        publish_breaks(settings, OPEN, NEW)
        assert [one.sent for one in tell_of_breaks(settings)] == [True]
    first, second = (body for _, body in web)
    assert first["summary"] == "1 open break, 1 of them new"
    assert first["lines"][0] == "S1 K10 on 2024-07-16, Payroll •••7654"
    assert second["summary"] == "2 open breaks, 1 of them new"
    assert [line for line in second["lines"] if line.startswith("S")] == ["S2 K12 on 2024-07-17, Payroll •••7654"]


def test_what_did_not_get_out_is_told_again(tmp_path: Path) -> None:
    address = tmp_path / "hook"
    with web_server(status=500) as web:
        settings = settings_of(tmp_path, notify_webhook_file=secret_file(address, f"http://127.0.0.1:{web.port}/x"))
        publish_breaks(settings, OPEN)
        (delivery,) = tell_of_breaks(settings)
        assert (delivery.sent, delivery.why) == (False, "127.0.0.1 answered 500.")
    with web_server() as web:
        secret_file(address, f"http://127.0.0.1:{web.port}/x")
        assert [one.sent for one in tell_of_breaks(settings)] == [True]
    assert [line["sent"] for line in entered(settings)] == [False, True]


def test_a_late_day_is_told_once(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, notify_command="true")
    day = date(2024, 7, 17)
    assert [one.sent for one in tell_of_late_day(settings, day, "2024-07-17 is not there.", NOW)] == [True]
    assert tell_of_late_day(settings, day, "2024-07-17 is not there.", NOW) == ()
    assert [line["summary"] for line in entered(settings)] == ["2024-07-17 is not there"]


@pytest.mark.parametrize(
    ("ways", "why"),
    [
        pytest.param({"notify_command": "false"}, "ended with 1", id="a command that fails"),
        pytest.param({"notify_command": "/nowhere/hook"}, "cannot be run", id="a command that is not there"),
        pytest.param({"notify_command": "'"}, "cannot be run", id="a command that is none"),
        pytest.param({"hook": "http://127.0.0.1:9/x"}, "cannot be posted to", id="nobody listens"),
        pytest.param({"hook": "http://example.com/x"}, "must be https", id="plain http"),
        pytest.param({"hook": "file:///etc/passwd"}, "must be https", id="no address of the web"),
        pytest.param({"mail": 9}, "did not take the message", id="no mail server"),
    ],
)
def test_a_way_out_that_does_not_work_is_recorded_and_raises_nothing(
    tmp_path: Path, ways: dict[str, Any], why: str
) -> None:
    given_ways = dict(ways)
    if hook := given_ways.pop("hook", None):
        given_ways["notify_webhook_file"] = secret_file(tmp_path / "hook", hook)
    if port := given_ways.pop("mail", None):
        given_ways |= {"notify_mail_to": "a@example.com", "notify_mail_from": "b@example.com"}
        given_ways |= {"notify_smtp_host": "127.0.0.1", "notify_smtp_port": port, "notify_smtp_security": "none"}
    settings = settings_of(tmp_path, **given_ways)
    (delivery,) = tell_of_failure(settings, "the daily job", "It failed.")
    assert not delivery.sent
    assert why in delivery.why
    assert [line["why"] for line in entered(settings)] == [delivery.why]


def test_one_address_that_is_refused_is_told_of_while_the_other_gets_the_mail(tmp_path: Path) -> None:
    with mail_server(refuse=b"nobody@") as mail:
        settings = settings_of(
            tmp_path,
            notify_mail_to="a@example.com,nobody@example.com",
            notify_mail_from="jiko@example.com",
            notify_smtp_host="127.0.0.1",
            notify_smtp_port=mail.port,
            notify_smtp_security="none",
        )
        (delivery,) = tell_of_failure(settings, "the daily job", "It failed.")
    assert len(mail) == 1
    assert "refused 1 of 2 addresses" in delivery.why


def test_an_address_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    file = secret_file(tmp_path / "hook", "https://hooks.example.com/x")
    file.chmod(0o644)
    (delivery,) = tell_of_failure(settings_of(tmp_path, notify_webhook_file=file), "the daily job", "It failed.")
    assert "can be read by other users" in delivery.why
    assert "hooks.example.com" not in delivery.why


def test_a_published_file_that_cannot_be_read_stops_nothing(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, notify_command="true")
    settings.published_file.write_bytes(os.urandom(4096))
    assert tell_of_breaks(settings) == ()


def test_only_what_was_asked_for_is_told(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, notify_command="true", notify_of="breaks")
    assert tell_of_failure(settings, "the daily job", "It failed.") == ()
    publish_breaks(settings, OPEN)
    assert [one.sent for one in tell_of_breaks(settings)] == [True]


@pytest.mark.parametrize(
    "wrong",
    [
        {"notify_of": "everything"},
        {"notify_mail_to": "a@example.com"},
        {"notify_mail_to": "not an address", "notify_mail_from": "b@example.com"},
        {"notify_mail_to": "a@example.com\nBcc: c@example.com", "notify_mail_from": "b@example.com"},
        {"notify_smtp_user": "me"},
        {"notify_smtp_security": "none", "notify_smtp_host": "mail.example.com"},
    ],
)
def test_settings_that_contradict_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="NOTIFY"):
        settings_of(tmp_path, **wrong)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("account 021000021987654 of 2024-07-16", "account •••7654 of 2024-07-16"),
        ("4000 1234 5678 9010", "•••9010"),
        ("12-34-56-78", "•••5678"),
        ("K10 on 2024-07-16, 3 of 1234 rows", "K10 on 2024-07-16, 3 of 1234 rows"),
        ("two\r\nBcc: x@example.com", "two  Bcc: x@example.com"),
    ],
)
def test_digits_are_masked_to_the_last_four_and_days_stay(words: str, told: str) -> None:
    assert masked(words) == told


@hypothesis_settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.from_regex(r"[0-9]{5,20}", fullmatch=True), st.text(max_size=60))
def test_no_name_lets_five_digits_in_a_row_or_a_second_line_out(before: str, digits: str, after: str) -> None:
    name = masked_name(f"{before}{digits}{after}")
    run = 0
    for character in name:
        run = run + 1 if character.isdigit() and character.isascii() else 0
        assert run < 5
    assert name.isprintable()
    notice = Notice(NoticeKind.BREAKS, "default", "production", NOW, masked(f"{before}{digits}"), (name,))
    assert "\n" not in notice.subject


def test_a_defect_in_telling_is_recorded_and_raises_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(tmp_path, notify_command="true")

    def broken(*_: object) -> None:
        raise KeyError("CANARY")

    monkeypatch.setattr("jiko_pipeline.notifying.channels.run_command", broken)
    (delivery,) = tell(settings, Notice(NoticeKind.FAILURE, "default", "simulator", NOW, "It failed"))
    assert delivery.why == "A defect: KeyError."
