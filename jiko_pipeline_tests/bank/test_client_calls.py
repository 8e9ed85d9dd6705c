"""Calling the API: paging and its guards, tries, errors by type, and what never leaves the process."""

import gzip
import json
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiko_pipeline.bank import listings
from jiko_pipeline.bank.connection import connect
from jiko_pipeline.bank.contract import JIKO
from jiko_pipeline.bank.errors import (
    AuthenticationError,
    ConflictError,
    ContractBrokenError,
    NotFoundError,
    RateLimitedError,
    ScopeError,
    UnavailableError,
    ValidationRefusedError,
)
from jiko_pipeline.bank.listings import Listing, Page
from jiko_pipeline.bank.operations import Operation
from jiko_pipeline.bank.retry import retry_after_seconds
from jiko_pipeline.errors import JikoPipelineError
from jiko_pipeline.settings import Settings
from jiko_pipeline_tests.bank.second_bank import (
    Reply,
    SecondBank,
    Seen,
    StillClock,
    free_port,
    http_date,
)

POCKETS = "/api/v2/pockets/"
GET_POCKETS = f"GET {POCKETS}"
Make = Callable[..., Settings]
Walk = Callable[..., list[Page]]


def page(items: list[object], following: object = None) -> Reply:
    return Reply(200, {"prev_page": None, "next_page": following, "items": items, "object_type": "CursorList"})


@pytest.fixture
def walk(second_bank: SecondBank, settings_for: Make, still: StillClock) -> Walk:
    """All pages of a listing, over a connection of its own."""

    def pages(listing: Listing | None = None, **changes: object) -> list[Page]:
        contract = JIKO.model_copy(update=changes)
        with connect(settings_for(), clock=still.clock, contract=contract) as bank:
            return list(bank.pages(listing or listings.pockets()))

    return pages


def test_cursors_are_followed_twice_and_every_page_is_kept_once_as_it_came(second_bank: SecondBank, walk: Walk) -> None:
    replies = [page([1], "a/b="), page([], " c "), page([2])]
    second_bank.plant(GET_POCKETS, *replies, *replies)
    pages = walk()
    assert [item.body for item in pages] == [reply.payload() for reply in replies]
    assert [item.is_last for item in pages] == [False, False, True]
    asked = [seen.query for seen in second_bank.calls(GET_POCKETS)]
    assert [query.get("cursor") for query in asked] == [None, ["a/b="], ["c"]] * 2
    assert [query["limit"] for query in asked] == [["100"]] * 3 + [["99"]] * 3
    assert [dict(item.query).get("cursor") for item in pages] == [None, "a/b=", "c"]
    assert pages[0].fetched_at.utcoffset() == timedelta(0)
    assert pages[0].url_path == POCKETS


@pytest.mark.parametrize("end", [None, "", "   ", "\n"])
def test_null_empty_and_blank_tokens_end_a_listing(second_bank: SecondBank, walk: Walk, end: object) -> None:
    second_bank.plant(GET_POCKETS, page([1], end))
    assert [item.is_last for item in walk()] == [True]


