"""K01, K03, K04 and K10 to K14: each fault fires the code of the catalogue, for its pocket and day alone."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from jiko_pipeline import calendars
from jiko_pipeline_tests.reconciliation.cash_bank import (
    BUSINESS_DAYS,
    CUSTOMER,
    ENTITY,
    FIRST,
    LAST,
    NEW,
    NEW_OPENS,
    NEXT,
    OLD,
    CashBank,
    D,
    Warehouse,
    clean_bank,
)

ALL_DAYS = calendars.days(FIRST, LAST)
CENT = Decimal("0.01")


def judged(tmp_path: Path, bank: CashBank, *, basis: bool = True) -> Warehouse:
    warehouse = Warehouse(tmp_path / "warehouse.duckdb", basis=basis)
    warehouse.land(bank, ALL_DAYS)
    warehouse.judge()
    return warehouse


def test_clean_statements_fire_nothing_and_every_required_key_is_tested(tmp_path: Path) -> None:
    warehouse = judged(tmp_path, clean_bank())
    assert warehouse.fired() == []
    reasons = warehouse.con.execute(
        "select distinct control_id, reason from recon.result where status = 'NOT_TESTED' order by all"
    ).fetchall()
    assert reasons == [
        ("K04", "NO_ACTIVITY"),
        ("K12", "BASELINE"),
        ("K14", "NO_ACTIVITY"),
        ("K20", "NO_ACTIVITY"),
        ("K21", "NO_ACTIVITY"),
    ]


@pytest.mark.parametrize("kind", ["BANK_STATEMENT", "BROKERAGE_STATEMENT", "POSITION"])
@pytest.mark.fault_rows(107)
def test_a_statement_that_did_not_arrive_is_a_gap(tmp_path: Path, kind: str) -> None:
    bank = clean_bank()
    bank.remove("raw.delivery", document_kind=kind, scope_pocket_id=OLD, scope_date=D)
    table = {"BANK_STATEMENT": "core.bank_daily", "BROKERAGE_STATEMENT": "core.brokerage_daily"}.get(kind)
    if table:
        bank.remove(table, pocket_id=OLD, business_date=D)
    assert judged(tmp_path, bank).fired() == [("K01", "GAP_MISSING", OLD, D, kind)]


def test_a_gap_on_the_last_landed_day_may_still_be_filled(tmp_path: Path) -> None:
    bank = clean_bank()
    bank.remove("raw.delivery", document_kind="POSITION", scope_pocket_id=OLD, scope_date=BUSINESS_DAYS[-1])
    assert judged(tmp_path, bank).fired() == [("K01", "GAP_LATE", OLD, BUSINESS_DAYS[-1], "POSITION")]


def test_a_provisional_statement_is_no_evidence(tmp_path: Path) -> None:
    bank = clean_bank()
    bank.one("raw.delivery", document_kind="BANK_STATEMENT", scope_pocket_id=OLD, scope_date=D)["finality"] = (
        "PROVISIONAL"
    )
    warehouse = judged(tmp_path, bank)
    assert warehouse.fired() == [("K01", "GAP_PROVISIONAL_ONLY", OLD, D, "BANK_STATEMENT")]
    assert [row["reason"] for row in warehouse.results("K10", OLD, D)] == ["BLOCKED"]


def test_a_missing_listing_of_a_saturday_is_missed_by_the_monday_of_every_pocket(tmp_path: Path) -> None:
    bank = clean_bank()
    saturday = D - timedelta(days=2)
    bank.remove("raw.delivery", document_kind="API_TRANSACTIONS", scope_date=saturday)
    entity = f"API_TRANSACTIONS {saturday}"
    assert judged(tmp_path, bank).fired() == [
        ("K01", "GAP_MISSING", NEW, D, entity),
        ("K01", "GAP_MISSING", OLD, D, entity),
    ]


def test_a_pocket_whose_life_is_unknown_and_that_has_no_statement_is_not_tested(tmp_path: Path) -> None:
    bank = clean_bank()
    bank.add("core.pocket", date.min, pocket_id="ghost", pocket_name="Ghost", pocket_status="OPEN",
             lifetime_source="UNKNOWN")  # fmt: skip
    warehouse = judged(tmp_path, bank)
    assert [(row["status"], row["reason"]) for row in warehouse.results("K01", "ghost", D)] == [
        ("NOT_TESTED", "LIFETIME")
    ]
    assert warehouse.fired() == []


def test_days_outside_the_life_of_a_pocket_are_not_judged(tmp_path: Path) -> None:
    bank = clean_bank()
    for table in ("raw.delivery", "core.bank_daily", "core.brokerage_daily", "core.bank_transaction",
                  "core.api_transaction", "core.brokerage_flow"):  # fmt: skip
        pocket_column = "scope_pocket_id" if table == "raw.delivery" else "pocket_id"
        date_column = "scope_date" if table == "raw.delivery" else "business_date"
        bank.rows[table] = [
            row for row in bank.rows[table] if not (row[pocket_column] == NEW and row[date_column] > NEXT)
        ]
    bank.one("core.pocket", pocket_id=NEW)["closed_on"] = NEXT
    warehouse = judged(tmp_path, bank)
    days = warehouse.con.execute(
        "select distinct business_date from recon.result where pocket_id = ? order by 1", [NEW]
    ).fetchall()
    assert [day for (day,) in days] == [day for day in BUSINESS_DAYS if NEW_OPENS <= day <= NEXT]
    assert warehouse.fired() == []


def test_a_document_that_could_not_be_read_is_corrupt_for_its_pocket_and_day_alone(tmp_path: Path) -> None:
    bank = clean_bank()
    bank.quarantine("BANK_STATEMENT", OLD, D, whole=True, message="The file ends in the middle of an element.")
    bank.remove("core.bank_daily", pocket_id=OLD, business_date=D)
    bank.remove("core.bank_transaction", pocket_id=OLD, business_date=D)
    bank.one("raw.delivery", document_kind="BANK_STATEMENT", scope_pocket_id=OLD, scope_date=D).update(
        outcome="QUARANTINED", is_current=False
    )
    warehouse = judged(tmp_path, bank)
    assert warehouse.fired() == [("K03", "DOC_CORRUPT", OLD, D, "BANK_STATEMENT")]
    blocked = warehouse.con.execute(
        "select distinct pocket_id, business_date, blocked_by from recon.result where reason = 'BLOCKED' order by all"
    ).fetchall()
    assert blocked == [(OLD, D, "K03"), (OLD, NEXT, "K03")]


@pytest.mark.fault_rows(91)
def test_a_rejected_row_of_a_listing_of_sunday_belongs_to_monday(tmp_path: Path) -> None:
    bank = clean_bank()
    sunday = D - timedelta(days=1)
    bank.quarantine("API_TRANSACTIONS", "", sunday, whole=False, message="The amount is no number.")
    assert judged(tmp_path, bank).fired() == [
        ("K03", "ROW_REJECTED", NEW, D, f"API_TRANSACTIONS {sunday}"),
        ("K03", "ROW_REJECTED", OLD, D, f"API_TRANSACTIONS {sunday}"),
    ]


def test_rows_that_went_nowhere_are_a_count_mismatch(tmp_path: Path) -> None:
    bank = clean_bank()
    document = bank.one("raw.document", document_id=f"POSITION-{OLD}-{D}")
    document.update(rows_in_document=7, rows_loaded=5, rows_rejected=1)
    warehouse = judged(tmp_path, bank)
    assert warehouse.fired() == [("K03", "COUNT_MISMATCH", OLD, D, "POSITION")]
    (row,) = [r for r in warehouse.results("K03", OLD, D) if r["status"] == "BREAK"]
    assert (row["left_value"], row["right_value"], row["difference"]) == (7, 6, 1)


@pytest.mark.parametrize(("entries", "net"), [(3, "60.00"), (2, "60.01")])
@pytest.mark.fault_rows(96)
def test_a_statement_that_declares_other_totals_than_it_holds_is_a_count_mismatch(
    tmp_path: Path, entries: int, net: str
) -> None:
    bank = clean_bank()
    scope = {"document_kind": "BANK_STATEMENT", "scope_pocket_id": OLD, "scope_date": D, "row_ordinal": 1,
             "row_hash": "", "document_id": "", "document_sha256": "", "known_from_utc": None,
             "statement_seq": 1}  # fmt: skip
    scope["known_from_utc"] = bank.rows["raw.delivery"][0]["known_from_utc"]
    bank.add("staging.statement", D, summary_entries=entries, summary_net_amount=Decimal(net), **scope)
    for number, amount in enumerate(("100.00", "-40.00"), start=1):
        bank.add("staging.statement_entry", D, entry_seq=number, signed_amount=Decimal(amount), details=1, **scope)
    assert judged(tmp_path, bank).fired() == [("K03", "COUNT_MISMATCH", OLD, D, "BANK_STATEMENT")]


def test_an_entry_booked_twice_alike_is_an_identical_duplicate_and_blocks_what_rests_on_it(tmp_path: Path) -> None:
    bank = clean_bank()
    twin = bank.one("core.bank_transaction", pocket_id=OLD, business_date=D, bank_transaction_key="deposit#1")
    bank.rows["core.bank_transaction"].append({**twin, "bank_transaction_key": "deposit#2"})
    warehouse = judged(tmp_path, bank)
    reference = twin["account_servicer_reference"]
    assert warehouse.fired() == [("K04", "DUP_IDENTICAL", OLD, D, f"BANK_STATEMENT {reference}")]
    for control in ("K10", "K13", "K14", "K20", "K21"):
        assert {row["blocked_by"] for row in warehouse.results(control, OLD, D)} == {"K04"}


def test_an_entry_booked_twice_with_another_amount_is_a_conflict(tmp_path: Path) -> None:
    bank = clean_bank()
    twin = bank.one("core.bank_transaction", pocket_id=OLD, business_date=D, bank_transaction_key="deposit#1")
    bank.rows["core.bank_transaction"].append(
        {**twin, "bank_transaction_key": "deposit#2", "signed_amount": Decimal("1.00")}
    )
    (fired,) = judged(tmp_path, bank).fired()
    assert fired[:4] == ("K04", "DUP_CONFLICT", OLD, D)


def test_a_transaction_that_the_listing_states_twice_without_its_rows_at_hand_is_a_duplicate_key(
    tmp_path: Path,
) -> None:
    bank = clean_bank()
    row = bank.one("core.api_transaction", pocket_id=OLD, business_date=D, transaction_id="deposit")
    row["occurrences"] = 2
    assert judged(tmp_path, bank).fired() == [("K04", "DUP_KEY", OLD, D, f"API_TRANSACTIONS {row['activity_id']}")]


@pytest.mark.parametrize(("prices", "code"), [(("99.1", "99.1"), "DUP_IDENTICAL"), (("99.1", "99.2"), "DUP_CONFLICT")])
def test_a_price_stated_twice_is_told_from_a_contradiction_for_each_pocket_that_holds_the_bill(
    tmp_path: Path, prices: tuple[str, str], code: str
) -> None:
    bank = clean_bank()
    for number, price in enumerate(prices, start=1):
        bank.add("staging.security_price", D, document_kind="SECURITY_PRICE", scope_pocket_id="", scope_date=D,
                 row_ordinal=number, cusip="912797GW1", price_date=D, price=Decimal(price), provider="JIKO",
                 row_hash="", document_id="", document_sha256="",
                 known_from_utc=bank.rows["raw.delivery"][0]["known_from_utc"])  # fmt: skip
    bank.add("core.security_price", D, cusip="912797GW1", price_date=D, price=Decimal(prices[0]), occurrences=2)
    for pocket in (OLD, NEW):
        bank.add("core.position_daily", D, pocket_id=pocket, business_date=D, cusip="912797GW1", quantity=1,
                 face_amount=Decimal(100), price=Decimal(prices[0]), market_value=Decimal("99.10"), occurrences=1,
                 finality="AFTER_CUTOFF")  # fmt: skip
    assert judged(tmp_path, bank).fired() == [
        ("K04", code, NEW, D, "SECURITY_PRICE 912797GW1"),
        ("K04", code, OLD, D, "SECURITY_PRICE 912797GW1"),
    ]


@pytest.mark.fault_rows(96)
def test_an_entry_off_by_a_cent_breaks_the_footing_by_that_cent(tmp_path: Path) -> None:
    bank = clean_bank()
    row = bank.one("core.bank_transaction", pocket_id=OLD, business_date=D, bank_transaction_key="deposit#1")
    row["signed_amount"] += CENT
    warehouse = judged(tmp_path, bank)
    assert [fired[:4] for fired in warehouse.fired()] == [("K10", "FOOT_BANK", OLD, D), ("K21", "TX_AMT", OLD, D)]
    (footing,) = warehouse.results("K10", OLD, D)
    assert footing["difference"] == CENT


@pytest.mark.parametrize("balance", ["opening_balance", "closing_balance"])
def test_a_statement_without_one_of_its_balances_does_not_foot(tmp_path: Path, balance: str) -> None:
    bank = clean_bank()
    bank.one("core.bank_daily", pocket_id=OLD, business_date=D)[balance] = None
    fired = judged(tmp_path, bank).fired()
    assert ("K10", "FOOT_BANK", OLD, D, "") in fired
    assert ("K13", "BANK_NONZERO_EOD", OLD, D, "") in fired


def test_a_gain_off_by_a_cent_breaks_the_brokerage_footing(tmp_path: Path) -> None:
    bank = clean_bank()
    bank.one("core.brokerage_daily", pocket_id=OLD, business_date=D)["gains"] += CENT
    warehouse = judged(tmp_path, bank)
    assert warehouse.fired() == [("K11", "FOOT_BRO", OLD, D, "")]
    assert warehouse.results("K11", OLD, D)[0]["difference"] == CENT


def test_without_a_confirmed_basis_the_brokerage_footing_is_not_tested(tmp_path: Path) -> None:
    warehouse = judged(tmp_path, clean_bank(), basis=False)
    rows = warehouse.con.execute("select distinct status, reason from recon.result where control_id = 'K11'").fetchall()
    assert rows == [("NOT_TESTED", "BASIS")]


def test_an_opening_that_is_not_yesterdays_close_breaks_the_chain(tmp_path: Path) -> None:
    bank = clean_bank()
    for column in ("opening_value", "closing_value"):
        bank.one("core.brokerage_daily", pocket_id=OLD, business_date=D)[column] += 100
    warehouse = judged(tmp_path, bank)
    assert warehouse.fired() == [
        ("K12", "CHAIN_OPEN_NE_PRIOR_CLOSE", OLD, D, "BROKERAGE_STATEMENT"),
        ("K12", "CHAIN_OPEN_NE_PRIOR_CLOSE", OLD, NEXT, "BROKERAGE_STATEMENT"),
    ]
    differences = [
        row["difference"] for day in (D, NEXT) for row in warehouse.results("K12", OLD, day) if row["status"] == "BREAK"
    ]
    assert differences == [100, -100]


def test_a_pocket_that_opens_within_the_data_starts_at_zero(tmp_path: Path) -> None:
    bank = clean_bank()
    first_day = bank.one("core.brokerage_daily", pocket_id=NEW, business_date=NEW_OPENS)
    first_day["opening_value"] += CENT
    first_day["closing_value"] += CENT
    fired = judged(tmp_path, bank).fired()
    assert fired[0] == ("K12", "CHAIN_OPEN_NE_PRIOR_CLOSE", NEW, NEW_OPENS, "BROKERAGE_STATEMENT")


def test_days_that_never_landed_leave_the_chain_unprovable(tmp_path: Path) -> None:
    bank = clean_bank()
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    hole = BUSINESS_DAYS[3:5]
    warehouse.land(bank, [day for day in ALL_DAYS if not hole[0] <= day <= hole[-1]])
    warehouse.judge(FIRST, hole[0] - timedelta(days=1))
    warehouse.judge(D, LAST)
    chain = [fired for fired in warehouse.fired() if fired[0] == "K12"]
    assert chain == [
        ("K12", "CHAIN_UNPROVABLE", pocket, D, kind)
        for pocket in (NEW, OLD)
        for kind in ("BANK_STATEMENT", "BROKERAGE_STATEMENT")
    ]


def test_a_bank_account_that_keeps_cash_overnight_is_told(tmp_path: Path) -> None:
    bank = clean_bank()
    bank.one("core.bank_daily", pocket_id=OLD, business_date=D)["closing_balance"] = CENT
    fired = judged(tmp_path, bank).fired()
    assert [row[:4] for row in fired] == [
        ("K10", "FOOT_BANK", OLD, D),
        ("K12", "CHAIN_OPEN_NE_PRIOR_CLOSE", OLD, NEXT),
        ("K13", "BANK_NONZERO_EOD", OLD, D),
    ]


@pytest.mark.parametrize(("rules", "code"), [(0, "UNCLASSIFIED"), (2, "CLASS_AMBIG")])
def test_an_entry_without_exactly_one_category_is_told(tmp_path: Path, rules: int, code: str) -> None:
    bank = clean_bank()
    row = bank.one("core.bank_transaction", pocket_id=OLD, business_date=D, bank_transaction_key="deposit#1")
    row.update(category=None, matching_rules=rules)
    assert judged(tmp_path, bank).fired() == [("K14", code, OLD, D, "deposit#1")]


def test_another_customers_facts_are_out_of_sight(tmp_path: Path) -> None:
    other = clean_bank()
    other.one("core.bank_transaction", pocket_id=OLD, business_date=D, bank_transaction_key="deposit#1")[
        "signed_amount"
    ] += 1
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    warehouse.land(clean_bank(), ALL_DAYS)
    warehouse.land(other, ALL_DAYS, customer="other")
    warehouse.judge()
    assert warehouse.fired() == []
    assert warehouse.con.execute("select distinct customer_id, legal_entity_id from recon.result").fetchall() == [
        (CUSTOMER, ENTITY)
    ]
