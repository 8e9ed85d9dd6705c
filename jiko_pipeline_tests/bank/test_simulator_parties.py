"""Portals, trading strategies and counterparties of the simulated bank."""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline.simulator.world import World
from jiko_pipeline_tests.bank.simulator_rig import ServedBank, again, served

PATH = "/api/v2/counterparties/"
NOBODY = str(uuid.UUID(int=4))
NOW = datetime(2024, 8, 20, 15, tzinfo=UTC)
ADDRESS = {"street_address": "1 Main Street", "city": "Salem", "postal_code": "97301", "state": "OR", "country": "US"}
BODIES: dict[str, dict[str, Any]] = {
    "ach": {
        "type": "ach",
        "name_on_account": "Oakline Print",
        "account_number": "000111222",
        "routing_number": "123456780",
    },
    "wire": {
        "type": "wire",
        "name_on_account": "Oakline Print",
        "account_number": "000111223",
        "routing_number": "123456780",
        "address": ADDRESS,
    },
    "international_wire": {
        "type": "international_wire",
        "name_on_account": "Eichen Druck",
        "account_number": "DE89370400440532013000",
        "identifier_code": "XMPLDEFF",
        "identifier_type": "IBAN",
    },
    "on_us": {"type": "on_us", "name": "Willow Ventures Treasury", "account_number": "555666777888"},
}


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[ServedBank]:
    with served(ServeOptions(state_dir=tmp_path, now=NOW)) as one:
        yield one


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBank]:
    """A bank for tests that change nothing."""
    with served(ServeOptions(state_dir=tmp_path_factory.mktemp("parties"), now=NOW)) as one:
        yield one


def _made(bank: ServedBank, kind: str, **changes: Any) -> dict[str, Any]:
    answer = bank.http.post(PATH, json={**BODIES[kind], **changes})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def _linked(bank: ServedBank, counterparty_id: str, status: str) -> httpx.Response:
    return bank.http.patch(f"{PATH}{counterparty_id}/", json={"status": status})


def _status(bank: ServedBank, counterparty_id: str) -> str:
    return str(bank.get(f"{PATH}{counterparty_id}/")["status"])


def _at(bank: ServedBank, moment: str) -> None:
    bank.move_clock(to=moment)
    bank.sign_in()


def test_each_pocket_has_a_portal_with_its_account_number(unchanged: ServedBank) -> None:
    pockets = World(WorldConfig()).pockets(date(2024, 8, 20))
    listed = unchanged.get("/api/v1/portals/")
    assert listed["count"] == len(pockets)
    assert {(portal["jiko_account_id"], portal["account_number"]) for portal in listed["portals"]} == {
        (pocket.id, pocket.account_number) for pocket in pockets
    }
    assert {portal["status"] for portal in listed["portals"]} == {"OPEN", "CLOSED"}
    for portal in listed["portals"]:
        of_pocket = unchanged.get(f"/api/v1/accounts/{portal['jiko_account_id']}/portals/")
        assert of_pocket == {"count": 1, "portals": [portal], "object_type": "List"}


def test_routing_numbers_carry_the_check_digit_of_the_aba(unchanged: ServedBank) -> None:
    for portal in unchanged.get("/api/v1/portals/")["portals"]:
        digits = [int(digit) for digit in portal["routing_number"]]
        assert len(digits) == 9
        assert sum(a * b for a, b in zip(digits, [3, 7, 1] * 3, strict=True)) % 10 == 0


def test_portals_of_no_pocket_are_not_found(unchanged: ServedBank) -> None:
    assert unchanged.http.get(f"/api/v1/accounts/{NOBODY}/portals/").status_code == 404
    assert unchanged.http.get("/api/v1/accounts/mine/portals/").status_code == 422


def test_strategies_are_cut_by_offset_and_by_what_they_apply_to(unchanged: ServedBank) -> None:
    path = "/api/v2/trading-strategies/"
    assert [one["id"] for one in unchanged.get(path)["items"]] == ["UST-1W", "UST-4W", "UST-13W", "UST-26W", "UST-52W"]
    page = unchanged.get(path, applicable_to="DEPOSIT", offset=1, limit=2)
    assert (page["offset"], page["count"]) == (1, 4)
    assert [one["id"] for one in page["items"]] == ["UST-13W", "UST-26W"]
    assert unchanged.get(path, offset=9)["items"] == []
    for query in ({"applicable_to": "LUNCH"}, {"offset": "-1"}, {"limit": "0"}):
        assert unchanged.http.get(path, params=query).status_code == 422


