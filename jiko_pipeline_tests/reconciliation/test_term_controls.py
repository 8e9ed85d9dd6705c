"""What the controls of settlement, yield, cost, earnings, returns and layouts say where no fault of the catalogue goes.

Faults of these controls are planted by the self-test; here is what must stay quiet, and what cannot be tested.
"""

import json
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from jiko_pipeline import tbill
from jiko_pipeline_tests.reconciliation.small_bank import (
    DAYS,
    FIRST,
    LAST,
    NEW,
    OLD,
    Answer,
    Facts,
    Row,
    ask,
    clean_facts,
    deliver,
)

SIX = Decimal("0.000001")


def statuses(answers: list[Answer]) -> Counter[tuple[str, str]]:
    """How often each status came with each code or reason."""
    return Counter((a.status, a.code or a.reason) for a in answers)


def investment(price: Decimal, days: int, day: date) -> Decimal:
    return tbill.investment_rate_percent(price, days, tbill.year_basis(day)).scaleb(-2)


def money_market(price: Decimal, days: int, day: date) -> Decimal:
    return (100 - price) / price * 360 / days


def discount(price: Decimal, days: int, day: date) -> Decimal:
    return (100 - price) / 100 * 360 / days


def with_yields(formula: Callable[[Decimal, int, date], Decimal]) -> Facts:
    facts = clean_facts()
    for trade in facts.rows["core.trade"]:
        days = (trade["maturity_date"] - trade["settlement_date"]).days
        if trade["activity"] != "MATURITY":
            rate = formula(trade["price"], days, trade["settlement_date"])
            trade["yield_to_maturity"] = rate.quantize(SIX, ROUND_HALF_UP)
    return facts


@pytest.mark.parametrize(
    ("formula", "name"), [(investment, "INVESTMENT"), (money_market, "ACT_360"), (discount, "DISCOUNT")]
)
def test_the_formula_of_the_yields_is_found_and_said(
    tmp_path: Path, formula: Callable[[Decimal, int, date], Decimal], name: str
) -> None:
    answers = ask(tmp_path, with_yields(formula), "K43")["K43"]
    assert {a.status for a in answers} == {"PASS", "NOT_TESTED"}
    assert {a.detail for a in answers if a.status == "PASS"} == {f"By the formula {name}."}


def test_yields_that_follow_no_formula_are_not_called_wrong(tmp_path: Path) -> None:
    facts = with_yields(lambda price, days, day: Decimal("0.010000") + Decimal(days) / 10_000)
    assert {a.reason for a in ask(tmp_path, facts, "K43")["K43"]} == {"BASIS", "NO_ACTIVITY"}


def test_a_bill_of_a_year_yields_by_the_form_that_compounds(tmp_path: Path) -> None:
    facts = with_yields(investment)
    trade = facts.find("core.trade", activity="BUY")[0]
    year = max(
        (a for a in tbill.auctions() if a.security_term == "52-Week" and a.issue_date <= FIRST),
        key=lambda auction: auction.maturity_date,
    )
    days = (year.maturity_date - trade["settlement_date"]).days
    assert days > 200
    trade.update(cusip=year.cusip, maturity_date=year.maturity_date, price=Decimal("95.512345"))
    trade["yield_to_maturity"] = investment(trade["price"], days, trade["settlement_date"]).quantize(SIX)
    (answer,) = [a for a in ask(tmp_path, facts, "K43")["K43"] if a.entity_key == trade["trade_id"]]
    assert answer.status == "PASS"


@pytest.mark.parametrize(
    ("left", "said"),
    [("990.00", "By first in, first out."), ("985.00", "By average cost."), ("980.00", "COST_ROLL")],
)
def test_what_a_sale_leaves_is_at_average_cost_or_first_in_first_out(tmp_path: Path, left: str, said: str) -> None:
    facts = clean_facts()
    cusip = "912797ZZ0"
    for day, activity, amount, face, cost in (
        (DAYS[4], "BUY", "980.00", 1000, "980.00"),
        (DAYS[5], "BUY", "990.00", 2000, "1970.00"),
        (DAYS[6], "SELL", "995.00", 1000, left),
    ):
        facts.add("core.trade", trade_id=f"{cusip}-{day}", pocket_id=NEW, activity=activity, cusip=cusip, quantity=10,
                  face_amount=Decimal(1000), price=Decimal(amount) / 10, notional=Decimal(amount),
                  traded_at_utc=datetime.combine(day, time(15)), trade_date=day, book_date=day, settlement_date=day,
                  trade_status="SETTLED", maturity_date=date(2024, 8, 29), occurrences=1)  # fmt: skip
        facts.add("core.position_daily", pocket_id=NEW, business_date=day, cusip=cusip, quantity=face // 100,
                  face_amount=Decimal(face), price=Decimal(99), market_value=Decimal(face), occurrences=1,
                  historical_cost=Decimal(cost), finality="AFTER_CUTOFF")  # fmt: skip
    told = {a.business_date: a for a in ask(tmp_path, facts, "K44")["K44"] if a.entity_key == cusip}
    assert [told[day].status for day in DAYS[4:6]] == ["PASS", "PASS"]
    assert (told[DAYS[6]].code or told[DAYS[6]].detail) == said


