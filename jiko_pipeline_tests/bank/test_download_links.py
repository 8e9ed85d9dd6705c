"""Download links: which are followed, what is sent to them, what becomes of broken files."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from jiko_pipeline.bank.connection import Bank, connect
from jiko_pipeline.bank.downloads import DownloadClient, LinkRule
from jiko_pipeline.bank.errors import DownloadRefusedError, LinkExpiredError, UnavailableError
from jiko_pipeline.bank.exchange import make_client
from jiko_pipeline.bank.order_book import OrderBook
from jiko_pipeline.bank.orders import Outcome, fetch_reports
from jiko_pipeline.bank.retry import RetryPolicy
from jiko_pipeline.settings import Settings
from jiko_pipeline_tests.bank.second_bank import Reply, SecondBank, StillClock
from jiko_pipeline_tests.bank.test_orders_course import statement

Make = Callable[..., Settings]
FILE = "STORAGE /files/.*"


def fetch(settings: Settings, still: StillClock) -> tuple[Outcome, Bank, list[bytes]]:
    files: list[bytes] = []
    with connect(settings, clock=still.clock) as bank, OrderBook(settings.data_dir / "bank" / "orders.sqlite") as book:
        outcome = fetch_reports(bank, book, [statement()], lambda report: files.append(report.path.read_bytes()))
    return outcome, bank, files


@pytest.mark.fault_rows(76)
def test_no_credential_reaches_the_storage(second_bank: SecondBank, settings_for: Make, still: StillClock) -> None:
    outcome, _, _ = fetch(settings_for(), still)
    assert len(outcome.delivered) == 1
    (seen,) = second_bank.storage_seen
    assert seen.headers.keys() <= {"host", "accept", "accept-encoding", "connection", "user-agent", "x-request-id"}
    assert seen.headers["accept-encoding"] == "identity"
    assert second_bank.incidents == []


@pytest.mark.fault_rows(69)
@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_an_expired_link_is_replaced_by_a_new_one(
    second_bank: SecondBank, settings_for: Make, still: StillClock, status: int
) -> None:
    second_bank.plant(FILE, Reply(status, {}), Reply(status, {}))
    outcome, bank, files = fetch(settings_for(), still)
    assert len(outcome.delivered) == 1
    assert bank.calls["reports.link"] == 3
    assert len({seen.path for seen in second_bank.storage_seen}) == 3
    assert len(files) == 1


def test_after_three_links_the_report_is_refused_and_taken_up_by_the_next_run(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    second_bank.plant(FILE, *[Reply(403, {})] * 3)
    outcome, bank, _ = fetch(settings_for(), still)
    assert [pull for pull, _ in outcome.refused] == [statement()]
    assert bank.calls["reports.link"] == 3
    outcome, _, _ = fetch(settings_for(), still)
    assert outcome.delivered == [statement()]
    assert len(second_bank.requests) == 1


def raw(head: str, body: bytes) -> Reply:
    return Reply(raw=f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + body)


@pytest.mark.fault_rows(6, 7)
@pytest.mark.parametrize(
    "reply",
    [
        raw("Content-Length: 50", b"x" * 20),
        raw("Transfer-Encoding: chunked", b"5\r\nhello\r\n"),
        Reply(503, {}),
        Reply(hang_up=True),
    ],
    ids=["short", "chunks without end", "503", "hung up"],
)
def test_a_cut_file_is_fetched_again_from_its_start(
    second_bank: SecondBank, settings_for: Make, still: StillClock, reply: Reply
) -> None:
    second_bank.plant(FILE, reply)
    outcome, bank, files = fetch(settings_for(), still)
    assert len(outcome.delivered) == 1
    assert files == [second_bank.content(second_bank.requests[0]["reports"][0]["id"])]
    assert bank.calls["download"] == 2


@pytest.mark.fault_rows(8, 9, 18, 75)
@pytest.mark.parametrize(
    "reply",
    [
        raw("Connection: close", b"no length"),
        raw("Content-Encoding: gzip\r\nContent-Length: 5", b"12345"),
        Reply(206, body=b"part"),
        Reply(204, body=b""),
        Reply(302, {}, {"Location": "http://127.0.0.1:9/evil"}),
    ],
    ids=["no length", "coded", "partial", "no content", "redirect"],
)
def test_a_file_that_cannot_be_proved_whole_is_refused(
    second_bank: SecondBank, settings_for: Make, still: StillClock, reply: Reply
) -> None:
    second_bank.plant(FILE, reply)
    settings = settings_for()
    outcome, _, files = fetch(settings, still)
    assert [pull for pull, _ in outcome.refused] == [statement()]
    assert files == []
    assert list((settings.data_dir / "bank" / "incoming").iterdir()) == []
    assert len(second_bank.storage_seen) == 1


def test_a_storage_that_stays_down_leaves_the_pull_pending(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    second_bank.plant(FILE, *[Reply(500, {})] * 5)
    outcome, _, _ = fetch(settings_for(), still)
    assert outcome.pending == [statement()]
    assert isinstance(outcome.trouble, UnavailableError)


@pytest.mark.fault_rows(71, 72)
@pytest.mark.parametrize(
    "link", ["{storage}@evil.example/x", "http://evil.example/x", "file:///etc/passwd", "http://127.0.0.1:9/x"]
)
def test_a_link_elsewhere_sends_nothing(
    second_bank: SecondBank, settings_for: Make, still: StillClock, link: str
) -> None:
    second_bank.link_form = link
    outcome, bank, _ = fetch(settings_for(), still)
    assert [pull for pull, _ in outcome.refused] == [statement()]
    assert bank.calls["download"] == 0
    assert second_bank.storage_seen == []


REAL = LinkRule(("files.jiko.example", ".storage.example", "odd.example:8443"))


@pytest.mark.parametrize(
    "link",
    [
        "https://files.jiko.example/a?b=c",
        "https://FILES.jiko.example./a",
        "https://files.jiko.example:443/a",
        "https://eu.storage.example/a",
        "https://odd.example:8443/a",
    ],
)
def test_links_to_listed_hosts_are_followed(link: str) -> None:
    assert REAL.check(link).scheme == "https"


@pytest.mark.fault_rows(72)
@pytest.mark.parametrize(
    "link",
    [
        None,
        7,
        "",
        "not an address",
        "http://files.jiko.example/a",
        "ftp://files.jiko.example/a",
        "data:text/plain,hello",
        "file:///etc/passwd",
        "//files.jiko.example/a",
        "https://user@files.jiko.example/a",
        "https://user:pass@files.jiko.example/a",
        "https://files.jiko.example:8080/a",
        "https://files.jiko.example.evil.example/a",
        "https://evilstorage.example/a",
        "https://.storage.example/a",
        "https://storage.example/a",
        "https://odd.example/a",
        "https://127.0.0.1/a",
        "https://localhost/a",
        "https://[::1]/a",
        "https://10.0.0.1/a",
        "https://169.254.169.254/a",
        "https://2130706433/a",
        "https://0x7f000001/a",
        "https://files.jiko.example/a b",
        "https://files.jiko.example/a\n",
    ],
)
def test_all_other_links_are_refused(link: object) -> None:
    with pytest.raises(DownloadRefusedError):
        REAL.check(link)


class CarelessRule(LinkRule):
    """A rule that lets every name pass, as one with a name that resolves to a private address does."""

    def check(self, link: object) -> httpx.URL:
        return httpx.URL(str(link))


@pytest.mark.fault_rows(73)
def test_a_name_that_leads_to_a_private_address_is_refused_before_the_body(
    second_bank: SecondBank, still: StillClock, tmp_path: Path
) -> None:
    second_bank.files["a"] = b"abc"
    with make_client(1) as client:
        downloads = DownloadClient(
            client, rule=CarelessRule(()), incoming=tmp_path, clock=still.clock, policy=RetryPolicy()
        )
        with pytest.raises(DownloadRefusedError, match=r"private address 127\.0\.0\.1"):
            downloads.fetch(f"{second_bank.storage}/files/a", cap_bytes=100)
    assert list(tmp_path.glob("*.part")) == []


def test_a_file_beyond_the_cap_is_refused(second_bank: SecondBank, settings_for: Make, still: StillClock) -> None:
    second_bank.files["big"] = b"x" * 1000
    with connect(settings_for(), clock=still.clock) as bank:
        with pytest.raises(DownloadRefusedError, match="1000 bytes; at most 999"):
            bank.downloads.fetch(f"{second_bank.storage}/files/big", cap_bytes=999)
        assert bank.downloads.fetch(f"{second_bank.storage}/files/big", cap_bytes=1000).byte_length == 1000


def test_an_expired_link_is_an_error_of_its_own(second_bank: SecondBank, settings_for: Make, still: StillClock) -> None:
    with connect(settings_for(), clock=still.clock) as bank, pytest.raises(LinkExpiredError):
        bank.downloads.fetch(f"{second_bank.storage}/files/unknown", cap_bytes=100)


def test_files_of_ended_processes_are_removed_and_those_of_living_ones_kept(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    settings = settings_for()
    incoming: Path = settings.data_dir / "bank" / "incoming"
    second_bank.files["a"] = b"abc"
    with connect(settings, clock=still.clock) as bank:
        kept = bank.downloads.fetch(f"{second_bank.storage}/files/a", cap_bytes=100).path
        (incoming / "4194303-1-abc.part").write_bytes(b"left behind")
        assert bank.downloads.remove_leftovers() == 1
    assert list(incoming.iterdir()) == [kept]
