"""K16: a closed pocket ends empty and stays so; a life that nobody tells is not tested."""

from datetime import datetime, time
from decimal import Decimal
from pathlib import Path

from jiko_pipeline_tests.reconciliation.small_bank import DAYS, NEW, OLD, ask, breaks, clean_facts

LAST_DAY = DAYS[7]


def test_while_no_pocket_closes_there_is_nothing_to_test(tmp_path: Path) -> None:
    answers = ask(tmp_path, clean_facts(), "K16")["K16"]
    assert {(row.status, row.reason) for row in answers} == {("NOT_TESTED", "NO_ACTIVITY")}


def test_a_pocket_that_closes_with_money_and_goes_on_moving_is_told(tmp_path: Path) -> None:
    facts = clean_facts()
    facts.one("core.pocket", pocket_id=NEW)["closed_on"] = LAST_DAY
    moved = {row["business_date"] for row in facts.find("core.bank_transaction", pocket_id=NEW)}
    moved |= {row["trade_date"] for row in facts.find("core.trade", pocket_id=NEW)}
    found = breaks(ask(tmp_path, facts, "K16"))
    assert found == {("K16", "CLOSED_NOT_EMPTY", "", "", LAST_DAY, NEW)} | {
        ("K16", "ACTIVITY_AFTER_CLOSE", "", "", day, NEW) for day in moved if day > LAST_DAY
    }
    assert len(found) > 1


def test_a_transaction_that_the_api_alone_lists_after_the_close_is_told(tmp_path: Path) -> None:
    facts = clean_facts()
    facts.one("core.pocket", pocket_id=NEW)["closed_on"] = LAST_DAY
    for table, dated in (("core.bank_transaction", "business_date"), ("core.trade", "trade_date")):
        facts.rows[table] = [row for row in facts.rows[table] if row["pocket_id"] != NEW or row[dated] <= LAST_DAY]
    facts.add("core.api_transaction", activity_id="late", pocket_id=NEW, transaction_id="late", transaction_type="ACH",
              transaction_status="SETTLED", signed_amount=Decimal("5.00"), currency="USD", business_date=DAYS[8],
              booked_on=DAYS[8], booked_at_utc=datetime.combine(DAYS[8], time(16)), occurrences=1)  # fmt: skip
    late = {one for one in breaks(ask(tmp_path, facts, "K16")) if one[1] == "ACTIVITY_AFTER_CLOSE"}
    assert late == {("K16", "ACTIVITY_AFTER_CLOSE", "", "", DAYS[8], NEW)}


def test_a_pocket_that_closes_empty_passes(tmp_path: Path) -> None:
    facts = clean_facts()
    facts.one("core.pocket", pocket_id=NEW)["closed_on"] = LAST_DAY
    for table in ("core.bank_transaction", "core.brokerage_daily", "core.position_daily"):
        facts.remove(table, lambda row: row["pocket_id"] == NEW and row["business_date"] > LAST_DAY)
    facts.remove("core.trade", lambda row: row["pocket_id"] == NEW and row["trade_date"] > LAST_DAY)
    facts.remove("core.position_daily", lambda row: row["pocket_id"] == NEW and row["business_date"] == LAST_DAY)
    facts.one("core.brokerage_daily", pocket_id=NEW, business_date=LAST_DAY).update(cash_balance=0, closing_value=0)
    answers = ask(tmp_path, facts, "K16")
    assert not breaks(answers)
    assert [row.entity_key for row in answers["K16"] if row.status == "PASS"] == [NEW]


def test_a_life_that_nobody_tells_is_not_tested(tmp_path: Path) -> None:
    facts = clean_facts()
    facts.one("core.pocket", pocket_id=OLD)["opened_on"] = None
    answers = ask(tmp_path, facts, "K16")["K16"]
    assert {(row.entity_key, row.reason) for row in answers if row.business_date == LAST_DAY} == {(OLD, "LIFETIME")}