@pytest.mark.parametrize("cycle", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_a_token_that_comes_back_is_noticed_at_once(second_bank: SecondBank, walk: Walk, cycle: list[str]) -> None:
    second_bank.plant(GET_POCKETS, *[page([1], token) for token in [*cycle, *cycle]])
    with pytest.raises(ContractBrokenError, match="circle"):
        walk()
    assert len(second_bank.calls(GET_POCKETS)) == len(cycle) + 1


def test_a_listing_without_an_end_stops_at_the_cap(second_bank: SecondBank, walk: Walk) -> None:
    second_bank.plant(GET_POCKETS, *[page([], f"token-{number}") for number in range(9)])
    with pytest.raises(ContractBrokenError, match="did not end after 5 pages"):
        walk(page_cap=5)
    assert len(second_bank.calls(GET_POCKETS)) == 5


@pytest.mark.parametrize("token", ["https://evil.example/next", 7, ["a"], "x" * 9000, "a\ud800"])
def test_what_is_no_token_is_not_followed(second_bank: SecondBank, walk: Walk, token: object) -> None:
    second_bank.plant(GET_POCKETS, page([1], token))
    with pytest.raises(ContractBrokenError):
        walk()
    assert len(second_bank.calls(GET_POCKETS)) == 1


@pytest.mark.parametrize("document", [{"next_page": None}, {"items": {}, "next_page": None}])
def test_a_page_without_items_is_not_an_empty_listing(second_bank: SecondBank, walk: Walk, document: object) -> None:
    second_bank.plant(GET_POCKETS, Reply(200, document))
    with pytest.raises(ContractBrokenError, match="without a list of items"):
        walk()


@pytest.mark.parametrize(
    ("day", "start", "end"),
    [
        (date(2024, 3, 10), "2024-03-10T05:00:00.000000Z", "2024-03-11T03:59:59.999999Z"),
        (date(2024, 7, 3), "2024-07-03T04:00:00.000000Z", "2024-07-04T03:59:59.999999Z"),
        (date(2024, 11, 3), "2024-11-03T04:00:00.000000Z", "2024-11-04T04:59:59.999999Z"),
    ],
)
def test_days_are_new_york_days_on_the_wire(
    second_bank: SecondBank, walk: Walk, day: date, start: str, end: str
) -> None:
    second_bank.plant("GET /api/v2/transactions/", page([]))
    walk(listings.transactions(day, day))
    query = second_bank.calls("GET /api/v2/transactions/")[0].query
    assert query["time_booked_from"] == [start]
    assert query["time_booked_to"] == [end]


def test_the_life_of_a_pocket_is_asked_for_in_two_single_rows(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    def movement(seen: Seen) -> Reply:
        instant = "2024-06-04T01:30:00Z" if seen.query["order"] == ["asc"] else "2024-07-01T12:00:00+00:00"
        return page([{"pocket_id": seen.query["pocket[]"][0], "time_booked": instant}], "more")

    second_bank.plant("GET /api/v2/transactions/", movement, movement)
    with connect(settings_for(), clock=still.clock) as bank:
        # 01:30 UTC is still the evening before in New York.
        assert bank.first_and_last_activity("p-1") == (date(2024, 6, 3), date(2024, 7, 1))
    assert [seen.query["limit"] for seen in second_bank.calls("GET /api/v2/transactions/")] == [["1"], ["1"]]


def test_a_movement_of_another_pocket_is_not_taken(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    item = {"pocket_id": "p-2", "time_booked": "2024-06-04T01:30:00Z"}
    second_bank.plant("GET /api/v2/transactions/", page([item]))
    with connect(settings_for(), clock=still.clock) as bank, pytest.raises(ContractBrokenError):
        bank.first_and_last_activity("p-1")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_passing_failures_are_tried_again(second_bank: SecondBank, walk: Walk, status: int) -> None:
    second_bank.plant(GET_POCKETS, Reply(status, {}), Reply(status, {}), page([1]))
    assert len(walk()) == 1


@pytest.mark.fault_rows(18)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ValidationRefusedError),
        (403, ScopeError),
        (404, NotFoundError),
        (409, ConflictError),
        (418, ContractBrokenError),
        (422, ValidationRefusedError),
        (204, ContractBrokenError),
        (307, ContractBrokenError),
        (451, ContractBrokenError),
    ],
)
def test_other_answers_are_errors_of_their_own_type_at_once(
    second_bank: SecondBank, walk: Walk, status: int, kind: type[JikoPipelineError]
) -> None:
    second_bank.plant(
        GET_POCKETS, Reply(status, {}, {"Location": "http://127.0.0.1:9/"}, body=b"" if status == 204 else None)
    )
    with pytest.raises(kind) as caught:
        walk()
    assert POCKETS in str(caught.value)
    assert len(second_bank.calls(GET_POCKETS)) == 1


