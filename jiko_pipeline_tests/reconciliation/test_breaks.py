"""The life of a break: one id for ever, events only when something happened."""

import hashlib
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from jiko_pipeline import calendars
from jiko_pipeline.reconciliation.breaks import OPEN_BREAKS_SCHEMA, open_breaks
from jiko_pipeline_tests.reconciliation.cash_bank import (
    CUSTOMER,
    FIRST,
    LAST,
    NOW,
    OLD,
    D,
    Warehouse,
    clean_bank,
)

ALL_DAYS = calendars.days(FIRST, LAST)
CENT = Decimal("0.01")


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A bank whose gain of one day is a cent too large, judged once."""
    made = Warehouse(tmp_path / "warehouse.duckdb")
    made.land(clean_bank(), ALL_DAYS)
    bend(made, CENT)
    made.judge()
    return made


def bend(made: Warehouse, by: Decimal) -> None:
    """Moves the gain of one pocket and day."""
    made.con.execute(
        "update core.brokerage_daily set gains = gains + ? where pocket_id = ? and business_date = ?", [by, OLD, D]
    )


def events(made: Warehouse) -> list[tuple[int, str, Decimal]]:
    """(sequence, event, difference) of all events."""
    return made.con.execute("select event_seq, event, difference from recon.break_event order by 1").fetchall()


def test_a_break_opens_once_however_often_it_is_judged(warehouse: Warehouse) -> None:
    warehouse.judge()
    warehouse.judge(D, D)
    assert events(warehouse) == [(1, "OPENED", CENT)]


def test_a_break_whose_sides_differ_is_changed(warehouse: Warehouse) -> None:
    bend(warehouse, CENT)
    warehouse.judge()
    assert events(warehouse) == [(1, "OPENED", CENT), (2, "CHANGED", 2 * CENT)]


def test_a_break_that_no_longer_fires_is_cleared_and_says_why(warehouse: Warehouse) -> None:
    bend(warehouse, -CENT)
    warehouse.judge()
    assert [event for _, event, _ in events(warehouse)] == ["OPENED", "CLEARED_AUTO"]
    assert warehouse.con.execute("select detail from recon.break_event where event_seq = 2").fetchone() == (
        "The control passes for this key now.",
    )
    assert open_breaks(warehouse.con).is_empty()


def test_a_cleared_break_that_fires_again_is_reopened_under_its_id(warehouse: Warehouse) -> None:
    (break_id,) = warehouse.con.execute("select break_id from recon.result where status = 'BREAK'").fetchone() or ("",)
    for by in (-CENT, CENT):
        bend(warehouse, by)
        warehouse.judge()
    assert [event for _, event, _ in events(warehouse)] == ["OPENED", "CLEARED_AUTO", "REOPENED"]
    assert warehouse.con.execute("select distinct break_id from recon.break_event").fetchall() == [(break_id,)]


def test_a_run_over_other_days_leaves_a_break_alone(warehouse: Warehouse) -> None:
    bend(warehouse, -CENT)
    warehouse.judge(LAST, LAST)
    assert [event for _, event, _ in events(warehouse)] == ["OPENED"]


def test_an_accepted_break_is_reopened_only_when_its_sides_change(warehouse: Warehouse) -> None:
    warehouse.con.execute(
        """
        insert into recon.break_event
        select * replace (2 as event_seq, 'ACCEPTED' as event, 'a person' as actor) from recon.break_event
        """
    )
    warehouse.judge()
    assert [event for _, event, _ in events(warehouse)] == ["OPENED", "ACCEPTED"]
    bend(warehouse, CENT)
    warehouse.judge()
    assert [event for _, event, _ in events(warehouse)] == ["OPENED", "ACCEPTED", "REOPENED"]


def test_the_id_of_a_break_is_that_of_the_rule(warehouse: Warehouse) -> None:
    rule = f"K11|1|{CUSTOMER}|{OLD}||{D}|FOOT_BRO"
    found = warehouse.con.execute("select break_id from recon.result where status = 'BREAK'").fetchall()
    assert found == [(hashlib.sha256(rule.encode()).hexdigest(),)]


def test_open_breaks_say_what_should_hold_and_what_holds_instead(warehouse: Warehouse) -> None:
    frame = open_breaks(warehouse.con, customer_id=CUSTOMER)
    assert frame.schema == OPEN_BREAKS_SCHEMA
    (row,) = frame.to_dicts()
    assert (row["control_id"], row["code"], row["break_class"], row["severity"]) == (
        "K11",
        "FOOT_BRO",
        "ARITHMETIC",
        "S1",
    )
    assert row["left_value"] - row["right_value"] == row["difference"] == CENT
    assert row["pocket_name"] == f"The {OLD}"
    assert row["identity"].startswith("opening + additions")
    assert row["cause"].startswith("Opening ") and row["cause"].endswith(".")


def test_the_age_of_a_break_counts_business_days_to_the_latest_judged_day(warehouse: Warehouse) -> None:
    (row,) = open_breaks(warehouse.con).to_dicts()
    # From Monday 10 June to Friday 21 June lies one holiday, Juneteenth.
    assert row["age_business_days"] == 8


def test_open_breaks_of_another_customer_are_left_out(warehouse: Warehouse) -> None:
    assert open_breaks(warehouse.con, customer_id="other").is_empty()


def test_a_root_break_says_how_many_keys_it_blocks(tmp_path: Path) -> None:
    bank = clean_bank()
    bank.remove("raw.delivery", document_kind="BANK_STATEMENT", scope_pocket_id=OLD, scope_date=D)
    made = Warehouse(tmp_path / "blocked.duckdb")
    made.land(bank, ALL_DAYS)
    made.judge()
    (row,) = open_breaks(made.con).to_dicts()
    blocked = made.con.execute("select count(*) from recon.result where reason = 'BLOCKED'").fetchone()
    assert (row["blocks"],) == blocked
    assert row["blocks"] > 0


def test_events_are_dated_by_the_run_that_gave_them(warehouse: Warehouse) -> None:
    bend(warehouse, -CENT)
    later = NOW + timedelta(days=1)
    warehouse.judge(now=later)
    times = warehouse.con.execute("select at_utc from recon.break_event order by event_seq").fetchall()
    assert times == [(NOW.replace(tzinfo=None),), (later.replace(tzinfo=None),)]
