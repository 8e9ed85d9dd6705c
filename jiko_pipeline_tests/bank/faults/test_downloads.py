"""Rows 69 to 78 of the fault matrix: addresses of files that expire or lead elsewhere, files of somebody else."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from jiko_pipeline.bank import listings
from jiko_pipeline.bank.downloads import DownloadClient, LinkRule
from jiko_pipeline.bank.errors import DownloadRefusedError
from jiko_pipeline.bank.exchange import make_client
from jiko_pipeline.bank.orders import DeliveredReport
from jiko_pipeline.bank.retry import RetryPolicy
from jiko_pipeline.formats.camt053.reader import read
from jiko_pipeline.formats.reading import Expectation, RefusedDocumentError
from jiko_pipeline_tests.bank import chaos_rig
from jiko_pipeline_tests.bank.certificates import Authority
from jiko_pipeline_tests.bank.chaos_client import DisturbedBank
from jiko_pipeline_tests.bank.chaos_rig import rule
from jiko_pipeline_tests.bank.second_bank import StillClock

FILES = {"path": "/files/*"}
HOST = "files.bank.example"
GONE = {"status": 403, "body": "<Error><Code>AccessDenied</Code></Error>"}


@pytest.mark.fault_rows(69)
def test_69_an_address_that_has_expired_is_replaced(disturbed: DisturbedBank) -> None:
    (pocket, *_) = disturbed.ids()
    disturbed.disturb(rule("status", match={**FILES, "nth": 1}, **GONE))
    pulls = disturbed.statements(pocket)
    assert disturbed.fetched(pulls).delivered == pulls
    assert [request.ending.value for request in downloads(disturbed)] == ["RECOVERED", "ANSWERED"]


def downloads(disturbed: DisturbedBank) -> list[Any]:
    return [request for request in disturbed.requests().values() if request.operation == "download"]


@pytest.mark.fault_rows(70)
def test_70_an_address_that_expires_within_a_download_is_replaced_and_the_file_begun_anew(
    disturbed: DisturbedBank,
) -> None:
    (pocket, *_) = disturbed.ids()
    pulls = disturbed.statements(pocket)
    whole: list[bytes] = []
    disturbed.disturb(
        rule("reset_peer", bytes=700, match={**FILES, "nth": 1}), rule("status", match={**FILES, "nth": 2}, **GONE)
    )
    reports: list[DeliveredReport] = []

    def deliver(report: DeliveredReport) -> None:
        reports.append(report)
        whole.append(report.path.read_bytes())

    assert disturbed.fetched(pulls, deliver).delivered == pulls
    (report,), (body,) = reports, whole
    assert len(body) == report.byte_length > 700
    assert body.rstrip().endswith(b"</Document>")
    assert body.count(b"<?xml") == 1
    made = [request.operation for request in disturbed.requests().values()]
    assert (made.count("reports.link"), made.count("download")) == (2, 3)


@pytest.mark.fault_rows(71, 72)
@pytest.mark.parametrize(
    "to",
    [
        "evil",
        "http://files.bank.example/a",
        "https://files.bank.example/a",
        "file:///etc/passwd",
        "ftp://files.bank.example/a",
        "data:text/plain,hello",
        "https://user:word@localhost/a",
        "https://93.184.216.34/a",
        "https://localhost:8080/a",
    ],
)
def test_an_address_elsewhere_is_not_followed(disturbed: DisturbedBank, to: str) -> None:
    (pocket, *_) = disturbed.ids()
    disturbed.disturb(rule("link_to", to=to))
    assert len(disturbed.fetched(disturbed.statements(pocket)).refused) == 1
    assert downloads(disturbed) == []
    assert disturbed.reached_evil() == []
    # The request that brought the address is the one that ended so.
    (fault,) = chaos_rig.log(disturbed.bank)
    assert disturbed.requests()[fault["request_id"]].ending == "QUARANTINED"


@pytest.mark.fault_rows(75)
def test_75_a_storage_that_redirects_is_not_followed(disturbed: DisturbedBank) -> None:
    (pocket, *_) = disturbed.ids()
    disturbed.disturb(rule("redirect", match=FILES))
    ((_, why),) = disturbed.fetched(disturbed.statements(pocket)).refused
    assert "redirects a download elsewhere" in why
    assert disturbed.reached_evil() == []


@pytest.mark.fault_rows(76)
def test_76_a_storage_that_refuses_credentials_is_sent_none(disturbed: DisturbedBank) -> None:
    (pocket, *_) = disturbed.ids()
    pulls = disturbed.statements(pocket)
    assert disturbed.fetched(pulls).delivered == pulls
    assert chaos_rig.incidents(disturbed.bank)["storage"] == []


class Peer:
    """A connection that leads to an address."""

    def __init__(self, address: str) -> None:
        self._address = address

    def get_extra_info(self, name: str) -> object:
        return (self._address, 443) if name == "server_addr" else None


@pytest.mark.fault_rows(73)
@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("127.0.0.1", False),
        ("10.0.0.7", False),
        ("192.168.1.1", False),
        ("172.16.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
    ],
)
def test_73_only_public_addresses_are_read_from(address: str, is_public: bool) -> None:
    response = httpx.Response(200, extensions={"network_stream": Peer(address)})
    if is_public:
        LinkRule((HOST,)).check_peer(response)
    else:
        with pytest.raises(DownloadRefusedError, match="private address"):
            LinkRule((HOST,)).check_peer(response)


@pytest.mark.fault_rows(73, 74)
def test_74_a_name_that_is_public_when_checked_and_private_when_connected_to_gives_no_body(
    tmp_path: Path, still: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    certificate = authority.certificate(HOST)
    authority.trusted_in_place_of_all_others(monkeypatch)
    resolve = socket.getaddrinfo
    turns = iter(["93.184.216.34"])
    with private_storage(certificate) as port, make_client(1) as client:

        def flips(host: str, asked: Any, *more: Any, **named: Any) -> Any:
            return resolve(next(turns, "127.0.0.1") if host == HOST else host, asked, *more, **named)

        monkeypatch.setattr(socket, "getaddrinfo", flips)
        found = socket.getaddrinfo(HOST, port)
        assert {entry[4][0] for entry in found} == {"93.184.216.34"}
        download = DownloadClient(
            client,
            rule=LinkRule((f"{HOST}:{port}",)),
            incoming=tmp_path / "incoming",
            clock=still.clock,
            policy=RetryPolicy(),
        )
        with pytest.raises(DownloadRefusedError, match=r"private address 127\.0\.0\.1"):
            download.fetch(f"https://{HOST}:{port}/a", cap_bytes=100)
    assert list((tmp_path / "incoming").iterdir()) == []


@contextmanager
def private_storage(certificate: Path) -> Iterator[int]:
    """The port of a file that nobody should read, behind a certificate that is in order."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve() -> None:
        connection, _ = server.accept()
        with context.wrap_socket(connection, server_side=True) as stream:
            stream.recv(65_536)
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@pytest.mark.fault_rows(78)
def test_78_a_file_of_another_pocket_is_not_taken_for_the_one_asked_for(disturbed: DisturbedBank) -> None:
    pockets = [str(row["id"]) for row in disturbed.rows(listings.pockets()) if row["status"] == "OPEN"][:2]
    disturbed.disturb(rule("other_body", match=FILES))
    bodies: dict[str, bytes] = {}

    def deliver(report: DeliveredReport) -> None:
        assert report.pull.pocket_id is not None
        bodies[report.pull.pocket_id] = report.path.read_bytes()

    for pocket in pockets:
        pulls = disturbed.statements(pocket)
        assert disturbed.fetched(pulls, deliver).delivered == pulls
    assert disturbed.faults() == ["other_body"]
    own, other = pockets
    (pull,) = disturbed.statements(own)
    assert bodies[own] == bodies[other]
    assert read(bodies[own], Expectation(frozenset({own}), pull.first, pull.last)).frames
    with pytest.raises(RefusedDocumentError, match="of another account than the one asked for"):
        read(bodies[other], Expectation(frozenset({other}), pull.first, pull.last))