def test_a_bank_that_stays_down_is_given_up_after_five_tries_within_two_minutes(
    second_bank: SecondBank, walk: Walk, still: StillClock
) -> None:
    second_bank.plant(GET_POCKETS, *[Reply(503, {})] * 9)
    with pytest.raises(UnavailableError, match="5 tries"):
        walk()
    assert len(second_bank.calls(GET_POCKETS)) == 5
    assert still.elapsed < 120


@pytest.mark.fault_rows(2)
def test_a_bank_that_nobody_listens_for_is_named_by_host(settings_for: Make, still: StillClock) -> None:
    port = free_port()
    with (
        connect(settings_for(auth_url=f"http://127.0.0.1:{port}"), clock=still.clock) as bank,
        pytest.raises(UnavailableError, match=f"127.0.0.1:{port}"),
    ):
        bank.sign_in()


@pytest.mark.parametrize("given_up", ["86400", "9999999999"])
def test_a_wait_of_more_than_two_minutes_is_not_waited(
    second_bank: SecondBank, walk: Walk, still: StillClock, given_up: str
) -> None:
    second_bank.plant(GET_POCKETS, Reply(429, {}, {"Retry-After": given_up}))
    with pytest.raises(RateLimitedError) as caught:
        walk()
    assert still.slept == []
    assert caught.value.retry_at is not None


def test_retry_after_is_waited_for_exactly(second_bank: SecondBank, walk: Walk, still: StillClock) -> None:
    second_bank.plant(GET_POCKETS, Reply(429, {}, {"Retry-After": "7"}), page([]))
    walk()
    assert still.slept == [7.0]


@pytest.mark.fault_rows(21)
def test_a_retry_date_is_read_against_the_clock_of_the_bank(
    second_bank: SecondBank, walk: Walk, still: StillClock
) -> None:
    theirs = still.now + timedelta(minutes=10)
    headers = {"Date": http_date(theirs), "Retry-After": http_date(theirs + timedelta(seconds=9))}
    second_bank.plant(GET_POCKETS, Reply(429, {}, headers), page([]))
    walk()
    assert still.slept == [9.0]


@given(st.one_of(st.text(max_size=30), st.sampled_from(["-1", "NaN", "inf", "-inf", "", "1e400", "١٢"])))
def test_no_retry_after_text_gives_a_wait_that_is_negative_or_no_number(text: str) -> None:
    seconds = retry_after_seconds(text, None, StillClock().now)
    assert seconds is None or 0 <= seconds < float("inf")


@pytest.mark.parametrize("body", [b"<html>please sign in</html>", b"[1]", b'{"items": [], "items": [1]}', b"\xff", b""])
def test_an_answer_that_is_no_json_object_is_tried_again_and_then_refused(
    second_bank: SecondBank, walk: Walk, body: bytes
) -> None:
    second_bank.plant(GET_POCKETS, Reply(200, body=body), page([1]))
    assert len(walk()) == 1
    second_bank.plant(GET_POCKETS, *[Reply(200, body=body)] * 5)
    with pytest.raises(ContractBrokenError, match="not a JSON object"):
        walk()


