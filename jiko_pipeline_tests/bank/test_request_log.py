"""The request log: every request ends in one way, whatever becomes of the work that it belongs to."""

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jiko_pipeline.bank import listings
from jiko_pipeline.bank.connection import connect
from jiko_pipeline.bank.errors import ContractBrokenError, UnavailableError
from jiko_pipeline.bank.order_book import OrderBook
from jiko_pipeline.bank.orders import fetch_reports
from jiko_pipeline.bank.request_log import Ending, RequestLog, endings_of_this_process, read_requests
from jiko_pipeline.errors import JikoPipelineError, SettingsError, StorageError
from jiko_pipeline.settings import Settings
from jiko_pipeline_tests.bank.second_bank import Reply, SecondBank, Seen, StillClock
from jiko_pipeline_tests.bank.test_orders_course import ORDER, lose_answer, statement

GET_POCKETS = "GET /api/v2/pockets/"
EMPTY = Reply(200, {"items": [], "next_page": None})
Make = Callable[..., Settings]


@pytest.fixture
def log(tmp_path: Path, still: StillClock) -> RequestLog:
    return RequestLog(tmp_path / "requests", still.clock)


def kept(directory: Path) -> list[tuple[str, str, str | None]]:
    """(operation, ending, trouble) of each request, in the order in which they were first noted."""
    found = read_requests(sorted(directory.glob("*.jsonl")))
    return [(request.operation, request.ending.value, request.trouble) for request in found.values()]


def pockets(settings: Settings, still: StillClock) -> None:
    with connect(settings, clock=still.clock) as bank:
        list(bank.pages(listings.pockets()))


def test_each_try_goes_out_under_a_name_of_its_own_that_the_log_has(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    settings = settings_for()
    second_bank.plant(GET_POCKETS, Reply(503, {}), EMPTY)
    pockets(settings, still)
    assert kept(settings.request_log_dir) == [
        ("sign_in", "ANSWERED", None),
        ("list_pockets", "RECOVERED", "status 503"),
        ("list_pockets", "ANSWERED", None),
    ]
    sent = [seen.headers["x-request-id"] for seen in second_bank.seen]
    assert sorted(sent) == sorted(read_requests(settings.request_log_dir.glob("*.jsonl")))
    assert endings_of_this_process(settings.request_log_dir) == {Ending.ANSWERED: 2, Ending.RECOVERED: 1}


@pytest.mark.parametrize(
    ("replies", "ending", "error"),
    [
        ([Reply(503, {})] * 5, "WAITED", UnavailableError),
        ([Reply(418, {})], "QUARANTINED", ContractBrokenError),
        ([Reply(200, {"error": "none"})], "QUARANTINED", ContractBrokenError),
        ([Reply(200, {"items": [], "next_page": "https://evil.example/"})], "QUARANTINED", ContractBrokenError),
        ([Reply(403, {})], "FAILED", SettingsError),
    ],
    ids=["down", "unknown status", "no listing", "address", "forbidden"],
)
def test_a_request_ends_as_the_work_that_it_was_for(
    second_bank: SecondBank,
    settings_for: Make,
    still: StillClock,
    replies: list[Reply],
    ending: str,
    error: type[JikoPipelineError],
) -> None:
    settings = settings_for()
    second_bank.plant(GET_POCKETS, *replies)
    with pytest.raises(error):
        pockets(settings, still)
    assert [found for operation, found, _ in kept(settings.request_log_dir) if operation == "list_pockets"] == [
        ending
    ] * len(replies)


def test_an_order_whose_answer_was_lost_is_recovered_by_the_listing(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    settings = settings_for()
    second_bank.plant(ORDER, lose_answer(second_bank))
    with connect(settings, clock=still.clock) as bank, OrderBook(settings.order_book_file) as book:
        fetch_reports(bank, book, [statement()], lambda report: None)
    orders = [line for line in kept(settings.request_log_dir) if line[0] == "reports.order"]
    assert [ending for _, ending, _ in orders] == ["RECOVERED"]
    assert {ending for _, ending, _ in kept(settings.request_log_dir)} == {"ANSWERED", "RECOVERED"}


def test_what_else_is_asked_for_between_two_pages_is_no_part_of_the_listing(log: RequestLog, tmp_path: Path) -> None:
    def pages() -> Iterator[int]:
        for number in range(2):
            with log.tries("list") as tries:
                tries.begin()
            yield number

    with pytest.raises(ContractBrokenError):
        for _ in log.pieces(pages()):
            with log.tries("other") as tries:
                tries.begin()
                raise ContractBrokenError("Not what was asked for.")
    assert kept(tmp_path / "requests") == [
        ("list", "ANSWERED", None),
        ("other", "QUARANTINED", "Not what was asked for."),
    ]


def test_a_line_that_a_dying_process_left_is_passed_over(log: RequestLog, tmp_path: Path) -> None:
    with log.tries("list") as tries:
        tries.begin()
    (file,) = (tmp_path / "requests").iterdir()
    with file.open("ab") as cut:
        cut.write(b'{"request_id":"half')
    assert kept(tmp_path / "requests") == [("list", "ANSWERED", None)]


def test_files_are_for_their_owner_and_are_removed_after_thirty_days(
    log: RequestLog, tmp_path: Path, still: StillClock
) -> None:
    for days in (0, 30, 1):
        still.advance(days * 86_400)
        RequestLog(tmp_path / "requests", still.clock)
        with log.tries("list") as tries:
            tries.begin()
    files = sorted((tmp_path / "requests").iterdir())
    assert [file.name[:10] for file in files] == ["2024-08-17", "2024-08-18"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_log_that_cannot_be_written_stops_the_work(log: RequestLog, tmp_path: Path) -> None:
    (tmp_path / "requests").rmdir()
    with pytest.raises(StorageError, match="request log"), log.tries("list") as tries:
        tries.begin()


def test_neither_queries_nor_links_nor_tokens_are_in_the_log(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    settings = settings_for()
    second_bank.plant("STORAGE .*", Reply(503, {}), Reply(403, {}))

    def echo(seen: Seen) -> Reply:
        return Reply(422, {"detail": [{"loc": ["header"], "msg": "no", "input": seen.headers["authorization"]}]})

    second_bank.plant(GET_POCKETS, echo)
    with connect(settings, clock=still.clock) as bank, OrderBook(settings.order_book_file) as book:
        fetch_reports(bank, book, [statement()], lambda report: None)
        with pytest.raises(JikoPipelineError):
            list(bank.pages(listings.pockets()))
    written = b"".join(file.read_bytes() for file in settings.request_log_dir.iterdir())
    assert len(second_bank.secrets) >= 4
    assert [secret for secret in second_bank.secrets if secret.encode() in written] == []
    assert b"?" not in written