def test_an_investment_yields_more_than_its_discount_and_near_the_bills_held(unchanged: ServedBank) -> None:
    strategies = {one["id"]: one for one in unchanged.get("/api/v2/trading-strategies/")["items"]}
    for one in strategies.values():
        assert Decimal(one["yield_to_maturity"]) > Decimal(one["discount_yield"]) > 0
    securities = [
        (pocket["deposit_strategy_id"], security)
        for pocket in unchanged.get("/api/v2/pockets/", **{"filter[status]": "OPEN"})["items"]
        for security in pocket["portfolio"]["securities"]
        if pocket["deposit_strategy_id"] == "UST-4W"
    ]
    assert securities
    for strategy_id, security in securities:
        difference = Decimal(security["yield_to_maturity"]) - Decimal(strategies[strategy_id]["yield_to_maturity"])
        assert abs(difference) < Decimal("0.002")


def test_the_counterparties_of_the_past_are_of_all_four_types(unchanged: ServedBank) -> None:
    assert {one["type"] for one in unchanged.walk(PATH)} == set(BODIES)
    assert {one["status"] for one in unchanged.walk(PATH)} == {"LINKED"}
    assert unchanged.walk(PATH, limit=2) == unchanged.walk(PATH, limit=100)


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_each_type_is_made_read_unlinked_and_linked_again(bank: ServedBank, kind: str) -> None:
    made = _made(bank, kind)
    assert bank.get(f"{PATH}{made['id']}/") == made
    assert made["id"] in [one["id"] for one in bank.walk(PATH, type=kind)]
    if kind == "ach":
        _at(bank, "2024-08-23T15:00:00Z")
    assert _linked(bank, made["id"], "UNLINKED").json()["status"] == "UNLINKED"
    assert [one["id"] for one in bank.walk(PATH, status="UNLINKED")] == [made["id"]]
    assert _linked(bank, made["id"], "LINKED").json()["status"] == "LINKED"
    actions = [entry["action"] for entry in bank.walk("/api/v1/team/audit-logs/") if entry["ip_address"] is None]
    assert actions == ["COUNTERPARTY_STATUS_CHANGED", "COUNTERPARTY_STATUS_CHANGED", "COUNTERPARTY_CREATED"]


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("ach", "plaid"),
        ("ach", "name_match"),
        ("ach", "pre_verified"),
        ("wire", "unverified"),
        ("wire", "name_match"),
        ("international_wire", "pre_verified"),
        ("on_us", "pre_verified"),
    ],
)
def test_what_needs_no_waiting_is_linked_at_once(bank: ServedBank, kind: str, method: str) -> None:
    made = _made(bank, kind, verification={"type": method})
    assert (made["status"], made["verification"]) == ("LINKED", {"type": method})


@pytest.mark.parametrize(
    ("method", "before", "after"),
    [
        ("micro_deposits", "2024-08-22T12:59:59Z", "2024-08-22T13:00:00Z"),
        ("incoming_wire", "2024-08-23T12:59:59Z", "2024-08-23T13:00:00Z"),
    ],
)
def test_what_waits_is_linked_on_the_morning_of_its_business_day(
    bank: ServedBank, method: str, before: str, after: str
) -> None:
    made = _made(bank, "ach", verification={"type": method})
    assert made["status"] == "PENDING"
    early = _linked(bank, made["id"], "LINKED")
    assert (early.status_code, early.json()["type"]) == (422, "counterparty-not-verified")
    _at(bank, before)
    assert _status(bank, made["id"]) == "PENDING"
    _at(bank, after)
    assert _status(bank, made["id"]) == "LINKED"


