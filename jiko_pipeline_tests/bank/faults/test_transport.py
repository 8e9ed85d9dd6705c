"""Rows 1 to 19 of the fault matrix: connections and answers that break on the way."""

import resource
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jiko_pipeline.bank import exchange as exchanges
from jiko_pipeline.bank import listings
from jiko_pipeline.bank.connection import connect
from jiko_pipeline.bank.errors import CertificateError, ContractBrokenError, UnavailableError
from jiko_pipeline.bank.exchange import exchange, make_client
from jiko_pipeline.errors import ExitCode
from jiko_pipeline.settings import Settings
from jiko_pipeline_tests.bank.certificates import Authority
from jiko_pipeline_tests.bank.chaos_client import DisturbedBank
from jiko_pipeline_tests.bank.chaos_rig import Json, rule
from jiko_pipeline_tests.bank.second_bank import StillClock

POCKETS = {"path": "/api/v2/pockets/"}
FILES = {"path": "/files/*"}
TRIES = 5


def once(fault: str, *, where: Json = POCKETS, **args: Any) -> Json:
    return rule(fault, match={**where, "nth": 1}, **args)


@pytest.mark.fault_rows(1)
def test_1_a_connection_that_is_refused_is_tried_again(disturbed: DisturbedBank) -> None:
    undisturbed = disturbed.ids()
    before = disturbed.calls("list_pockets")
    disturbed.disturb(once("refuse"))
    assert disturbed.ids() == undisturbed
    assert len(disturbed.slept) == 1
    assert disturbed.calls("list_pockets") - before == 1


@pytest.mark.fault_rows(2)
def test_2_a_bank_that_is_down_is_named_and_left_for_later(disturbed: DisturbedBank, still: StillClock) -> None:
    disturbed.disturb(rule("down"))
    said = r"127\.0\.0\.1:\d+/\S+ failed after 5 tries: no connection"
    # The time of the bank cannot be moved while nobody listens there.
    with pytest.raises(UnavailableError, match=said) as caught, connect(disturbed.settings(), clock=still.clock):
        pass
    assert caught.value.exit_code is ExitCode.TRY_LATER
    assert still.elapsed < 120


