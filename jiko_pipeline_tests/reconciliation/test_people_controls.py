"""Who may pay whom, who changed what, what the customer expects: what is proved, and what cannot be."""

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jiko_pipeline import calendars
from jiko_pipeline_tests.reconciliation.small_bank import DAYS, FIRST, LAST, OLD, Answer, Facts, ask, deliver

DAY = DAYS[4]
BEFORE = datetime.combine(date(2024, 1, 2), time(9))
SNAPSHOT = date(1, 1, 1)
MAKER, APPROVER, ONLOOKER = "maker", "approver", "onlooker"


def at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour))


def listed(facts: Facts, kind: str, known_from: datetime = BEFORE) -> None:
    """A listing of what has no as-of date."""
    deliver(facts, kind, "", SNAPSHOT)
    facts.rows["raw.delivery"][-1].update(known_from_utc=known_from, document_id=f"{kind} {known_from}")


def world(*, people_from: datetime = BEFORE) -> Facts:
    """A pocket without any statement, a team of three, and one counterparty, listed from `people_from` on."""
    facts = Facts()
    facts.add("core.pocket", pocket_id=OLD, pocket_name="Operating", pocket_status="OPEN",
              opened_on=date(2024, 3, 1), lifetime_source="FIRST_ACTIVITY")  # fmt: skip
    facts.add("core.pocket_history", pocket_id=OLD, pocket_name="Operating", pocket_status="OPEN",
              deposit_strategy_id="UST-4W", reinvestment_strategy_id="UST-4W", known_from_utc=BEFORE)  # fmt: skip
    for day in calendars.days(FIRST - timedelta(days=40), LAST + timedelta(days=1)):
        for kind in ("API_TRANSACTIONS", "API_TRADES", "TRANSFER_REQUESTS", "AUDIT_LOGS", "EVENTS"):
            deliver(facts, kind, "", day)
    for day in DAYS:
        deliver(facts, "BANK_STATEMENT", OLD, day)
    for kind in ("TEAM", "REVIEWERS", "COUNTERPARTIES", "POCKETS", "USER"):
        listed(facts, kind, people_from)
    for member, role in ((MAKER, "TREASURER"), (APPROVER, "APPROVER"), (ONLOOKER, "VIEWER")):
        facts.add("core.team_member", member_id=member, role=role, member_status="ACTIVE", known_from_utc=people_from)
    facts.add("core.reviewer", user_id=APPROVER, known_from_utc=people_from)
    party(facts, "supplier", "Pinecrest Logistics")
    return facts


def party(facts: Facts, identifier: str, name: str) -> None:
    facts.add("core.counterparty", counterparty_id=identifier, counterparty_type="wire", counterparty_status="LINKED",
              name_on_account=name, account_number="0001", created_at_utc=BEFORE, known_from_utc=BEFORE)  # fmt: skip


def moves(facts: Facts, identifier: str, cents: int, *, day: date = DAY, kind: str = "WIRE", **more: Any) -> None:
    facts.add("core.api_transaction", activity_id=identifier, pocket_id=OLD, transaction_id=identifier,
              transaction_type=kind, transaction_status="SETTLED", signed_amount=Decimal(cents).scaleb(-2),
              currency="USD", booked_at_utc=at(day, 16), booked_on=day, business_date=day, settled_at_utc=at(day, 17),
              occurrences=1, **more)  # fmt: skip


def paid(facts: Facts, approver: str = APPROVER, **request: Any) -> None:
    """A wire of 100.00, asked for and approved in the hour before it."""
    moves(facts, "payment", -100_00, transfer_id="wire-1")
    facts.add("core.transfer_request", **{
        "request_id": "wire-1", "transfer_id": "wire-1", "request_status": "COMPLETED", "transfer_type": "WIRE",
        "origin_pocket_id": OLD, "amount": Decimal("100.00"), "counterparty_id": "supplier", "created_by_id": MAKER,
        "created_at_utc": at(DAY, 15), "updated_at_utc": at(DAY, 17), "stated_on": DAY, **request,
    })  # fmt: skip
    log(facts, at(DAY, 15) + timedelta(minutes=30), approver, "TRANSFER_REQUEST_APPROVED", transfer_id="wire-1")