def test_supporting_documents_link_on_the_business_day_after_the_upload(bank: ServedBank) -> None:
    bank.http.post("/api/v1/documents/OTHER/", content=b"too early")
    made = _made(bank, "wire", verification={"type": "supporting_documents"})
    _at(bank, "2024-09-10T15:00:00Z")
    assert _status(bank, made["id"]) == "PENDING"
    bank.http.post("/api/v1/documents/BANK_LETTER/", content=b"letter")
    assert _status(bank, made["id"]) == "PENDING"
    _at(bank, "2024-09-11T13:00:00Z")
    assert _status(bank, made["id"]) == "LINKED"


def test_an_account_that_never_matches_is_rejected_and_stays_out(bank: ServedBank) -> None:
    made = _made(bank, "ach", account_number="12340000", verification={"type": "name_match"})
    assert made["status"] == "REJECTED"
    assert _linked(bank, made["id"], "LINKED").status_code == 422
    assert _linked(bank, made["id"], "UNLINKED").json()["status"] == "UNLINKED"
    assert _linked(bank, made["id"], "LINKED").status_code == 422


def test_an_account_is_a_counterparty_once_until_it_is_unlinked(bank: ServedBank) -> None:
    made = _made(bank, "wire")
    twice = bank.http.post(PATH, json=BODIES["wire"])
    assert (twice.status_code, twice.json()["type"]) == (409, "counterparty-exists")
    _linked(bank, made["id"], "UNLINKED")
    assert _made(bank, "wire")["id"] != made["id"]


@pytest.mark.parametrize(
    ("kind", "change", "place", "fault"),
    [
        ("ach", {"type": "carrier_pigeon"}, ["body"], "union_tag_invalid"),
        ("ach", {"type": ["ach"]}, ["body"], "union_tag_invalid"),
        ("ach", {"routing_number": "123456789"}, ["body", "ach", "routing_number"], "value_error"),
        ("ach", {"routing_number": "1234"}, ["body", "ach", "routing_number"], "value_error"),
        ("ach", {"account_type": "PIGGY_BANK"}, ["body", "ach", "account_type"], "enum"),
        ("ach", {"account_number": "1 2"}, ["body", "ach", "account_number"], "string_pattern_mismatch"),
        ("wire", {"name_on_account": ""}, ["body", "wire", "name_on_account"], "string_too_short"),
        ("wire", {"address": {"city": "Salem"}}, ["body", "wire", "address", "country"], "missing"),
        ("wire", {"address": "here"}, ["body", "wire", "address"], "model_attributes_type"),
        ("wire", {"verification": {"type": "plaid"}}, ["body", "wire", "verification", "type"], "enum"),
        (
            "international_wire",
            {"account_number": "DE89370400440532013001"},
            ["body", "international_wire", "account_number"],
            "value_error",
        ),
        (
            "international_wire",
            {"identifier_code": "BANK"},
            ["body", "international_wire", "identifier_code"],
            "value_error",
        ),
        ("on_us", {"account_number": 7}, ["body", "on_us", "account_number"], "string_type"),
    ],
)
def test_a_bad_counterparty_is_refused_by_the_field(
    unchanged: ServedBank, kind: str, change: dict[str, Any], place: list[str], fault: str
) -> None:
    answer = unchanged.http.post(PATH, json={**BODIES[kind], **change})
    assert answer.status_code == 422, answer.text
    (item,) = answer.json()["detail"]
    assert (item["loc"], item["type"]) == (place, fault)


def test_an_unknown_counterparty_is_not_found_and_an_unknown_status_is_refused(unchanged: ServedBank) -> None:
    assert unchanged.http.get(f"{PATH}{NOBODY}/").status_code == 404
    assert _linked(unchanged, NOBODY, "LINKED").status_code == 404
    known = unchanged.walk(PATH)[0]["id"]
    assert _linked(unchanged, known, "PENDING").status_code == 422
    assert unchanged.walk(PATH, status="FORGOTTEN") == []


def test_counterparties_survive_a_restart(tmp_path: Path) -> None:
    options = ServeOptions(state_dir=tmp_path, now=NOW)
    with served(options) as bank:
        for kind in BODIES:
            _made(bank, kind)
        _linked(bank, bank.walk(PATH, type="wire")[-1]["id"], "UNLINKED")
        before = bank.walk(PATH)
    with served(again(options, now=None)) as bank:
        assert bank.walk(PATH) == before
