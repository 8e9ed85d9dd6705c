"""The chaos switch of the simulated bank: each fault does what it says, seen without the pipeline's own client."""

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from jiko_pipeline.simulator.chaos.catalogue import FAULTS, Layer
from jiko_pipeline.simulator.chaos.profiles import PROFILES
from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline_tests.bank.chaos_rig import ask, chaos, incidents, injected, log, reset, rule, rules
from jiko_pipeline_tests.bank.simulator_rig import Json, ServedBank, served

NOW = datetime(2024, 7, 17, 20, 30, tzinfo=UTC)
TRANSACTIONS = "/api/v2/transactions/"
POCKETS = "/api/v2/pockets/"
REQUESTS = "/api/v1/report-requests/"
TOKEN = "/api/oauth2/token"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBank]:
    with served(ServeOptions(tmp_path_factory.mktemp("bank"), now=NOW)) as running:
        yield running


@pytest.fixture(autouse=True)
def _clean(bank: ServedBank) -> Iterator[None]:
    yield
    reset(bank)


def page(bank: ServedBank, cursor: str | None = None, limit: int = 5) -> Json:
    query = {} if cursor is None else {"cursor": cursor}
    return bank.get(TRANSACTIONS, limit=limit, **query)


def walk(bank: ServedBank, limit: int = 20, pages: int = 200) -> list[Json]:
    """All rows as a trusting reader takes them, which follows tokens only."""
    items: list[Json] = []
    cursor = None
    for _ in range(pages):
        shown = page(bank, cursor, limit)
        items += shown["items"]
        cursor = shown.get("next_page")
        if not cursor:
            break
    return items


def ids(items: list[Json]) -> list[str]:
    return [item["id"] for item in items]


def raw(bank: ServedBank, path: str, *, seconds: float = 30.0) -> bytes:
    """Everything that comes over a socket until it is closed; ConnectionResetError when it is reset."""
    port = urlsplit(bank.announcement["api_url"]).port
    authorization = bank.http.headers["Authorization"]
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as wire:
        wire.sendall(
            f"GET {path} HTTP/1.1\r\nHost: bank\r\nAuthorization: {authorization}\r\nConnection: close\r\n\r\n".encode()
        )
        parts = []
        while part := wire.recv(65536):
            parts.append(part)
    return b"".join(parts)


