"""The take-on: what a pocket held on the first day of the data is confirmed by two persons and then tested against."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from jiko_pipeline.reconciliation.baseline import Baseline, BaselineRefusedError, set_baseline
from jiko_pipeline.reconciliation.evidence import evidence
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline_tests.reconciliation.small_bank import CUSTOMER, DAYS, ENTITY, LAST, NOW, OLD, clean_facts, warehouse

FIRST_DAY = DAYS[0]


def take_on(
    con: duckdb.DuckDBPyConnection, by: str, day: date = FIRST_DAY, now: datetime = NOW
) -> tuple[Baseline, ...]:
    return set_baseline(con, customer_id=CUSTOMER, legal_entity_id=ENTITY, day=day, by=by, now=now)


def first_day_says(con: duckdb.DuckDBPyConnection, control_id: str) -> set[tuple[str, str, str]]:
    with evidence(con, customer_id=CUSTOMER, first=FIRST_DAY, last=LAST):
        rows = con.execute(Registry.load()[control_id].sql).fetchall()
    return {(row[3], row[4], row[6]) for row in rows if row[0] == OLD and row[1] == FIRST_DAY}


def test_until_two_persons_agree_the_first_day_is_not_tested(tmp_path: Path) -> None:
    with warehouse(tmp_path, clean_facts()) as con:
        (step,) = take_on(con, "Ann")
        assert (step.pocket_id, step.status, step.bills) == (OLD, "PROPOSED", 4)
        for control_id in ("K32", "K34"):
            assert first_day_says(con, control_id) == {("NOT_TESTED", "", "BASELINE")}
        with pytest.raises(BaselineRefusedError, match="second person"):
            take_on(con, " ann ")
        (step,) = take_on(con, "Bob")
        assert step.status == "CONFIRMED"
        for control_id in ("K32", "K34"):
            assert first_day_says(con, control_id) == {("PASS", "", "")}
        lots = con.execute("select distinct lot_source, count(*) over () from recon.baseline_lot").fetchall()
        assert lots == [("LOT_UNKNOWN", 8)]


def test_a_first_day_that_is_stated_otherwise_later_breaks_against_the_take_on(tmp_path: Path) -> None:
    with warehouse(tmp_path, clean_facts()) as con:
        take_on(con, "Ann")
        take_on(con, "Bob")
        con.execute(
            "update core.brokerage_daily set cash_balance = cash_balance + 1 where business_date = ?", [FIRST_DAY]
        )
        con.execute(
            "update core.position_daily set face_amount = face_amount + 100 where business_date = ? and cusip ="
            " (select min(cusip) from core.position_daily)",
            [FIRST_DAY],
        )
        assert first_day_says(con, "K34") == {("BREAK", "CASH_PROOF", "")}
        assert first_day_says(con, "K32") == {("PASS", "", ""), ("BREAK", "POS_ROLL", "")}


def test_the_second_person_confirms_what_the_first_one_saw(tmp_path: Path) -> None:
    with warehouse(tmp_path, clean_facts()) as con:
        take_on(con, "Ann")
        con.execute(
            "update core.brokerage_daily set cash_balance = cash_balance + 1 where business_date = ?", [FIRST_DAY]
        )
        (step,) = take_on(con, "Bob")
        assert step.status == "PROPOSED"
        assert step.cash_balance - Decimal(1) >= 0
        (step,) = take_on(con, "Ann")
        assert step.status == "CONFIRMED"


def test_a_day_that_is_no_pockets_first_one_is_refused(tmp_path: Path) -> None:
    with warehouse(tmp_path, clean_facts()) as con, pytest.raises(BaselineRefusedError, match="first position summary"):
        take_on(con, "Ann", DAYS[5])