def log(facts: Facts, when: datetime, member: str, action: str, **about: str) -> None:
    number = len(facts.rows.get("core.audit_log", []))
    facts.add("core.audit_log", entry_id=f"entry-{number}", occurred_at_utc=when, member_id=member, action=action,
              action_details=json.dumps(about), stated_on=when.date())  # fmt: skip


def answer(path: Path, facts: Facts, control: str, entity: str, day: date = DAY) -> Answer:
    """What a control says of one entity on one day."""
    (found,) = [a for a in ask(path, facts, control)[control] if (a.entity_key, a.business_date) == (entity, day)]
    return found


def test_a_payment_that_another_entitled_person_approved_passes(tmp_path: Path) -> None:
    facts = world()
    paid(facts)
    assert answer(tmp_path, facts, "K50", "payment").status == "PASS"


def test_who_could_approve_before_the_team_was_listed_is_not_judged(tmp_path: Path) -> None:
    facts = world(people_from=at(LAST, 12))
    paid(facts, approver=ONLOOKER)
    found = answer(tmp_path, facts, "K50", "payment")
    assert (found.status, found.reason) == ("NOT_TESTED", "BASELINE")


def test_a_person_is_judged_by_the_version_of_the_moment_of_the_approval(tmp_path: Path) -> None:
    facts = world()
    paid(facts)
    member = facts.one("core.team_member", member_id=APPROVER)
    member["known_to_utc"] = at(DAYS[6], 12)
    facts.add("core.team_member", **{**member, "member_status": "INACTIVE", "known_from_utc": at(DAYS[6], 12),
                                     "known_to_utc": None})  # fmt: skip
    assert answer(tmp_path, facts, "K50", "payment").status == "PASS"
    member["known_to_utc"] = facts.rows["core.team_member"][-1]["known_from_utc"] = at(DAYS[2], 12)
    found = answer(tmp_path, facts, "K50", "payment")
    assert (found.code, found.sub_code) == ("AUTH_NOT_ENTITLED", "INACTIVE")


def test_a_payment_whose_requests_were_not_listed_is_not_judged(tmp_path: Path) -> None:
    facts = world()
    moves(facts, "payment", -100_00, transfer_id="wire-1")
    facts.remove("raw.delivery", lambda row: row["document_kind"] == "TRANSFER_REQUESTS" and row["scope_date"] < FIRST)
    found = answer(tmp_path, facts, "K50", "payment")
    assert (found.status, found.reason) == ("NOT_TESTED", "NO_INPUT")


def test_a_request_of_all_the_money_needs_no_amount(tmp_path: Path) -> None:
    facts = world()
    paid(facts, amount=None)
    assert answer(tmp_path, facts, "K50", "payment").status == "PASS"


def test_a_change_that_the_audit_log_has_passes_and_a_verification_is_none(tmp_path: Path) -> None:
    facts = world()
    supplier = facts.one("core.counterparty", counterparty_id="supplier")
    for day, change in ((DAYS[2], {"counterparty_status": "PENDING"}), (DAY, {"account_number": "0002"})):
        listed(facts, "COUNTERPARTIES", at(day, 12))
        supplier["known_to_utc"] = at(day, 12)
        supplier = {**supplier, **change, "known_from_utc": at(day, 12), "known_to_utc": None}
        facts.add("core.counterparty", **supplier)
    found = [a for a in ask(tmp_path, facts, "K56")["K56"] if a.entity_key]
    assert [(a.entity_key, a.business_date, a.code) for a in found] == [
        ("COUNTERPARTIES supplier", DAY, "CHANGE_UNLOGGED")
    ]
    log(facts, at(DAY, 11), MAKER, "COUNTERPARTY_EDITED", counterparty_id="supplier")
    assert answer(tmp_path, facts, "K56", "COUNTERPARTIES supplier").status == "PASS"