@pytest.mark.fault_rows(3)
def test_3_a_name_that_does_not_resolve_is_left_for_later(
    settings_for: Callable[..., Settings], still: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def unknown(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    settings = settings_for(auth_url="https://sign-in.bank.example")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with connect(settings, clock=still.clock) as bank, pytest.raises(UnavailableError, match=r"sign-in\.bank\.example"):
        bank.sign_in()
    assert asked == ["sign-in.bank.example"] * TRIES


@pytest.mark.fault_rows(4)
@pytest.mark.parametrize("flaw", ["expired", "other name", "self-signed", "none"])
def test_4_a_certificate_that_is_not_trusted_ends_it_at_once(
    flaw: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    now = datetime.now(UTC)
    certificate = authority.certificate(
        "elsewhere.example" if flaw == "other name" else "localhost",
        until=now - timedelta(days=1) if flaw == "expired" else now + timedelta(days=1),
        self_signed=flaw == "self-signed",
    )
    authority.trusted_in_place_of_all_others(monkeypatch)
    with tls_server(certificate) as (url, served), make_client(1) as client:
        try:
            answer = exchange(
                client,
                client.build_request("GET", url),
                clock=StillClock().clock,
                deadline=60.0,
                cap_bytes=100,
                where="localhost/",
            )
        except CertificateError as error:
            assert error.exit_code is ExitCode.CREDENTIALS_OR_SETTINGS
            assert flaw != "none"
        else:
            assert (answer.body, flaw) == (b"{}", "none")
    # Nothing was sent without verification, and what is refused is refused at the first handshake.
    assert served == ([b"GET / HTTP/1.1"] if flaw == "none" else [None])


@contextmanager
def tls_server(certificate: Path) -> Iterator[tuple[str, list[bytes | None]]]:
    """An origin with a certificate; the first lines of what was sent to it, None where the handshake failed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    served: list[bytes | None] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) as stream:
                    served.append(stream.recv(65_536).partition(b"\r\n")[0])
                    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            except OSError:
                served.append(None)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://localhost:{server.getsockname()[1]}/", served
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.fault_rows(5)
@pytest.mark.parametrize("after", [None, 0, 1, 100, 1000])
def test_5_a_connection_that_is_reset_after_any_number_of_bytes_is_made_again(
    disturbed: DisturbedBank, after: int | None
) -> None:
    undisturbed = disturbed.ids()
    (pocket, *_) = undisturbed
    disturbed.disturb(once("reset_peer", bytes=after), once("reset_peer", where=FILES, bytes=after))
    assert disturbed.ids() == undisturbed
    sizes: list[int] = []
    outcome = disturbed.fetched(
        disturbed.statements(pocket), lambda report: sizes.append(report.path.stat().st_size - report.byte_length)
    )
    assert (outcome.delivered, sizes) == (disturbed.statements(pocket), [0])
    assert disturbed.faults() == ["reset_peer", "reset_peer"]


@pytest.mark.fault_rows(6, 7, 14, 15)
@pytest.mark.parametrize(
    ("fault", "args"),
    [
        ("bad_length", {}),
        ("bad_chunk", {}),
        ("bad_chunk", {"how": "size"}),
        ("bad_length2", {"how": "two"}),
        ("bad_length2", {"how": "negative"}),
        ("bad_length2", {"how": "text"}),
        ("hdr", {}),
        ("hdr", {"endless": True}),
    ],
)
def test_an_answer_that_is_no_whole_http_is_fetched_again_and_then_refused(
    disturbed: DisturbedBank, fault: str, args: dict[str, Any]
) -> None:
    undisturbed = disturbed.ids()
    disturbed.disturb(once(fault, **args))
    assert disturbed.ids() == undisturbed
    disturbed.disturb(rule(fault, match=POCKETS, **args))
    with pytest.raises(ContractBrokenError, match="5 times: the answer is no whole HTTP") as caught:
        disturbed.ids()
    assert caught.value.exit_code is ExitCode.NOT_PROVED


@pytest.mark.fault_rows(6, 7)
@pytest.mark.parametrize("fault", ["bad_length", "bad_chunk"])
def test_a_file_that_never_comes_whole_is_kept_out_and_its_order_stays_known(
    disturbed: DisturbedBank, fault: str
) -> None:
    (pocket, *_) = disturbed.ids()
    before = disturbed.calls("create_report_request")
    pulls = disturbed.statements(pocket)
    disturbed.disturb(rule(fault, match=FILES))
    delivered: list[object] = []
    assert [pull for pull, _ in disturbed.fetched(pulls, delivered.append).refused] == pulls
    assert delivered == []
    disturbed.disturb(rule("latency", ms=0, match=FILES, id="rule-1"))
    assert disturbed.fetched(pulls).delivered == pulls
    assert disturbed.calls("create_report_request") - before == 1


@pytest.mark.fault_rows(8, 9, 10)
@pytest.mark.parametrize("fault", ["close_delimited", "gz_cut", "gz_crc"])
@pytest.mark.parametrize("where", [POCKETS, FILES], ids=["page", "file"])
def test_an_answer_whose_end_cannot_be_known_is_never_taken(
    disturbed: DisturbedBank, fault: str, where: dict[str, str]
) -> None:
    (pocket, *_) = disturbed.ids()
    disturbed.disturb(rule(fault, match=where))
    if where is FILES:
        ((_, why),) = disturbed.fetched(disturbed.statements(pocket)).refused
    else:
        with pytest.raises(ContractBrokenError) as caught:
            disturbed.ids()
        why = str(caught.value)
    assert "without a length" in why or "content coding" in why
    assert disturbed.faults() == [fault]


@pytest.mark.fault_rows(11, 12)
@pytest.mark.parametrize("fault", ["gz_bomb", "gz_bomb2"])
def test_a_bomb_is_refused_before_it_is_unpacked(disturbed: DisturbedBank, fault: str) -> None:
    (pocket, *_) = disturbed.ids()
    disturbed.disturb(rule(fault, megabytes=128, match=FILES))
    before = peak_bytes()
    ((_, why),) = disturbed.fetched(disturbed.statements(pocket)).refused
    assert "content coding" in why
    assert peak_bytes() - before <= 64 * 2**20


def peak_bytes() -> int:
    """The most memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@pytest.mark.fault_rows(13)
def test_13_an_answer_that_drips_is_given_up_at_the_deadline(disturbed: DisturbedBank) -> None:
    disturbed.ids()
    disturbed.disturb(rule("drip", bytes=1, ms=50, match=POCKETS))
    with disturbed.connection(request_deadline_seconds=0.5) as bank:
        bank.sign_in()
        with pytest.raises(UnavailableError, match="1 tries: the answer took too long"):
            list(bank.pages(listings.pockets()))


@pytest.mark.fault_rows(16)
def test_16_silence_is_ended_by_the_limit_of_reading(disturbed: DisturbedBank, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = disturbed.ids()
    monkeypatch.setattr(exchanges, "READ_SECONDS", 0.5)
    disturbed.disturb(once("timeout", ms=60_000))
    assert disturbed.ids() == undisturbed
    assert disturbed.faults() == ["timeout"]
    assert "no answer in time" in {request.trouble for request in disturbed.requests().values()}


@pytest.mark.fault_rows(17)
def test_17_connections_that_are_closed_between_requests_double_no_order(disturbed: DisturbedBank) -> None:
    pulls = disturbed.statements(
        *[str(row["id"]) for row in disturbed.rows(listings.pockets()) if row["status"] == "OPEN"]
    )
    before = disturbed.calls("create_report_request")
    disturbed.disturb(rule("slow_close"))
    assert len(disturbed.fetched(pulls).delivered) == len(pulls)
    assert disturbed.calls("create_report_request") - before == len(pulls)


@pytest.mark.fault_rows(18)
@pytest.mark.parametrize("status", [204, 206])
def test_18_a_success_of_another_kind_is_not_taken(disturbed: DisturbedBank, status: int) -> None:
    disturbed.disturb(rule("status", status=status, match=POCKETS))
    with pytest.raises(ContractBrokenError, match=f"answered {status}") as caught:
        disturbed.ids()
    assert caught.value.exit_code is ExitCode.NOT_PROVED


@pytest.mark.fault_rows(18)
@pytest.mark.parametrize("then", ["answer", "close"])
def test_18_a_first_word_is_no_answer(disturbed: DisturbedBank, then: str) -> None:
    undisturbed = disturbed.ids()
    disturbed.disturb(once("informational", then=then))
    assert disturbed.ids() == undisturbed
    assert len(disturbed.slept) == (then == "close")
    disturbed.disturb(rule("informational", match=POCKETS))
    with pytest.raises(UnavailableError, match="5 tries: the connection was closed without an answer"):
        disturbed.ids()
