"""Pockets opened, changed and closed through the API of the simulated bank."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline_tests.bank.money_rig import (
    POCKETS,
    UNKNOWN,
    approved,
    counterparty,
    funded_pocket,
    move_clock,
    open_pockets,
    reallocation,
    statement,
    wire,
    worth,
)
from jiko_pipeline_tests.bank.simulator_rig import Json, ServedBank, again, served

MORNING = datetime(2024, 7, 10, 14, 0, tzinfo=UTC)
"""Wednesday, ten o'clock in New York."""
TOMORROW = "2024-07-11"
AFTER_TOMORROW = "2024-07-12T02:00:00Z"


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[ServedBank]:
    with served(ServeOptions(tmp_path, now=MORNING)) as running:
        yield running


def _opened(bank: ServedBank, **body: str) -> Json:
    answer = bank.http.post(POCKETS, json={"pocket_name": "Reserve", "trading_strategy_id": "UST-26W", **body})
    assert answer.status_code == 201, answer.text
    pocket: Json = answer.json()
    return pocket


def _changed(bank: ServedBank, pocket_id: str, **body: str) -> Json:
    answer = bank.http.patch(f"{POCKETS}{pocket_id}/", json=body)
    assert answer.status_code == 200, answer.text
    pocket: Json = answer.json()
    return pocket


def _refused(bank: ServedBank, pocket_id: str, **body: str) -> str:
    answer = bank.http.patch(f"{POCKETS}{pocket_id}/", json=body)
    assert answer.status_code == 422, answer.text
    rule: str = answer.json()["type"]
    return rule


def test_a_new_pocket_is_pending_then_open_and_has_no_life_before_its_first_money(bank: ServedBank) -> None:
    pocket = _opened(bank, reinvestment_strategy_id="UST-4W")
    assert pocket["status"] == "PENDING"
    assert (pocket["deposit_strategy_id"], pocket["reinvestment_strategy_id"]) == ("UST-26W", "UST-4W")
    bank.move_clock(seconds=11)
    assert bank.get(f"{POCKETS}{pocket['id']}/")["status"] == "OPEN"
    assert pocket["id"] in {one["id"] for one in bank.walk(POCKETS, limit=2)}
    move_clock(bank, AFTER_TOMORROW)
    refused = bank.order("BANK_STATEMENT_REPORT", "CAMT053", pocket_ids=[pocket["id"]], date=TOMORROW)
    assert refused.status_code == 422
    days = {"date_from": TOMORROW, "date_to": TOMORROW}
    (trades,) = bank.delivered("TRADE_REPORT", "CSV", pocket_ids=[pocket["id"]], **days)
    assert len(trades.splitlines()) == 1


def test_a_pocket_lives_from_its_first_money_on_and_buys_bills_of_its_strategy(bank: ServedBank) -> None:
    pocket_id = funded_pocket(bank, 5_000_000_00, strategy="UST-13W")
    move_clock(bank, AFTER_TOMORROW)
    banked = statement(bank, "BANK", pocket_id, TOMORROW)
    assert [(entry.code, entry.cents) for entry in banked.entries] == [
        ("ON_US_IN", 5_000_000_00),
        ("SWEEP_OUT", -5_000_000_00),
    ]
    invested = statement(bank, "BROKERAGE", pocket_id, TOMORROW)
    assert (invested.opening, invested.cents("ADDITION")) == (0, 5_000_000_00)
    (bought,) = bank.walk("/api/v2/trades/", **{"pocket_id[]": pocket_id})
    assert bought["activity"] == "BUY"
    assert "2024-10-01" < bought["maturity_date"] < "2024-10-17"
    pocket = bank.get(f"{POCKETS}{pocket_id}/")
    assert 0 <= pocket["portfolio"]["cash"]["value"] < 100_00
    assert pocket["portfolio"]["total_value"]["value"] == invested.closing