def raw(head: str, body: bytes) -> Reply:
    return Reply(raw=f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{head}\r\n\r\n".encode() + body)


WHOLE = b'{"items": [], "next_page": null}'


@pytest.mark.fault_rows(8, 9)
@pytest.mark.parametrize(
    "reply",
    [
        raw("Connection: close", WHOLE),
        raw(f"Content-Encoding: gzip\r\nContent-Length: {len(gzip.compress(WHOLE))}", gzip.compress(WHOLE)),
        raw(f"Content-Length: {9 * 2**20}", WHOLE),
    ],
    ids=["length unknown", "coded", "announced too large"],
)
def test_an_answer_whose_end_or_size_cannot_be_trusted_is_refused(
    second_bank: SecondBank, walk: Walk, reply: Reply
) -> None:
    second_bank.plant(GET_POCKETS, reply)
    with pytest.raises(ContractBrokenError):
        walk()


@pytest.mark.fault_rows(6, 7, 15)
@pytest.mark.parametrize(
    "reply",
    [
        raw(f"Content-Length: {len(WHOLE) + 5}", WHOLE),
        raw("Transfer-Encoding: chunked", b"20\r\n" + WHOLE + b"\r\n"),
        raw("Content-Length: -4", WHOLE),
        Reply(hang_up=True),
        Reply(raw=b"\x00\x01 nonsense\r\n\r\n"),
    ],
    ids=["short", "chunks without end", "negative length", "hung up", "not HTTP"],
)
def test_a_cut_answer_is_fetched_again(second_bank: SecondBank, walk: Walk, reply: Reply) -> None:
    second_bank.plant(GET_POCKETS, reply, page([]))
    assert len(walk()) == 1
    assert len(second_bank.calls(GET_POCKETS)) == 2


def test_a_chunked_answer_beyond_the_cap_is_cut_off(second_bank: SecondBank, walk: Walk) -> None:
    chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
    second_bank.plant(GET_POCKETS, raw("Transfer-Encoding: chunked", chunk * 40))
    with pytest.raises(ContractBrokenError, match="more than the 65536 bytes"):
        walk(json_cap_bytes=65536)


@pytest.mark.fault_rows(13)
def test_a_slow_answer_is_given_up_at_the_deadline(
    second_bank: SecondBank, settings_for: Make, still: StillClock
) -> None:
    def drip(_seen: Seen) -> Reply:
        still.advance(31)
        return page([])

    second_bank.plant(GET_POCKETS, *[drip] * 9)
    with (
        connect(settings_for(request_deadline_seconds=30), clock=still.clock) as bank,
        pytest.raises(UnavailableError, match="too long"),
    ):
        list(bank.pages(listings.pockets()))
    assert len(second_bank.calls(GET_POCKETS)) == 1


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example/", "api/v2/", "/a?b=c", "/x/https://y"])
def test_an_address_outside_the_api_is_refused_before_anything_is_sent(
    second_bank: SecondBank, settings_for: Make, path: str
) -> None:
    with connect(settings_for()) as bank, pytest.raises(ContractBrokenError):
        bank.api.call(Operation("any", None), path)
    assert second_bank.seen == []


@pytest.mark.fault_rows(19)
def test_proxies_of_the_environment_are_ignored(
    walk: Walk, second_bank: SecondBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    second_bank.plant(GET_POCKETS, page([]))
    assert len(walk()) == 1


def test_cookies_of_the_bank_are_not_kept(second_bank: SecondBank, walk: Walk) -> None:
    first = page([], "more")
    first.headers["Set-Cookie"] = "session=abc; Path=/"
    second_bank.plant(GET_POCKETS, first, page([]), first, page([]))
    walk()
    assert ["cookie" in seen.headers for seen in second_bank.calls(GET_POCKETS)] == [False] * 4


@pytest.mark.fault_rows(29)
def test_what_a_422_rejects_is_shown_without_the_rejected_input(second_bank: SecondBank, walk: Walk) -> None:
    item = {
        "loc": ["query", "limit"],
        "msg": "canary-input is too large",
        "type": "x",
        "input": "canary-input",
        "ctx": {"a": "canary-ctx"},
    }
    second_bank.plant(GET_POCKETS, Reply(422, {"detail": [item]}))
    with pytest.raises(ValidationRefusedError) as caught:
        walk()
    assert "query.limit: ... is too large" in str(caught.value)
    assert "canary" not in json.dumps([str(caught.value), *caught.value.detail])


def test_an_answer_of_401_to_a_public_call_asks_for_no_sign_in(second_bank: SecondBank, walk: Walk) -> None:
    second_bank.plant("GET /__simulator__/reference.csv", Reply(401, {}))
    with pytest.raises(AuthenticationError):
        walk(listings.reference_list())
    assert second_bank.calls("POST .*") == []
