"""K20 and K21: sweeps between the two accounts, transactions against bank entries."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jiko_pipeline import calendars
from jiko_pipeline_tests.reconciliation.cash_bank import (
    BUSINESS_DAYS,
    FIRST,
    LAST,
    NEXT,
    OLD,
    CashBank,
    D,
    Warehouse,
    activity_id,
    clean_bank,
    money,
)

ALL_DAYS = calendars.days(FIRST, LAST)
FRIDAY = calendars.previous_fed_business_day(D)


def judged(tmp_path: Path, bank: CashBank, last: date = LAST) -> Warehouse:
    """The bank landed and judged up to `last`."""
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    warehouse.land(bank, [day for day in ALL_DAYS if day <= last])
    warehouse.judge(FIRST, last)
    return warehouse


def of(warehouse: Warehouse, control: str) -> list[tuple[str, str, date, str]]:
    """(code, pocket, day, entity) of the breaks of one control."""
    return [tuple(fired[1:]) for fired in warehouse.fired() if fired[0] == control]  # type: ignore[misc]


def entry(bank: CashBank, name: str, day: date = D) -> dict[str, Any]:
    return bank.one("core.bank_transaction", pocket_id=OLD, business_date=day, bank_transaction_key=f"{name}#1")


def flow(bank: CashBank, name: str, day: date = D) -> dict[str, Any]:
    return bank.one("core.brokerage_flow", pocket_id=OLD, business_date=day, brokerage_flow_key=f"{name}#1")


SWEEP = f"sweep-{OLD}-{D}-out"


def test_a_sweep_that_the_brokerage_account_never_shows_is_a_bank_only_sweep(tmp_path: Path) -> None:
    bank = clean_bank()
    (gone,) = bank.remove("core.brokerage_flow", pocket_id=OLD, business_date=D, brokerage_flow_key="out#1")
    warehouse = judged(tmp_path, bank)
    assert of(warehouse, "K20") == [("SWEEP_BANK_ONLY", OLD, D, SWEEP)]
    (row,) = [row for row in warehouse.results("K20", OLD, D) if row["status"] == "BREAK"]
    assert row["difference"] == gone["signed_amount"]


def test_a_sweep_that_only_the_brokerage_account_shows_is_told(tmp_path: Path) -> None:
    bank = clean_bank()
    bank.remove("core.bank_transaction", pocket_id=OLD, business_date=D, bank_transaction_key="out#1")
    assert of(judged(tmp_path, bank), "K20") == [("SWEEP_BRO_ONLY", OLD, D, SWEEP)]


def test_a_sweep_of_another_amount_is_told_with_the_difference(tmp_path: Path) -> None:
    bank = clean_bank()
    flow(bank, "out")["signed_amount"] += Decimal("0.01")
    warehouse = judged(tmp_path, bank)
    assert of(warehouse, "K20") == [("SWEEP_AMT", OLD, D, SWEEP)]
    assert [r["difference"] for r in warehouse.results("K20", OLD, D) if r["status"] == "BREAK"] == [Decimal("-0.01")]


def test_a_sweep_with_the_wrong_sign_is_told(tmp_path: Path) -> None:
    bank = clean_bank()
    entry(bank, "out")["signed_amount"] *= -1
    assert of(judged(tmp_path, bank), "K20") == [("SWEEP_AMT", OLD, D, SWEEP)]


def test_a_sweep_that_arrives_on_the_next_business_day_was_in_transit_overnight(tmp_path: Path) -> None:
    bank = clean_bank()
    flow(bank, "out")["business_date"] = NEXT
    warehouse = judged(tmp_path, bank)
    assert of(warehouse, "K20") == []
    assert {row["entity_key"]: row["status"] for row in warehouse.results("K20", OLD, D)} == {SWEEP: "PASS"}
    assert {row["entity_key"]: row["status"] for row in warehouse.results("K20", OLD, NEXT)} == {SWEEP: "PASS"}


def test_a_sweep_is_in_transit_until_the_next_business_day_has_landed(tmp_path: Path) -> None:
    bank = clean_bank()
    row = flow(bank, "out")
    row["business_date"], row["_landing"] = NEXT, NEXT
    warehouse = judged(tmp_path, bank, D)
    assert of(warehouse, "K20") == [("IN_TRANSIT", OLD, D, SWEEP)]
    warehouse.land(bank, [NEXT])
    warehouse.judge(NEXT, NEXT)
    assert of(warehouse, "K20") == []


def test_a_sweep_that_arrives_two_business_days_later_is_late(tmp_path: Path) -> None:
    bank = clean_bank()
    flow(bank, "out")["business_date"] = BUSINESS_DAYS[7]
    assert of(judged(tmp_path, bank), "K20") == [("SWEEP_DATE", OLD, D, SWEEP)]


def test_several_sweeps_on_one_side_may_be_one_net_sweep_on_the_other(tmp_path: Path) -> None:
    bank = clean_bank()
    both = [flow(bank, "out"), flow(bank, "in")]
    net = sum(row["signed_amount"] for row in both)
    bank.remove("core.brokerage_flow", pocket_id=OLD, business_date=D, brokerage_flow_key="in#1")
    flow(bank, "out")["signed_amount"] = net
    assert of(judged(tmp_path, bank), "K20") == []


def test_a_sweep_with_no_earlier_statement_at_hand_is_not_called_a_break(tmp_path: Path) -> None:
    bank = clean_bank()
    bank.remove("core.bank_transaction", pocket_id=OLD, business_date=FIRST, bank_transaction_key="out#1")
    warehouse = judged(tmp_path, bank)
    assert [(r["status"], r["reason"]) for r in warehouse.results("K20", OLD, FIRST)] == [("NOT_TESTED", "BASELINE")]


def test_a_transfer_of_bills_in_kind_leaves_the_sweeps_of_its_day_untested(tmp_path: Path) -> None:
    bank = clean_bank()
    at = bank.rows["raw.delivery"][0]["known_from_utc"]
    bank.add("core.trade", D, trade_id="kind", pocket_id=OLD, activity="SECURITY_TRANSFER_IN", traded_at_utc=at,
             trade_date=D, occurrences=1)  # fmt: skip
    assert [r["reason"] for r in judged(tmp_path, bank).results("K20", OLD, D)] == ["IN_KIND"]


def test_a_transaction_that_the_api_lacks_is_bank_only_on_the_day_of_the_entry(tmp_path: Path) -> None:
    bank = clean_bank()
    (gone,) = bank.remove("core.api_transaction", pocket_id=OLD, business_date=D, transaction_id="deposit")
    warehouse = judged(tmp_path, bank)
    assert warehouse.fired() == [("K21", "TX_BANK_ONLY", OLD, D, "ENTRY deposit#1")]
    (row,) = [r for r in warehouse.results("K21", OLD, D) if r["status"] == "BREAK"]
    assert (row["left_value"], row["right_value"]) == (None, gone["signed_amount"])


def test_a_transaction_that_the_bank_never_books_is_api_only(tmp_path: Path) -> None:
    bank = clean_bank()
    bank.remove("core.bank_transaction", pocket_id=OLD, business_date=D, bank_transaction_key="deposit#1")
    assert of(judged(tmp_path, bank), "K21") == [("TX_API_ONLY", OLD, D, activity_id(OLD, D, "deposit"))]


def test_a_transaction_of_the_last_landed_day_may_still_be_booked(tmp_path: Path) -> None:
    bank = clean_bank()
    bank.remove("core.bank_transaction", pocket_id=OLD, business_date=D, bank_transaction_key="deposit#1")
    warehouse = judged(tmp_path, bank, D)
    (row,) = [r for r in warehouse.results("K21", OLD, D) if r["entity_key"] == activity_id(OLD, D, "deposit")]
    assert (row["status"], row["reason"]) == ("NOT_TESTED", "NOT_DUE")
    warehouse.land(bank, [NEXT])
    warehouse.judge(NEXT, NEXT)
    assert of(warehouse, "K21") == [("TX_API_ONLY", OLD, D, activity_id(OLD, D, "deposit"))]


def test_an_entry_whose_listing_may_lie_before_the_data_is_not_due(tmp_path: Path) -> None:
    bank = clean_bank()
    bank.remove("core.api_transaction", pocket_id=OLD, business_date=FIRST, transaction_id="deposit")
    rows = judged(tmp_path, bank).results("K21", OLD, FIRST)
    assert [(r["status"], r["reason"]) for r in rows if r["entity_key"] == "ENTRY deposit#1"] == [
        ("NOT_TESTED", "NOT_DUE")
    ]


def test_amounts_that_differ_are_told_with_both_sides(tmp_path: Path) -> None:
    bank = clean_bank()
    row = bank.one("core.api_transaction", pocket_id=OLD, business_date=D, transaction_id="deposit")
    row["signed_amount"] += Decimal("0.01")
    warehouse = judged(tmp_path, bank)
    assert warehouse.fired() == [("K21", "TX_AMT", OLD, D, row["activity_id"])]
    (found,) = [r for r in warehouse.results("K21", OLD, D) if r["status"] == "BREAK"]
    assert found["left_value"] - found["right_value"] == found["difference"] == Decimal("0.01")


@pytest.mark.parametrize(("booked", "fires"), [(FRIDAY, True), (D, False), (NEXT, False), (BUSINESS_DAYS[7], True)])
def test_the_bank_books_on_the_day_of_the_api_or_the_next(tmp_path: Path, booked: date, fires: bool) -> None:
    bank = clean_bank()
    entry(bank, "payment").update(business_date=booked, bank_transaction_key="moved#1")
    expected = [("TX_DATE", OLD, D, activity_id(OLD, D, "payment"))] if fires else []
    assert of(judged(tmp_path, bank), "K21") == expected


@pytest.mark.parametrize("later", [1, 2, 5])
def test_a_card_purchase_may_be_booked_up_to_five_business_days_later(tmp_path: Path, later: int) -> None:
    bank = clean_bank()
    entry(bank, "card").update(business_date=BUSINESS_DAYS[5 + later], bank_transaction_key="moved#1")
    assert of(judged(tmp_path, bank), "K21") == []


def test_a_card_purchase_is_in_flight_for_five_business_days_and_then_missing(tmp_path: Path) -> None:
    bank = clean_bank()
    bank.remove("core.bank_transaction", pocket_id=OLD, business_date=D, bank_transaction_key="card#1")
    warehouse = judged(tmp_path, bank, NEXT)
    card = activity_id(OLD, D, "card")
    assert of(warehouse, "K21") == [("TX_IN_FLIGHT", OLD, D, card)]
    for day in BUSINESS_DAYS[7:11]:
        warehouse.land(bank, [d for d in ALL_DAYS if calendars.previous_fed_business_day(day) < d <= day])
        warehouse.judge(calendars.previous_fed_business_day(day) + timedelta(days=1), day)
    assert of(warehouse, "K21") == [("TX_API_ONLY", OLD, D, card)]


def test_an_unsettled_transfer_is_in_flight(tmp_path: Path) -> None:
    bank = clean_bank()
    bank.remove("core.bank_transaction", pocket_id=OLD, business_date=D, bank_transaction_key="payment#1")
    row = bank.one("core.api_transaction", pocket_id=OLD, business_date=D, transaction_id="payment")
    row.update(transaction_status="BOOKED", settled_at_utc=None)
    assert of(judged(tmp_path, bank, NEXT), "K21") == [("TX_IN_FLIGHT", OLD, D, row["activity_id"])]


def test_an_entry_that_names_no_transaction_is_matched_when_neither_side_has_a_choice(tmp_path: Path) -> None:
    bank = clean_bank()
    entry(bank, "deposit").update(activity_id=None, end_to_end_id=None)
    assert of(judged(tmp_path, bank), "K21") == []


def test_nothing_is_matched_where_there_is_a_choice(tmp_path: Path) -> None:
    bank = clean_bank()
    for name in ("twin-a", "twin-b"):
        bank.movement(OLD, D, name, 1_234, "ACH")
        bank.entry(OLD, D, name, 1_234, "DEPOSIT", activity_id=None, end_to_end_id=None)
    fired = of(judged(tmp_path, bank), "K21")
    assert {code for code, *_ in fired} == {"TX_AMBIG"}
    assert {entity for *_, entity in fired} == {
        activity_id(OLD, D, "twin-a"),
        activity_id(OLD, D, "twin-b"),
        "ENTRY twin-a#1",
        "ENTRY twin-b#1",
    }


@pytest.mark.parametrize(
    ("kind", "category", "cents"), [("CARD", "PAYMENT", -500), ("ACH", "FEE", -500), ("ON_US", "DEPOSIT", 500)]
)
def test_an_entry_of_another_kind_is_never_the_other_side(tmp_path: Path, kind: str, category: str, cents: int) -> None:
    bank = clean_bank()
    bank.movement(OLD, D, "odd", cents, kind)
    bank.entry(OLD, D, "odd", cents, category, activity_id=None, end_to_end_id=None)
    codes = {code for code, *_ in of(judged(tmp_path, bank), "K21")}
    assert "TX_BANK_ONLY" in codes


def test_an_entry_that_names_another_transaction_is_not_taken_for_want_of_its_own(tmp_path: Path) -> None:
    bank = clean_bank()
    bank.movement(OLD, D, "real", 777, "ACH")
    bank.entry(OLD, D, "real", 777, "DEPOSIT", activity_id="somebody-else")
    assert of(judged(tmp_path, bank), "K21") == [
        ("TX_API_ONLY", OLD, D, activity_id(OLD, D, "real")),
        ("TX_BANK_ONLY", OLD, D, "ENTRY real#1"),
    ]


def test_an_entry_without_a_category_is_still_compared(tmp_path: Path) -> None:
    bank = clean_bank()
    entry(bank, "deposit").update(category=None, matching_rules=0, signed_amount=money(1))
    assert ("TX_AMT", OLD, D, activity_id(OLD, D, "deposit")) in of(judged(tmp_path, bank), "K21")