def test_a_new_name_and_strategy_hold_from_now_on_and_not_before(bank: ServedBank) -> None:
    pocket = open_pockets(bank)[0]
    old = bank.delivered("BANK_STATEMENT_REPORT", "CAMT053", pocket_ids=[pocket["id"]], date="2024-07-09")
    changed = _changed(bank, pocket["id"], pocket_name="Renamed", deposit_strategy_id="UST-52W")
    assert (changed["pocket_name"], changed["deposit_strategy_id"]) == ("Renamed", "UST-52W")
    assert changed["reinvestment_strategy_id"] == pocket["reinvestment_strategy_id"]
    report = bank.order("BANK_STATEMENT_REPORT", "CAMT053", pocket_ids=[pocket["id"]], date="2024-07-09")
    assert report.status_code == 201
    (again_said,) = (bank.download(one["id"]).content for one in bank.finished(report.json()["id"])["reports"])
    assert b"Renamed" not in again_said
    assert old[0].count(b"<Ntry>") == again_said.count(b"<Ntry>")
    move_clock(bank, "2024-08-02T02:00:00Z")
    trades = bank.walk("/api/v2/trades/", **{"pocket_id[]": pocket["id"], "book_date_from": "2024-07-11"})
    bought = {trade["maturity_date"] for trade in trades if trade["activity"] == "BUY"}
    assert any(day > "2025-01-31" for day in bought), "bills of 52 weeks"


def test_a_pocket_that_holds_money_or_awaits_some_is_not_closed(bank: ServedBank) -> None:
    rich = open_pockets(bank)[0]["id"]
    assert _refused(bank, rich, status="CLOSED", closure_reason="no longer needed") == "pocket-not-empty"
    expecting = funded_pocket(bank, 1_000_000_00)
    assert _refused(bank, expecting, status="CLOSED", closure_reason="no longer needed") == "pocket-not-empty"


def test_a_pocket_that_never_held_money_is_closed_and_stays_closed(bank: ServedBank) -> None:
    pocket_id = _opened(bank)["id"]
    assert _refused(bank, pocket_id, status="CLOSED", closure_reason="opened twice") == "pocket-not-open"
    bank.move_clock(seconds=11)
    answer = bank.http.patch(f"{POCKETS}{pocket_id}/", json={"status": "CLOSED"})
    assert answer.json()["detail"][0]["loc"] == ["body", "closure_reason"]
    assert _changed(bank, pocket_id, status="CLOSED", closure_reason="opened twice")["status"] == "CLOSED"
    assert _refused(bank, pocket_id, pocket_name="Again") == "pocket-closed"


def test_a_pocket_is_emptied_to_the_cent_and_then_closed(bank: ServedBank) -> None:
    pocket_id = funded_pocket(bank, 5_000_000_00)
    move_clock(bank, "2024-07-15T14:00:00Z")
    home = next(pocket["id"] for pocket in open_pockets(bank) if pocket["id"] != pocket_id)
    request = approved(bank, reallocation(pocket_id, home, None))
    assert request["status"] == "APPROVED"
    move_clock(bank, "2024-07-17T02:00:00Z")
    legs = bank.walk("/api/v2/transactions/", on_us_transfer__=request["id"])
    assert {(leg["pocket_id"], leg["direction"]) for leg in legs} == {(pocket_id, "DEBIT"), (home, "CREDIT")}
    assert len({leg["amount"]["value"] for leg in legs}) == 1
    last = statement(bank, "BROKERAGE", pocket_id, "2024-07-16")
    assert (last.opening > 0, last.closing) == (True, 0)
    assert last.cents("SUBTRACTION") == -legs[0]["amount"]["value"]
    move_clock(bank, "2024-07-17T14:00:00Z")
    assert worth(bank, pocket_id) == 0
    assert _changed(bank, pocket_id, status="CLOSED", closure_reason="deal done")["status"] == "CLOSED"
    move_clock(bank, "2024-07-19T02:00:00Z")
    refused = bank.order("BANK_STATEMENT_REPORT", "CAMT053", pocket_ids=[pocket_id], date="2024-07-18")
    assert refused.status_code == 422