def test_cost_of_a_holding_that_does_not_roll_forward_is_not_compared(tmp_path: Path) -> None:
    facts = clean_facts()
    row = facts.find("core.position_daily", pocket_id=OLD, business_date=DAYS[4])[0]
    row["face_amount"] += 100
    answers = ask(tmp_path, facts, "K44")["K44"]
    assert statuses(answers)["BREAK", "COST_ROLL"] == 0
    assert statuses(answers)["NOT_TESTED", "NO_ROLL"] == 2


def settles(facts: Facts, **values: Any) -> Row:
    trade = facts.find("core.trade", activity="BUY", trade_date=DAYS[4])[0]
    trade.update(values)
    return trade


def of_trade(path: Path, facts: Facts, trade: Row) -> Answer:
    (answer,) = [a for a in ask(path, facts, "K42")["K42"] if a.entity_key == trade["trade_id"]]
    return answer


def test_a_purchase_may_settle_on_the_next_day_on_which_cash_and_bills_both_move(tmp_path: Path) -> None:
    facts = clean_facts()
    friday = settles(facts, settlement_date=DAYS[5])
    assert (DAYS[4].weekday(), DAYS[5].weekday()) == (4, 0)
    assert of_trade(tmp_path, facts, friday).status == "PASS"


def test_a_purchase_at_auction_settles_when_the_bill_is_issued(tmp_path: Path) -> None:
    facts = clean_facts()
    issue = date(2024, 6, 13)
    trade = settles(facts, settlement_date=issue)
    assert of_trade(tmp_path, facts, trade).code == "SETTLE_LATE"
    facts.add("staging.security_reference", document_kind="SECURITY_REFERENCE", scope_pocket_id="",
              scope_date=date.min, row_ordinal=1, cusip=trade["cusip"], issue_date=issue,
              maturity_date=trade["maturity_date"], reference_source="TREASURY", row_hash="", document_id="",
              document_sha256="",
              known_from_utc=datetime.combine(FIRST, time(9)), document_locator="")  # fmt: skip
    assert of_trade(tmp_path, facts, trade).status == "PASS"


def test_a_trade_that_has_just_been_booked_is_not_due(tmp_path: Path) -> None:
    facts = clean_facts()
    trade = settles(facts, settlement_date=None, trade_status="BOOKED")
    assert (of_trade(tmp_path, facts, trade).status, of_trade(tmp_path, facts, trade).reason) == (
        "NOT_TESTED",
        "NOT_DUE",
    )


def earned(facts: Facts, amount: Decimal) -> None:
    deliver(facts, "EARNINGS", OLD, FIRST)
    facts.add("staging.earnings", document_kind="EARNINGS", scope_pocket_id=OLD, scope_date=FIRST, row_ordinal=1,
              pocket_id=OLD, first_date=FIRST, last_date=LAST, earnings=amount, currency="USD", row_hash="",
              document_id="", document_sha256="", known_from_utc=datetime.combine(LAST, time(9)),
              document_locator="")  # fmt: skip


def test_earnings_may_be_before_or_after_fees(tmp_path: Path) -> None:
    rows = clean_facts().find("core.brokerage_daily", pocket_id=OLD)
    gains, fees = sum((r["gains"] for r in rows), Decimal(0)), sum((r["fees"] for r in rows), Decimal(0))
    assert fees > 1
    told = {}
    for name, amount in (("gross", gains), ("net", gains - fees), ("other", gains + fees)):
        facts = clean_facts()
        earned(facts, amount)
        (told[name],) = [a for a in ask(tmp_path, facts, "K45")["K45"] if a.entity_key]
    assert (told["gross"].status, told["net"].status, told["other"].code) == ("PASS", "PASS", "EARN_DIFF")
    assert told["net"].detail == "The earnings are net of fees."
    assert (told["gross"].pocket_id, told["gross"].business_date) == (OLD, LAST)