def test_the_pipelines_own_user_may_sign_in_and_order_reports(tmp_path: Path) -> None:
    facts = world()
    facts.add("core.signed_in_user", user_id=MAKER, known_from_utc=BEFORE)
    log(facts, at(DAY, 14), MAKER, "MEMBER_SIGNED_IN")
    log(facts, at(DAY, 15), MAKER, "REPORT_REQUEST_CREATED")
    log(facts, at(DAY, 16), ONLOOKER, "TEAM_MEMBER_EDITED", member_id=MAKER)
    found = [a for a in ask(tmp_path, facts, "K56")["K56"] if a.entity_key]
    assert [(a.entity_key, a.status) for a in found] == [("AUDIT_LOGS entry-0", "PASS"), ("AUDIT_LOGS entry-1", "PASS")]


def test_a_pocket_counts_as_listed_until_a_listing_no_longer_shows_it(tmp_path: Path) -> None:
    facts = world()
    facts.one("core.pocket_history", pocket_id=OLD)["known_to_utc"] = at(DAY, 16)
    found = {a.business_date: a.code for a in ask(tmp_path, facts, "K47")["K47"] if a.entity_key == OLD}
    assert found[DAYS[3]] == ""
    assert (found[DAY], found[DAYS[5]]) == ("POCKET_UNLISTED", "POCKET_UNLISTED")


@pytest.mark.parametrize(("days", "status"), [(32, "PASS"), (33, "BREAK")])
def test_a_bill_may_run_four_days_longer_than_the_strategy(tmp_path: Path, days: int, status: str) -> None:
    facts = world()
    facts.add("core.trade", trade_id="trade-1", pocket_id=OLD, activity="BUY", cusip="912797GK7", trade_date=DAY,
              settlement_date=DAY, maturity_date=DAY + timedelta(days=days), traded_at_utc=at(DAY, 15),
              occurrences=1)  # fmt: skip
    assert answer(tmp_path, facts, "K57", "trade-1").status == status


def test_a_rejected_transfer_rightly_has_no_transaction_and_a_success_has_one(tmp_path: Path) -> None:
    facts = world()
    moves(facts, "received", 5_00, transfer_id="wire-2")
    for event, kind, wire in (
        ("e1", "in.rejected", "wire-9"),
        ("e2", "in.success", "wire-2"),
        ("e3", "out.success", "wire-2"),
    ):
        facts.add("core.event", event_id=event, event_type=f"transfers.wire.{kind}", occurred_at_utc=at(DAY, 18),
                  payload=json.dumps({"wire_id": wire}), stated_on=DAY)  # fmt: skip
    found = {a.entity_key: a.status for a in ask(tmp_path, facts, "K58")["K58"] if a.business_date == DAY}
    assert found == {"e1": "PASS", "e2": "PASS", "e3": "BREAK"}


def test_a_success_whose_transaction_may_be_on_a_day_that_was_not_listed_is_not_tested(tmp_path: Path) -> None:
    facts = world()
    facts.add("core.event", event_id="e1", event_type="transfers.wire.in.success", occurred_at_utc=at(DAY, 11),
              payload=json.dumps({"wire_id": "wire-9"}), stated_on=DAY)  # fmt: skip
    facts.remove(
        "raw.delivery", lambda row: row["document_kind"] == "API_TRANSACTIONS" and row["scope_date"] == DAYS[3]
    )
    found = {(a.entity_key, a.status, a.reason) for a in ask(tmp_path, facts, "K58")["K58"] if a.business_date == DAY}
    assert found == {("e1", "NOT_TESTED", "NO_INPUT")}