def split(answer: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """(status line, headers by lower-case name, body)."""
    head, _, body = answer.partition(b"\r\n\r\n")
    line, *lines = head.split(b"\r\n")
    headers = dict(each.split(b": ", 1) for each in lines)
    return line, {name.lower(): value for name, value in headers.items()}, body


def whole(bank: ServedBank, path: str = POCKETS) -> bytes:
    return bank.http.get(path).content


# Control and the log


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("POST", "rules"),
        ("GET", "rules"),
        ("GET", "log"),
        ("POST", "reset"),
        ("GET", "truth"),
        ("GET", "clock"),
        ("POST", "clock"),
        ("GET", "incidents"),
    ],
)
def test_control_needs_the_token(bank: ServedBank, method: str, route: str) -> None:
    assert ask(bank, method, route, token="guessed").status_code == 401
    assert ask(bank, method, route, token="").status_code == 401


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"fault": "earthquake"}, "'earthquake' is none"),
        ({"fault": "status", "args": {"code": 500}}, "args.code"),
        ({"fault": "status", "args": {"status": "500"}}, "args.status"),
        ({"fault": "drift", "args": {"change": "sideways"}}, "insert or remove"),
        ({"fault": "status", "match": {"p": 2}}, "match.p"),
        ({"fault": "status", "match": {"every": 0}}, "match.every"),
        ({"fault": "status", "surprise": 1}, "surprise"),
        ({"fault": "status", "times": 0}, "times"),
        (["status"], "rule"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused_with_its_reason(bank: ServedBank, wrong: Any, said: str) -> None:
    answer = ask(bank, "POST", "rules", wrong)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert ask(bank, "GET", "rules").json() == {"rules": []}


def test_control_is_never_disturbed(bank: ServedBank) -> None:
    rules(bank, rule("status", status=500), rule("refuse"))
    assert bank.control("GET", "world")["limits"] == "off"
    assert ask(bank, "GET", "rules").status_code == 200


def test_truth_and_clock_are_those_of_the_bank(bank: ServedBank) -> None:
    assert ask(bank, "GET", "truth").json() == bank.control("GET", "truth")
    moved = ask(bank, "POST", "clock", {"advance_seconds": 60}).json()["now"]
    assert datetime.fromisoformat(moved) <= bank.now() < datetime.fromisoformat(moved) + timedelta(minutes=5)
    ask(bank, "POST", "clock", {"now": NOW.isoformat()})


def test_without_chaos_and_after_it_answers_are_the_same_byte_for_byte(
    bank: ServedBank, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def answers(of: ServedBank) -> list[tuple[int, bytes, list[str]]]:
        listed = [of.http.get(path) for path in (TRANSACTIONS, "/api/v1/trades.csv", "/api/v2/nowhere/", POCKETS)]
        return [(answer.status_code, answer.content, sorted(answer.headers)) for answer in listed]

    with served(ServeOptions(tmp_path_factory.mktemp("untouched"), now=NOW)) as untouched:
        before = answers(untouched)
    with chaos(bank, rule("status", match={"nth": 1}), rule("latency", ms=1)):
        bank.http.get(POCKETS)
    after = answers(bank)
    # Cursors are signed by the secret that each bank was born with.
    assert [(status, headers) for status, _, headers in before] == [(status, headers) for status, _, headers in after]
    assert json.loads(before[0][1])["items"] == json.loads(after[0][1])["items"]
    assert [body for _, body, _ in before[1:]] == [body for _, body, _ in after[1:]]


def run_flaky(bank: ServedBank, seed: int) -> list[Json]:
    reset(bank, seed=seed)
    rules(
        bank,
        rule("status", id="down", status=503, match={"p": 0.3}),
        rule("rate_headers", id="used-up", match={"p": 0.3}),
        rule("latency", id="late", ms=0, match={"p": 0.3}),
    )
    for _ in range(12):
        bank.http.get(POCKETS)
        bank.http.get(TRANSACTIONS, params={"limit": 1})
    return [{name: value for name, value in entry.items() if name != "at"} for entry in log(bank)]


def test_the_same_seed_gives_the_same_log_and_another_seed_another(bank: ServedBank) -> None:
    first = run_flaky(bank, 5)
    assert first == run_flaky(bank, 5)
    assert first != run_flaky(bank, 6)
    assert {entry["fault"] for entry in first} == {"status", "rate_headers", "latency"}


def test_chance_is_counted_by_route_so_that_other_routes_do_not_shift_it(bank: ServedBank) -> None:
    def outcomes(*, between: bool) -> list[int]:
        reset(bank, seed=3)
        rules(bank, rule("status", match={"p": 0.5}))
        seen = []
        for _ in range(16):
            seen.append(bank.http.get(POCKETS).status_code)
            if between:
                bank.http.get("/api/v2/trades/", params={"limit": 1})
        return seen

    alone = outcomes(between=False)
    assert set(alone) == {200, 503}
    assert outcomes(between=True) == alone


def test_the_log_names_rule_fault_route_and_request(bank: ServedBank) -> None:
    pocket = bank.get(POCKETS)["items"][0]["id"]
    rules(bank, rule("status", id="teapot", status=418))
    bank.http.get(f"{POCKETS}{pocket}/", headers={"X-Request-Id": "mine"})
    (entry,) = log(bank)
    assert entry["n"] == 1
    assert (entry["rule"], entry["fault"], entry["layer"]) == ("teapot", "status", "application")
    assert (entry["route"], entry["request_id"]) == (f"GET {POCKETS}{{}}/", "mine")
    assert datetime.fromisoformat(entry["at"]).date() == NOW.date()


def test_a_fault_without_an_occasion_is_neither_injected_nor_logged(bank: ServedBank) -> None:
    rules(bank, rule("missing_field", name="nothing-of-that-name", times=1), rule("cursor_expired", times=1))
    assert bank.http.get(POCKETS).status_code == 200
    assert log(bank) == []


@pytest.mark.parametrize(
    ("match", "times", "hit"),
    [
        ({"nth": 2}, None, [2]),
        ({"nth": [1, 4]}, None, [1, 4]),
        ({"every": 3}, None, [3, 6]),
        ({}, 2, [1, 2]),
        ({"p": 0}, None, []),
        ({"method": "POST"}, None, []),
        ({"path": "/api/v1/*"}, None, []),
        ({"query": {"limit": "1"}}, None, [1, 2, 3, 4, 5, 6]),
        ({"query": {"limit": None}}, None, []),
        ({"query": {"cursor": None}}, 1, [1]),
    ],
)
def test_a_rule_meets_the_requests_that_it_names(
    bank: ServedBank, match: Json, times: int | None, hit: list[int]
) -> None:
    rules(bank, rule("status", status=503, match=match, times=times))
    seen = [bank.http.get(POCKETS, params={"limit": 1}).status_code for _ in range(6)]
    assert [number for number, status in enumerate(seen, start=1) if status == 503] == hit


def test_a_rule_can_look_into_the_body(bank: ServedBank) -> None:
    mine, other = [pocket["id"] for pocket in bank.get(POCKETS)["items"] if pocket["status"] == "OPEN"][:2]
    rules(bank, rule("status", status=403, match={"method": "POST", "body": mine}))
    statuses = [
        bank.order("POSITION_SUMMARY_REPORT", "CSV", date="2024-07-16", pocket_ids=[pocket]).status_code
        for pocket in (mine, other)
    ]
    assert statuses == [403, 201]


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_profile_is_a_set_of_rules_that_can_be_put_in_force(bank: ServedBank, profile: str) -> None:
    reset(bank, profile=profile)
    assert len(ask(bank, "GET", "rules").json()["rules"]) == len(PROFILES[profile])


def test_serving_with_a_profile_begins_with_its_rules(tmp_path: Path) -> None:
    options = ServeOptions(tmp_path / "bank", now=NOW, chaos="slow", chaos_seed=9)
    with served(options) as slow:
        assert (slow.announcement["chaos"], slow.announcement["chaos_seed"]) == ("slow", 9)
        slow.http.get(POCKETS)
        assert set(injected(slow)) == {"latency", "jitter"}
    kept = [json.loads(line) for line in (tmp_path / "bank" / "chaos.jsonl").read_text().splitlines()]
    assert {"latency", "jitter"} <= {entry["fault"] for entry in kept}


def test_every_fault_is_explained(bank: ServedBank) -> None:
    document = Path(__file__).resolve().parents[2] / "docs" / "chaos.md"
    text = document.read_text(encoding="utf-8").partition("## Profiles")[0]
    assert [name for name in FAULTS if f"| `{name}` |" not in text] == []
    for fault in FAULTS.values():
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{fault.name}` |")]
        assert [name for name in fault.arguments if f"`{name}" not in line] == [], fault.name


# In place of the bank's answer


@pytest.mark.parametrize("status", [402, 403, 404, 418, 451, 500, 502, 503, 504, 206])
def test_any_status_with_body_and_headers(bank: ServedBank, status: int) -> None:
    rules(bank, rule("status", status=status, body={"detail": "no"}, headers={"Retry-After": "never"}))
    answer = bank.http.get(POCKETS)
    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (status, {"detail": "no"}, "never")
    assert injected(bank) == ["status"]


def test_a_status_without_content(bank: ServedBank) -> None:
    rules(bank, rule("status", status=204))
    assert (bank.http.get(POCKETS).status_code, bank.http.get(POCKETS).content) == (204, b"")


def test_a_lost_answer_leaves_its_effect_at_the_bank(bank: ServedBank) -> None:
    before = len(bank.walk(REQUESTS))
    rules(bank, rule("status", status=502, effect=True, match={"method": "POST", "path": REQUESTS}))
    assert bank.order("TRADE_REPORT", "CSV", date_from="2024-07-15", date_to="2024-07-16").status_code == 502
    assert len(bank.walk(REQUESTS)) == before + 1


def test_a_page_for_people_and_an_error_that_looks_like_success(bank: ServedBank) -> None:
    rules(bank, rule("html", match={"nth": 1}), rule("json_error", match={"nth": 2}))
    first, second = bank.http.get(POCKETS), bank.http.get(POCKETS)
    assert (first.status_code, first.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert first.text.startswith("<!DOCTYPE html>")
    assert (second.status_code, second.json()["error"]) == (200, "internal_error")


def test_a_validation_error_echoes_what_was_sent_with_its_secrets(bank: ServedBank) -> None:
    rules(bank, rule("echo_input", secret="canary"))
    answer = bank.http.post(REQUESTS, json={"report_type": "odd"})
    (problem,) = answer.json()["detail"]
    assert answer.status_code == 422
    assert problem["input"]["authorization"] == bank.http.headers["Authorization"]
    assert problem["input"]["body"] == '{"report_type":"odd"}'
    assert problem["input"]["secret"] == "canary"


@pytest.mark.parametrize(("to", "origin"), [("evil", "evil_host"), ("http", "api"), ("file:///etc/passwd", None)])
def test_a_redirect_leads_away(bank: ServedBank, to: str, origin: str | None) -> None:
    rules(bank, rule("redirect", to=to))
    answer = bank.http.get(POCKETS)
    expected = {
        "evil_host": f"http://{bank.announcement['evil_host']}{POCKETS}",
        "api": f"{bank.announcement['api_url']}{POCKETS}",
        None: to,
    }
    assert (answer.status_code, answer.headers["Location"]) == (307, expected[origin])


def test_a_cursor_may_expire(bank: ServedBank) -> None:
    cursor = page(bank)["next_page"]
    rules(bank, rule("cursor_expired"))
    assert bank.http.get(TRANSACTIONS).status_code == 200
    assert bank.http.get(TRANSACTIONS, params={"cursor": cursor, "limit": 5}).status_code == 400


def test_the_token_endpoint_may_refuse_and_repeat_what_it_got(bank: ServedBank) -> None:
    rules(bank, rule("token_error", echo=True))
    assertion = bank.assertion()
    answer = bank.ask_token(assertion)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert assertion in answer.json()["error_description"]
    assert bank.http.get(POCKETS).status_code == 200


# Other circumstances


def test_a_token_may_be_revoked_before_its_time(bank: ServedBank) -> None:
    rules(bank, rule("revoke_token", match={"nth": 1}))
    assert [bank.http.get(POCKETS).status_code for _ in range(2)] == [401, 401]
    reset(bank)
    bank.sign_in()
    assert bank.http.get(POCKETS).status_code == 200


def test_the_page_size_may_be_another_than_asked_for(bank: ServedBank) -> None:
    expected = ids(walk(bank, limit=100))
    rules(bank, rule("page_size", limit=30))
    assert len(page(bank, limit=100)["items"]) == len(page(bank, limit=3)["items"]) == 30
    assert ids(walk(bank, limit=100)) == expected


@pytest.mark.parametrize("minutes", [10, -10])
def test_the_clock_of_the_bank_may_be_off(bank: ServedBank, minutes: int) -> None:
    rules(bank, rule("clock_skew", minutes=minutes))
    answer = bank.ask_token(bank.assertion())
    told = parsedate_to_datetime(answer.headers["Date"])
    assert abs(told - bank.now() - timedelta(minutes=minutes)) < timedelta(minutes=1)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    seconds = int(told.timestamp())
    assert bank.ask_token(bank.assertion(iat=seconds, exp=seconds + 60)).status_code == 200


@pytest.mark.parametrize("value", [0, -5, "900", "soon", None])
def test_a_token_may_say_anything_of_its_life(bank: ServedBank, value: object) -> None:
    rules(bank, rule("token_expires_in", value=value))
    assert bank.ask_token(bank.assertion()).json()["expires_in"] == value


def test_a_token_may_say_nothing_of_its_life(bank: ServedBank) -> None:
    rules(bank, rule("token_expires_in", absent=True))
    assert "expires_in" not in bank.ask_token(bank.assertion()).json()


def test_a_token_may_live_shortly(bank: ServedBank) -> None:
    rules(bank, rule("token_life", seconds=2))
    answer = bank.ask_token(bank.assertion()).json()
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    assert answer["expires_in"] == 2
    bank.move_clock(to=(bank.now() + timedelta(seconds=3)).isoformat())
    assert bank.http.get(POCKETS, headers=headers).status_code == 401
    assert bank.http.get(POCKETS).status_code == 200


def test_a_token_may_lack_a_scope_that_was_asked_for(bank: ServedBank) -> None:
    rules(bank, rule("scope_reduced", without=["reports.write"]))
    answer = bank.ask_token(bank.assertion()).json()
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    assert "reports.write" not in answer["scope"].split()
    assert bank.http.post(REQUESTS, headers=headers, json={}).status_code == 403
    assert bank.http.get(POCKETS, headers=headers).status_code == 200


# Pages


@pytest.mark.parametrize("change", ["insert", "remove", "shift", "repeat", "change"])
def test_a_list_moves_while_it_is_read(bank: ServedBank, change: str) -> None:
    still = walk(bank)
    rules(bank, rule("drift", change=change, set={"status": "BOOKED", "time_settled": None}, times=1))
    moved, later = walk(bank), walk(bank)
    assert injected(bank) == ["drift"]
    if change == "insert":
        assert ids(moved) == ids(still)[1:]
        assert later == still
    elif change == "remove":
        assert ids(moved) == [*ids(still)[:20], *ids(still)[21:]]
        assert later == still[1:]
    elif change == "shift":
        assert ids(moved) == [*ids(still)[:20], *ids(still)[21:]]
        assert later == still
    elif change == "repeat":
        assert ids(moved) == [*ids(still)[:20], *ids(still)[19:]]
        assert later == still
    else:
        doubled = next(at for at in range(len(moved) - 1) if moved[at]["id"] == moved[at + 1]["id"])
        assert (moved[doubled]["status"], moved[doubled]["time_settled"]) == ("BOOKED", None)
        assert moved[doubled + 1] in still
        assert [*moved[:doubled], *moved[doubled + 1 :]] == later == still


def test_a_page_may_name_its_own_token_again(bank: ServedBank) -> None:
    rules(bank, rule("repeat_token"))
    token = page(bank)["next_page"]
    assert [page(bank, token)["next_page"] for _ in range(2)] == [token, token]


def test_tokens_may_turn_in_a_circle(bank: ServedBank) -> None:
    rules(bank, rule("token_cycle", length=2))
    first = page(bank)["next_page"]
    second = page(bank, first)["next_page"]
    assert second != first
    assert page(bank, second)["next_page"] == first


def test_tokens_may_never_end(bank: ServedBank) -> None:
    rules(bank, rule("endless_tokens", times=1))
    tokens = [page(bank)["next_page"]]
    for _ in range(20):
        shown = page(bank, tokens[-1])
        assert shown["items"] == []
        tokens.append(shown["next_page"])
    assert len(set(tokens)) == 21


def test_empty_pages_may_end_after_some(bank: ServedBank) -> None:
    rules(bank, rule("endless_tokens", pages=3, times=1))
    cursor, empty = page(bank)["next_page"], 0
    while cursor is not None:
        shown = page(bank, cursor)
        cursor, empty = shown["next_page"], empty + (shown["items"] == [])
    assert empty == 3


@pytest.mark.parametrize("fault", ["empty_page", "trailing_empty_page"])
def test_empty_pages_hide_no_row(bank: ServedBank, fault: str) -> None:
    expected = ids(walk(bank))
    rules(bank, rule(fault))
    cursor, shown, sizes = None, [], []
    for _ in range(200):
        at = page(bank, cursor, 20)
        shown += ids(at["items"])
        sizes.append(len(at["items"]))
        cursor = at["next_page"]
        if cursor is None:
            break
    assert shown == expected
    assert 0 in sizes
    assert (sizes[-1] == 0) == (fault == "trailing_empty_page")


@pytest.mark.parametrize("across", [False, True])
def test_rows_may_come_in_any_order(bank: ServedBank, across: bool) -> None:
    expected = ids(walk(bank))
    rules(bank, rule("unsorted", across=across))
    shown = ids(walk(bank))
    assert shown != expected
    assert sorted(shown) == sorted(expected)
    assert (sorted(shown[:20]) == sorted(expected[:20])) == (not across)


def test_the_next_page_may_be_an_address_on_the_evil_origin(bank: ServedBank) -> None:
    rules(bank, rule("next_absolute"))
    address = page(bank)["next_page"]
    assert address.startswith(f"http://{bank.announcement['evil_host']}{TRANSACTIONS}?cursor=")
    assert incidents(bank)["evil"] == []
    bank.http.get(address)
    (incident,) = incidents(bank)["evil"]
    assert (incident["method"], incident["path"]) == ("GET", TRANSACTIONS)


def test_a_count_may_disagree_with_the_rows(bank: ServedBank) -> None:
    rules(bank, rule("total_count", by=3))
    shown = bank.get(POCKETS)
    assert shown["total_count"] == len(shown["items"]) + 3


@pytest.mark.parametrize(("form", "told"), [("empty", ""), ("blank", "  "), ("null", None), ("absent", "absent")])
def test_the_end_of_a_list_may_be_told_in_many_forms(bank: ServedBank, form: str, told: str | None) -> None:
    rules(bank, rule("cursor_form", form=form))
    assert bank.get(POCKETS, limit=100).get("next_page", "absent") == told
    assert bank.get(TRANSACTIONS, limit=5)["next_page"]


def test_the_end_of_a_list_may_be_an_address(bank: ServedBank) -> None:
    rules(bank, rule("cursor_form", form="url"))
    assert bank.get(POCKETS, limit=100)["next_page"] == f"{bank.announcement['api_url']}{POCKETS}?cursor=end"


# Fields, headers, bytes


def test_fields_may_be_new_missing_or_unknown(bank: ServedBank) -> None:
    plain = page(bank)["items"]
    rules(
        bank,
        rule("new_field", name="surprise", value=1),
        rule("missing_field", name="title"),
        rule("field_value", name="status", value="ARCHIVED"),
        rule("field_value", id="within", name="amount.currency", value="EUR"),
    )
    for before, after in zip(plain, page(bank)["items"], strict=True):
        assert (after["surprise"], after["status"], after["amount"]["currency"]) == (1, "ARCHIVED", "EUR")
        assert "title" in before
        assert set(before) ^ set(after) == {"title", "surprise"}
    assert injected(bank) == ["new_field", "missing_field", "field_value", "field_value"]


def test_value_and_text_of_an_amount_may_disagree(bank: ServedBank) -> None:
    rules(bank, rule("amount_disagrees", cents=1))
    for item in page(bank)["items"]:
        amount = item["amount"]
        assert int(amount["formatted"].replace("$", "").replace(",", "").replace(".", "")) == amount["value"] + 1


@pytest.mark.parametrize(("change", "number"), [("longer", 3), ("shorter", 1)])
def test_a_finished_request_may_name_other_reports(bank: ServedBank, change: str, number: int) -> None:
    order = bank.order("TRADE_REPORT", "CSV", "KYRIBA_CSV", date_from="2024-07-15", date_to="2024-07-16").json()
    assert len(bank.finished(order["id"])["reports"]) == 2
    rules(bank, rule("report_ids", change=change))
    assert len(bank.get(f"{REQUESTS}{order['id']}/")["reports"]) == number


def made_report(bank: ServedBank) -> str:
    order = bank.order("TRADE_REPORT", "CSV", date_from="2024-07-15", date_to="2024-07-16").json()
    report: str = bank.finished(order["id"])["reports"][0]["id"]
    return report


def test_a_download_link_may_lead_elsewhere(bank: ServedBank) -> None:
    report = made_report(bank)
    rules(bank, rule("link_to", to="evil", match={"nth": 1}), rule("link_to", to="http://10.0.0.1/x", id="private"))
    assert bank.link(report).startswith(f"http://{bank.announcement['evil_host']}/files/")
    assert bank.link(report) == "http://10.0.0.1/x"


def test_storage_may_redirect_and_its_files_may_be_altered(bank: ServedBank) -> None:
    link = bank.link(made_report(bank))
    body = bank.plain.get(link).content
    path = {"path": "/files/*"}
    rules(bank, rule("redirect", match={**path, "nth": 1}))
    assert bank.plain.get(link).headers["Location"].startswith(f"http://{bank.announcement['evil_host']}/files/")
    reset(bank)
    rules(bank, rule("cut", bytes=10, match=path), rule("header", value="text/html", match=path))
    cut = bank.plain.get(link)
    assert (cut.content, cut.headers["Content-Length"], cut.headers["Content-Type"]) == (body[:10], "10", "text/html")
    reset(bank)
    rules(bank, rule("replace", find=",", put=";", match=path))
    assert bank.plain.get(link).content == body.replace(b",", b";")


def test_credentials_at_storage_are_incidents(bank: ServedBank) -> None:
    link = bank.link(made_report(bank))
    assert incidents(bank)["storage"] == []
    assert bank.http.get(link).status_code == 400
    (incident,) = incidents(bank)["storage"]
    assert incident["why"] == "it came with authorization"
    assert bank.http.headers["Authorization"] not in json.dumps(incident)


@pytest.mark.parametrize(
    ("args", "reset_at"),
    [({"reset_in": 20}, 20), ({"reset_in": -60}, -60), ({"reset_in": 0, "milliseconds": True}, None)],
)
def test_rate_headers_may_say_anything(bank: ServedBank, args: Json, reset_at: int | None) -> None:
    rules(bank, rule("rate_headers", remaining=0, **args))
    headers = bank.http.get(POCKETS).headers
    stated, now = int(headers["X-RateLimit-Reset"]), bank.now().timestamp()
    assert headers["X-RateLimit-Remaining"] == "0"
    if reset_at is None:
        assert abs(stated / 1000 - now) < 60
    else:
        assert abs(stated - now - reset_at) < 60


# The wire


def test_slow_answers_are_whole(bank: ServedBank) -> None:
    expected = whole(bank)
    for fault, args in (
        ("latency", {"ms": 1}),
        ("jitter", {"ms": 2}),
        ("bandwidth", {"bytes_per_second": 1_000_000}),
        ("slicer", {"bytes": 100, "ms": 0}),
        ("drip", {"bytes": 50, "ms": 0}),
        ("slow_close", {"ms": 0}),
        ("timeout", {"ms": 1}),
    ):
        with chaos(bank, rule(fault, **args)):
            assert whole(bank) == expected
            assert injected(bank) == [fault]


def test_a_silent_answer_meets_the_timeout_of_the_reader(bank: ServedBank) -> None:
    rules(bank, rule("timeout", ms=60_000))
    with (
        httpx.Client(trust_env=False, timeout=0.1, headers=bank.http.headers) as hasty,
        pytest.raises(httpx.ReadTimeout),
    ):
        hasty.get(f"{bank.announcement['api_url']}{POCKETS}")


def test_silence_may_end_without_an_answer(bank: ServedBank) -> None:
    rules(bank, rule("timeout", ms=1, then="close"))
    assert raw(bank, POCKETS) == b""


def test_a_kept_connection_is_closed_between_requests(bank: ServedBank) -> None:
    rules(bank, rule("slow_close", ms=0, times=1))
    port = urlsplit(bank.announcement["api_url"]).port
    with socket.create_connection(("127.0.0.1", port), timeout=30) as wire:
        wire.sendall(b"GET /api/v2/pockets/ HTTP/1.1\r\nHost: bank\r\n\r\n")
        answer = b""
        while part := wire.recv(65536):
            answer += part
    line, headers, body = split(answer)
    assert line == b"HTTP/1.1 401 Unauthorized"
    assert len(body) == int(headers[b"content-length"])
    assert headers.get(b"connection") != b"close"


def test_a_refused_request_does_not_reach_the_bank(bank: ServedBank) -> None:
    calls = bank.control("GET", "counters")["calls"]["list_pockets"] if whole(bank) else 0
    rules(bank, rule("refuse"))
    with pytest.raises(ConnectionResetError):
        raw(bank, POCKETS)
    reset(bank)
    assert bank.control("GET", "counters")["calls"]["list_pockets"] == calls


@pytest.mark.parametrize("origin", ["api", "storage"])
def test_a_port_that_is_down_refuses_connections_until_the_rule_goes(bank: ServedBank, origin: str) -> None:
    link = bank.link(made_report(bank))
    urls = {"api": f"{bank.announcement['api_url']}{POCKETS}", "storage": link}
    other = urls["storage" if origin == "api" else "api"]
    rules(bank, rule("down", origin=origin))
    with httpx.Client(trust_env=False) as fresh:
        for _ in range(2):
            with pytest.raises(httpx.ConnectError):
                fresh.get(urls[origin])
        assert fresh.get(other).status_code in (200, 401)
        assert [entry["route"] for entry in log(bank)] == [f"CONNECT {origin}"]
        reset(bank)
        assert fresh.get(urls[origin]).status_code in (200, 401)


def test_a_reset_loses_the_answer_and_not_the_effect(bank: ServedBank) -> None:
    before = len(bank.walk(REQUESTS))
    rules(bank, rule("reset_peer", match={"method": "POST"}))
    with pytest.raises(httpx.TransportError):
        bank.order("TRADE_REPORT", "CSV", date_from="2024-07-15", date_to="2024-07-16")
    reset(bank)
    assert len(bank.walk(REQUESTS)) == before + 1


@pytest.mark.parametrize("after", [0, 1, 100])
def test_a_reset_may_come_within_the_body(bank: ServedBank, after: int) -> None:
    body = whole(bank)
    rules(bank, rule("reset_peer", bytes=after))
    got = b""
    port = urlsplit(bank.announcement["api_url"]).port
    with socket.create_connection(("127.0.0.1", port), timeout=30) as wire, pytest.raises(ConnectionResetError):
        authorization = bank.http.headers["Authorization"]
        wire.sendall(f"GET {POCKETS} HTTP/1.1\r\nHost: bank\r\nAuthorization: {authorization}\r\n\r\n".encode())
        while part := wire.recv(65536):
            got += part
    assert split(got)[2] == body[:after]


def test_bodies_may_be_shorter_than_their_length(bank: ServedBank) -> None:
    body = whole(bank)
    with chaos(bank, rule("limit_data", bytes=33)):
        _, headers, sent = split(raw(bank, POCKETS))
        assert (int(headers[b"content-length"]), sent) == (len(body), body[:33])
    with chaos(bank, rule("bad_length", by=7)):
        _, headers, sent = split(raw(bank, POCKETS))
        assert (int(headers[b"content-length"]), sent) == (len(body) + 7, body)


@pytest.mark.parametrize(("how", "stated"), [("two", 2), ("negative", 1), ("text", 1)])
def test_the_length_may_be_none(bank: ServedBank, how: str, stated: int) -> None:
    body = whole(bank)
    rules(bank, rule("bad_length2", how=how))
    head = raw(bank, POCKETS).partition(b"\r\n\r\n")[0].lower()
    lengths = [line.partition(b": ")[2] for line in head.split(b"\r\n") if line.startswith(b"content-length")]
    assert len(lengths) == stated
    assert lengths != [str(len(body)).encode()]
    with pytest.raises(httpx.RemoteProtocolError):
        bank.http.get(POCKETS)


@pytest.mark.parametrize(("how", "ends"), [("unfinished", None), ("size", b"no-size")])
def test_chunks_may_be_broken(bank: ServedBank, how: str, ends: bytes | None) -> None:
    body = whole(bank)
    rules(bank, rule("bad_chunk", how=how))
    _, headers, sent = split(raw(bank, POCKETS))
    assert headers[b"transfer-encoding"] == b"chunked"
    assert b"content-length" not in headers
    assert sent == (ends or b"%x" % len(body)) + b"\r\n" + body + b"\r\n"


def test_a_body_may_have_no_length_and_be_cut(bank: ServedBank) -> None:
    body = whole(bank)
    rules(bank, rule("close_delimited", share=0.5))
    _, headers, sent = split(raw(bank, POCKETS))
    assert not {b"content-length", b"transfer-encoding"} & set(headers)
    assert sent == body[: len(body) // 2]


def test_gzip_may_be_cut_or_have_a_wrong_checksum(bank: ServedBank) -> None:
    body = whole(bank)
    with chaos(bank, rule("gz_cut")):
        _, headers, sent = split(raw(bank, POCKETS))
        assert (headers[b"content-encoding"], int(headers[b"content-length"])) == (b"gzip", len(sent))
        unpacking = zlib.decompressobj(31)
        assert body.startswith(unpacking.decompress(sent))
        assert not unpacking.eof
    with chaos(bank, rule("gz_crc")):
        _, _, sent = split(raw(bank, POCKETS))
        assert zlib.decompressobj(-15).decompress(sent[10:]) == body
        with pytest.raises(gzip.BadGzipFile):
            gzip.decompress(sent)


def test_gzip_may_be_a_bomb_once_or_twice(bank: ServedBank) -> None:
    with chaos(bank, rule("gz_bomb", megabytes=3)):
        _, _, sent = split(raw(bank, POCKETS))
        assert len(sent) < 10_000
        assert gzip.decompress(sent) == bytes(3 << 20)
    with chaos(bank, rule("gz_bomb2", megabytes=3)):
        _, headers, sent = split(raw(bank, POCKETS))
        assert headers[b"content-encoding"] == b"gzip, gzip"
        assert gzip.decompress(gzip.decompress(sent)) == bytes(3 << 20)


def test_headers_may_be_large_or_never_end(bank: ServedBank) -> None:
    with chaos(bank, rule("hdr", bytes=150_000)):
        _, headers, _ = split(raw(bank, POCKETS))
        assert headers[b"x-filler"] == b"a" * 150_000
    with chaos(bank, rule("hdr", endless=True)):
        port = urlsplit(bank.announcement["api_url"]).port
        got = b""
        with socket.create_connection(("127.0.0.1", port), timeout=30) as wire:
            wire.sendall(b"GET /api/v2/pockets/ HTTP/1.1\r\nHost: bank\r\n\r\n")
            while len(got) < 300_000:
                got += wire.recv(65536)
        assert b"\r\n\r\n" not in got


def test_an_answer_may_be_no_http(bank: ServedBank) -> None:
    rules(bank, rule("garbage", bytes=64))
    sent = raw(bank, POCKETS)
    assert len(sent) == 64
    assert not sent.startswith(b"HTTP/")
    assert raw(bank, POCKETS) != sent


def test_an_answer_may_be_a_first_word_only(bank: ServedBank) -> None:
    with chaos(bank, rule("informational", status=103, then="close")):
        assert raw(bank, POCKETS) == b"HTTP/1.1 103 Early\r\n\r\n"
    with chaos(bank, rule("informational", status=103, then="answer")):
        assert bank.http.get(POCKETS).status_code == 200


def test_the_wire_of_storage_is_disturbed_as_well(bank: ServedBank) -> None:
    link = bank.link(made_report(bank))
    body = bank.plain.get(link).content
    rules(bank, rule("limit_data", share=0.5, match={"path": "/files/*"}))
    with pytest.raises(httpx.RemoteProtocolError):
        bank.plain.get(link)
    assert log(bank)[0]["route"] == "GET /files/{}"
    reset(bank)
    assert bank.plain.get(link).content == body


def test_each_fault_is_of_one_layer_and_both_layers_have_some() -> None:
    layers = {fault.layer for fault in FAULTS.values()}
    assert layers == set(Layer)


def test_the_token_of_an_address_leads_nowhere_else(bank: ServedBank) -> None:
    rules(bank, rule("next_absolute"))
    query = parse_qs(urlsplit(page(bank)["next_page"]).query)
    reset(bank)
    assert page(bank, query["cursor"][0])["items"]
