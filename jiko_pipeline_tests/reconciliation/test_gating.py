"""One root break, not a cascade: what rests on a failed document is not tested and names the break behind it."""

from pathlib import Path

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
    clean_bank,
)

ALL_DAYS = calendars.days(FIRST, LAST)


def without_bank_statement() -> CashBank:
    """A clean bank whose bank statement of one pocket and day never came."""
    bank = clean_bank()
    bank.remove("raw.delivery", document_kind="BANK_STATEMENT", scope_pocket_id=OLD, scope_date=D)
    for table in ("core.bank_daily", "core.bank_transaction"):
        bank.remove(table, pocket_id=OLD, business_date=D)
    return bank


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path / "warehouse.duckdb")
    made.land(without_bank_statement(), ALL_DAYS)
    made.judge()
    return made


def test_a_missing_statement_is_one_break_and_the_rest_is_blocked_by_it(warehouse: Warehouse) -> None:
    assert warehouse.fired() == [("K01", "GAP_MISSING", OLD, D, "BANK_STATEMENT")]
    (root,) = warehouse.con.execute("select break_id from recon.result where status = 'BREAK'").fetchone() or ("",)
    blocked = warehouse.con.execute(
        """
        select distinct control_id, business_date, blocked_by, root_break_id, status
        from recon.result where reason = 'BLOCKED' order by all
        """
    ).fetchall()
    assert {row[0] for row in blocked if row[1] == D} == {"K03", "K04", "K10", "K12", "K13", "K14", "K20", "K21"}
    assert {row[2:] for row in blocked} == {("K01", root, "NOT_TESTED")}


def test_what_rests_on_another_document_of_the_day_is_tested(warehouse: Warehouse) -> None:
    assert [row["status"] for row in warehouse.results("K11", OLD, D)] == ["PASS"]
    chain = {row["entity_key"]: row["status"] for row in warehouse.results("K12", OLD, D)}
    assert chain == {"BANK_STATEMENT": "NOT_TESTED", "BROKERAGE_STATEMENT": "PASS"}


def test_a_chained_control_is_blocked_on_the_next_business_day_and_no_longer(warehouse: Warehouse) -> None:
    def reasons(day_no: int) -> dict[str, str]:
        rows = warehouse.results("K12", OLD, BUSINESS_DAYS[day_no])
        return {row["entity_key"]: row["reason"] for row in rows}

    assert reasons(6) == {"BANK_STATEMENT": "BLOCKED", "BROKERAGE_STATEMENT": ""}
    assert reasons(7) == {"BANK_STATEMENT": "", "BROKERAGE_STATEMENT": ""}


def test_a_later_run_knows_what_failed_on_days_it_does_not_judge(tmp_path: Path) -> None:
    made = Warehouse(tmp_path / "warehouse.duckdb")
    bank = without_bank_statement()
    made.land(bank, [day for day in ALL_DAYS if day <= NEXT])
    made.judge(FIRST, NEXT)
    made.con.execute("create table judged_before as select * from recon.result where business_date = ?", [D])
    later = BUSINESS_DAYS[11]
    made.land(bank, [day for day in ALL_DAYS if NEXT < day <= later])
    # Six business days after D the run reaches back to the day after D, not to D itself.
    summary = made.judge(later, later)
    assert summary.first == NEXT
    chain = {row["entity_key"]: row["blocked_by"] for row in made.results("K12", OLD, NEXT)}
    assert chain == {"BANK_STATEMENT": "K01", "BROKERAGE_STATEMENT": ""}


def test_a_blocked_key_keeps_no_figures(warehouse: Warehouse) -> None:
    figures = warehouse.con.execute(
        """
        select count(*) from recon.result
        where reason = 'BLOCKED'
          and (left_value is not null or right_value is not null or difference is not null or code <> ''
               or break_id <> '' or detail = '')
        """
    ).fetchone()
    assert figures == (0,)


def test_a_corrupt_listing_blocks_the_transactions_of_every_pocket_and_nothing_else(tmp_path: Path) -> None:
    bank = clean_bank()
    bank.quarantine("API_TRANSACTIONS", "", D, whole=True, message="It is no JSON.")
    made = Warehouse(tmp_path / "warehouse.duckdb")
    made.land(bank, ALL_DAYS)
    made.judge()
    assert {fired[:2] for fired in made.fired()} == {("K03", "DOC_CORRUPT")}
    blocked = made.con.execute("select distinct control_id, business_date from recon.result where reason = 'BLOCKED'")
    assert sorted(blocked.fetchall()) == [("K04", D), ("K21", D)]