def test_all_the_money_can_be_wired_out_and_the_fee_is_part_of_it(bank: ServedBank) -> None:
    pocket_id = funded_pocket(bank, 2_000_000_00)
    move_clock(bank, "2024-07-15T14:00:00Z")
    request = approved(bank, wire(pocket_id, counterparty(bank, "wire"), None))
    move_clock(bank, "2024-07-17T02:00:00Z")
    banked = statement(bank, "BANK", pocket_id, "2024-07-16")
    assert banked.cents("BANK_FEE") == -2_500
    assert banked.cents("WIRE_OUT") + banked.cents("BANK_FEE") == -banked.cents("SWEEP_IN")
    assert statement(bank, "BROKERAGE", pocket_id, "2024-07-16").closing == 0
    assert bank.get(f"/api/v1/transfer-requests/{request['id']}/")["status"] == "COMPLETED"


def test_the_last_open_pocket_is_not_closed(tmp_path: Path) -> None:
    # Before the first day of its data the customer has no other pocket.
    options = ServeOptions(tmp_path, config=WorldConfig(pockets=1), now=datetime(2024, 5, 1, 14, tzinfo=UTC))
    with served(options) as bank:
        one, other = _opened(bank)["id"], _opened(bank)["id"]
        bank.move_clock(seconds=11)
        assert _changed(bank, one, status="CLOSED", closure_reason="not needed")["status"] == "CLOSED"
        assert _refused(bank, other, status="CLOSED", closure_reason="not needed") == "last-open-pocket"


def test_opening_changing_and_closing_survive_a_restart_and_are_in_the_audit_log(tmp_path: Path) -> None:
    options = ServeOptions(tmp_path, now=MORNING)
    with served(options) as bank:
        funded = funded_pocket(bank, 1_000_000_00)
        _changed(bank, funded, pocket_name="Renamed")
        empty = _opened(bank)["id"]
        bank.move_clock(seconds=11)
        _changed(bank, empty, status="CLOSED", closure_reason="opened twice")
        before = bank.walk(POCKETS)
        actions = [
            entry["action"] for entry in bank.walk("/api/v1/team/audit-logs/", timestamp_from=f"{MORNING:%FT%TZ}")
        ]
    assert {"POCKET_OPENED", "POCKET_CHANGED", "POCKET_CLOSED"} <= set(actions)
    with served(again(options, now=None)) as bank:
        assert [_lasting(pocket) for pocket in bank.walk(POCKETS)] == [_lasting(pocket) for pocket in before]
        numbers = {portal["jiko_account_id"] for portal in bank.get("/api/v1/portals/")["portals"]}
        assert funded in numbers


def _lasting(pocket: Json) -> Json:
    return {name: value for name, value in pocket.items() if name != "portfolio"}


def test_what_is_no_pocket_or_no_strategy_is_refused(bank: ServedBank) -> None:
    assert bank.http.patch(f"{POCKETS}{UNKNOWN}/", json={"pocket_name": "x"}).status_code == 404
    answer = bank.http.post(POCKETS, json={"pocket_name": "x", "trading_strategy_id": "UST-1W"})
    assert answer.json()["detail"][0]["loc"] == ["body", "trading_strategy_id"]
    answer = bank.http.post(POCKETS, json={"trading_strategy_id": "UST-4W"})
    assert answer.json()["detail"][0]["type"] == "missing"


@pytest.mark.parametrize("name", [" ", "\u00a0\u2003 "])
def test_blanks_alone_are_no_name(bank: ServedBank, name: str) -> None:
    pocket = open_pockets(bank)[0]
    for answer in (
        bank.http.post(POCKETS, json={"pocket_name": name, "trading_strategy_id": "UST-4W"}),
        bank.http.patch(f"{POCKETS}{pocket['id']}/", json={"pocket_name": name}),
    ):
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["body", "pocket_name"]
    assert open_pockets(bank)[0]["pocket_name"] == pocket["pocket_name"]