def expects(facts: Facts, identifier: str, low: str, high: str, *, direction: str = "IN", **more: Any) -> None:
    facts.add("core.expected_payment", **{
        "expected_id": identifier, "pocket": "Operating", "direction": direction, "amount_low": Decimal(low),
        "amount_high": Decimal(high), "date_low": DAY, "date_high": DAYS[5], "known_from_utc": BEFORE, **more,
    })  # fmt: skip


def test_without_a_list_nothing_is_expected_and_no_debit_is_judged(tmp_path: Path) -> None:
    facts = world()
    moves(facts, "debit", -5_00, kind="ACH")
    found = ask(tmp_path, facts, "K26", "K55")
    assert {(a.status, a.reason) for a in found["K26"]} == {("NOT_TESTED", "NO_EXPECTED_LIST")}
    assert {a.reason for a in found["K55"]} == {"NO_ACTIVITY", "NO_EXPECTED_LIST"}


def test_a_reference_decides_and_without_one_only_what_is_unambiguous_matches(tmp_path: Path) -> None:
    facts = world()
    moves(facts, "first", 50_00, kind="ACH")
    moves(facts, "second", 50_00, kind="ACH", day=DAYS[5], description="Invoice RE-77")
    expects(facts, "either", "50.00", "50.00")
    assert answer(tmp_path, facts, "K26", "either", DAYS[5]).sub_code == "AMBIGUOUS"
    expects(facts, "known", "50.00", "50.00", reference="re-77")
    found = {a.entity_key: a.status for a in ask(tmp_path, facts, "K26")["K26"] if a.entity_key}
    assert found == {"either": "PASS", "known": "PASS", "first": "PASS", "second": "PASS"}


def test_what_comes_late_clears_what_was_overdue(tmp_path: Path) -> None:
    facts = world()
    expects(facts, "late", "50.00", "50.00")
    assert answer(tmp_path, facts, "K26", "late", DAYS[5]).code == "EXP_OVERDUE"
    moves(facts, "came", 50_00, kind="ACH", day=DAYS[7])
    found = answer(tmp_path, facts, "K26", "late", DAYS[5])
    assert (found.status, str(DAYS[7]) in found.detail) == ("PASS", True)


def test_a_debit_is_expected_or_allowed_else_it_shows_its_last_day_of_return(
    tmp_path: Path,
) -> None:
    facts = world()
    for identifier, cents in (("expected", -5_00), ("card", -7_00), ("unknown", -9_00)):
        moves(facts, identifier, cents, kind="CARD" if identifier == "card" else "ACH")
    expects(facts, "x", "5.00", "5.00", direction="OUT")
    facts.add("core.debit_allowance", company_id="CARD", limit_amount=Decimal("7.00"), known_from_utc=BEFORE)
    found = {a.entity_key: a for a in ask(tmp_path, facts, "K55")["K55"] if a.business_date == DAY}
    assert {key: a.code for key, a in found.items()} == {"expected": "", "card": "", "unknown": "DEBIT_UNKNOWN"}
    assert f"return_by {calendars.next_fed_business_day(DAY)}." in found["unknown"].detail


@pytest.mark.parametrize(("price", "status"), [("99.995000", "PASS"), ("99.994999", "BREAK"), (None, "NOT_TESTED")])
def test_a_price_may_be_off_by_half_a_hundredth_near_maturity(tmp_path: Path, price: str | None, status: str) -> None:
    facts = world()
    facts.add("core.position_daily", pocket_id=OLD, business_date=DAY, cusip="912797GK7", quantity=1,
              face_amount=Decimal(100), price=Decimal("100.000000"), market_value=Decimal(100),
              maturity_date=DAY + timedelta(days=30), occurrences=1, finality="AFTER_CUTOFF")  # fmt: skip
    facts.add("core.treasury_price", cusip="912797GK7", price_date=DAY, known_from_utc=BEFORE,
              end_of_day=None if price is None else Decimal(price))  # fmt: skip
    assert answer(tmp_path, facts, "K39", "912797GK7").status == status