def test_earnings_of_a_period_without_all_of_its_statements_are_not_tested(tmp_path: Path) -> None:
    facts = clean_facts()
    earned(facts, Decimal(1))
    facts.remove("core.brokerage_daily", lambda row: row["pocket_id"] == OLD and row["business_date"] == DAYS[3])
    (answer,) = [a for a in ask(tmp_path, facts, "K45")["K45"] if a.entity_key]
    assert (answer.status, answer.reason) == ("NOT_TESTED", "NO_INPUT")


def returned(facts: Facts, day: date, cents: int, *, of: str | None, code: str = "RETURN") -> None:
    name = f"return-{day}-{cents}"
    facts.add("core.bank_transaction", pocket_id=OLD, business_date=day, bank_transaction_key=f"{name}#1",
              booking_date=day, value_date=day, category="RETURN", matching_rules=1, currency="USD",
              signed_amount=Decimal(cents).scaleb(-2), proprietary_code=code, activity_id=name)  # fmt: skip
    if of is not None:
        facts.add("staging.api_transaction", document_kind="API_TRANSACTIONS", scope_pocket_id="", scope_date=day,
                  row_ordinal=1, activity_id=name, transaction_id=name, pocket_id=OLD, transaction_type="ACH",
                  transaction_status="SETTLED", direction="CREDIT", signed_amount=Decimal(cents).scaleb(-2),
                  currency="USD", booked_at_utc=datetime.combine(day, time(15)), row_hash="", document_id="",
                  document_sha256="", document_locator="", known_from_utc=datetime.combine(day, time(23)),
                  details=json.dumps({"original_transaction_id": of}))  # fmt: skip


def paid(facts: Facts, day: date, cents: int, name: str, kind: str = "ACH") -> None:
    facts.add("core.api_transaction", activity_id=name, pocket_id=OLD, transaction_id=name, transaction_type=kind,
              transaction_status="SETTLED", signed_amount=Decimal(-cents).scaleb(-2), currency="USD",
              booked_at_utc=datetime.combine(day, time(15)), booked_on=day, business_date=day,
              occurrences=1)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "cents", "said"),
    [("ACH", 500_00, "PASS"), ("ACH", 499_99, "REV_AMT"), ("WIRE", 475_00, "PASS"), ("WIRE", 500_01, "REV_AMT")],
)
def test_an_ach_return_has_the_amount_of_its_original_and_a_wire_at_most(
    tmp_path: Path, kind: str, cents: int, said: str
) -> None:
    facts = clean_facts()
    paid(facts, DAYS[1], 500_00, "original", kind)
    returned(facts, DAYS[6], cents, of="original")
    (answer,) = [a for a in ask(tmp_path, facts, "K24")["K24"] if a.entity_key]
    assert (answer.code or answer.status) == said


def test_a_return_of_a_payment_older_than_the_data_is_not_tested(tmp_path: Path) -> None:
    facts = clean_facts()
    paid(facts, DAYS[1], 1, "another")
    returned(facts, DAYS[6], 500_00, of="before-the-data")
    returned(facts, DAYS[7], 20_00, of=None, code="CARD")
    told = {a.business_date: a.reason for a in ask(tmp_path, facts, "K24")["K24"] if a.entity_key}
    assert told == {DAYS[6]: "BASELINE", DAYS[7]: "NO_REFERENCE"}


def test_an_ach_return_later_than_sixty_days_and_two_is_late(tmp_path: Path) -> None:
    facts = clean_facts()
    paid(facts, DAYS[6] - timedelta(days=70), 500_00, "original")
    returned(facts, DAYS[6], 500_00, of="original")
    (answer,) = [a for a in ask(tmp_path, facts, "K24")["K24"] if a.entity_key]
    assert (answer.code, answer.sub_code) == ("REV_NO_ORIG", "LATE")


def test_documents_without_findings_have_the_layout_that_is_known(tmp_path: Path) -> None:
    answers = ask(tmp_path, clean_facts(), "K05", "K06", "K52", "K22", "K23", "K25")
    assert {a.status for rows in answers.values() for a in rows} == {"PASS", "NOT_TESTED"}
    assert {a.pocket_id for a in answers["K05"]} == {""}
    assert statuses(answers["K05"])["PASS", ""] == len(DAYS) * 8
