"""Whether a day may be booked: only when everything required was proved, and the reasons when not."""

import json
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline_tests.reconciliation.small_bank import (
    BILLS,
    CUSTOMER,
    DAYS,
    ENTITY,
    LAST,
    NEW,
    OLD,
    Facts,
    bridge_of,
    clean_facts,
    close,
    insert,
    judge,
    warehouse,
)
from jiko_pipeline_tests.reconciliation.test_holdings_controls import position

DAY, NEXT = DAYS[7], DAYS[8]
REQUIRED = Registry.load().required


@pytest.fixture
def facts() -> Facts:
    return clean_facts()


@pytest.fixture
def con(tmp_path: Path, facts: Facts) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse whose every required control has passed for every pocket and day."""
    with warehouse(tmp_path, facts) as con:
        pass_everything(con, facts)
        yield con


def pass_everything(con: duckdb.DuckDBPyConnection, facts: Facts) -> None:
    insert(con, "recon.result", [
        {"pocket_id": row["pocket_id"], "business_date": row["business_date"], "control_id": control_id,
         "entity_key": "", "status": "PASS", "code": "", "sub_code": "", "reason": "", "detail": "",
         "blocked_by": "", "root_break_id": "", "break_id": "", "run_id": "run-1"}
        for row in facts.rows["core.brokerage_daily"]
        for control_id in REQUIRED
    ])  # fmt: skip
    con.execute(
        "insert into recon.run by name"
        " select 'run-1' as run_id, ? as customer_id, ? as legal_entity_id, ? as first_date, ? as last_date,"
        " '' as code_version, '' as rules_hash, '' as calendar_version, '' as inputs_hash, '' as result_hash,"
        " 0 as tested, 0 as passed, 0 as broken, 0 as not_tested, now()::timestamp as started_at_utc,"
        " now()::timestamp as finished_at_utc",
        [CUSTOMER, ENTITY, DAYS[0], LAST],
    )


def closed(con: duckdb.DuckDBPyConnection, day: date = DAY, pocket: str = OLD) -> tuple[bool, list[str]]:
    close(con)
    ready, reasons = con.execute(
        "select ready_to_book, not_ready_reasons from mart.daily_close where pocket_id = ? and business_date = ?",
        [pocket, day],
    ).fetchall()[0]
    return ready, json.loads(reasons)


def open_break(
    con: duckdb.DuckDBPyConnection, day: date, severity: str = "S1", event: str = "OPENED", seq: int = 1
) -> None:
    insert(con, "recon.break_event", [
        {"pocket_id": OLD, "business_date": day, "break_id": f"b-{day}-{severity}", "event_seq": seq, "event": event,
         "control_id": "K32", "entity_key": "", "code": "POS_ROLL", "sub_code": "", "break_class": "AMOUNT",
         "severity": severity, "detail": "", "at_utc": datetime.combine(day, time(11)), "run_id": "run-1",
         "actor": "pipeline"}
    ])  # fmt: skip


def test_a_day_on_which_everything_passed_is_ready_and_has_no_reasons(con: duckdb.DuckDBPyConnection) -> None:
    assert closed(con) == (True, [])


def test_the_required_controls_are_those_of_the_close() -> None:
    assert set(REQUIRED) == {
        "K01", "K03", "K04", "K10", "K11", "K12", "K14", "K20", "K21",
        "K30", "K31", "K32", "K33", "K34", "K35", "K36", "K37", "K38", "K40",
    }  # fmt: skip


@pytest.mark.parametrize("control_id", REQUIRED)
def test_a_required_control_without_a_result_keeps_the_day_from_being_booked(
    con: duckdb.DuckDBPyConnection, control_id: str
) -> None:
    con.execute("delete from recon.result where control_id = ? and business_date = ?", [control_id, DAY])
    ready, reasons = closed(con)
    assert not ready
    assert reasons == [f"{control_id} has no result for this day."]
    assert closed(con, NEXT) == (True, [])


@pytest.mark.parametrize("reason", ["NO_ACTIVITY", "NOT_DUE", "BASELINE"])
def test_a_control_that_had_nothing_to_test_does_not_hold_the_day(con: duckdb.DuckDBPyConnection, reason: str) -> None:
    con.execute("update recon.result set status = 'NOT_TESTED', reason = ? where control_id = 'K40'", [reason])
    assert closed(con) == (True, [])


@pytest.mark.parametrize("reason", ["BASIS", "NO_INPUT", "NO_REFERENCE", "BLOCKED"])
def test_a_control_that_could_not_test_holds_the_day(con: duckdb.DuckDBPyConnection, reason: str) -> None:
    con.execute(
        "update recon.result set status = 'NOT_TESTED', reason = ?, blocked_by = 'K03' where control_id = 'K33'",
        [reason],
    )
    ready, reasons = closed(con)
    assert not ready
    assert reasons == [f"K33 was not tested ({reason} by K03)."]


def test_one_broken_key_among_many_that_passed_holds_the_day(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """
        insert into recon.result
        select * replace ('BREAK' as status, 'MV_MATH' as code, 'x' as entity_key)
        from recon.result where control_id = 'K36' and business_date = ? and pocket_id = ?
        """,
        [DAY, OLD],
    )
    assert closed(con) == (False, ["K36 is broken (MV_MATH)."])
    assert closed(con, pocket=NEW) == (True, [])


@pytest.mark.fault_rows(105)
def test_an_input_made_before_the_day_ended_holds_the_day_until_a_later_copy_agrees(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute(
        "update raw.delivery set finality = 'PROVISIONAL'"
        " where document_kind = 'POSITION' and scope_date = ? and scope_pocket_id = ?",
        [DAY, OLD],
    )
    assert closed(con) == (False, ["The POSITION was made before the day ended."])
    con.execute(
        "insert into raw.delivery select * replace ('AFTER_CUTOFF' as finality, 'again' as document_id)"
        " from raw.delivery where finality = 'PROVISIONAL'"
    )
    assert closed(con) == (True, [])


def test_without_a_confirmed_basis_no_day_is_ready(tmp_path: Path, facts: Facts) -> None:
    with warehouse(tmp_path, facts, basis=None) as con:
        pass_everything(con, facts)
        assert closed(con) == (False, ["How the bank books is not confirmed for this day."])


def test_an_open_break_of_severity_one_holds_the_later_days_of_its_pocket(con: duckdb.DuckDBPyConnection) -> None:
    open_break(con, DAYS[6])
    assert closed(con) == (False, [f"A break of an earlier day is open: K32 POS_ROLL of {DAYS[6]}."])
    assert closed(con, DAYS[5]) == (True, [])
    assert closed(con, pocket=NEW) == (True, [])


def test_a_break_that_cleared_or_is_less_severe_does_not_hold_later_days(con: duckdb.DuckDBPyConnection) -> None:
    open_break(con, DAYS[6])
    open_break(con, DAYS[6], event="CLEARED_AUTO", seq=2)
    open_break(con, DAYS[5], severity="S2")
    assert closed(con) == (True, [])


def test_the_close_counts_breaks_and_results_and_explains_the_change(con: duckdb.DuckDBPyConnection) -> None:
    open_break(con, DAY)
    open_break(con, DAY, severity="S2")
    close(con)
    row = con.execute(
        "select open_s1, open_s2, open_s3, controls_passed, controls_broken, controls_not_tested,"
        " closing_value - opening_value - day_change, explained_by, unexplained, run_id"
        " from mart.daily_close where pocket_id = ? and business_date = ?",
        [OLD, DAY],
    ).fetchall()[0]
    assert row[:7] == (1, 1, 0, len(REQUIRED), 0, 0, 0)
    lines = {label: None if amount is None else Decimal(amount) for label, amount in json.loads(row[7]).items()}
    assert lines == bridge_of(con, OLD, DAY)
    assert row[8:] == (Decimal(0), "run-1")


def test_the_summary_of_a_window_counts_its_days_only(con: duckdb.DuckDBPyConnection) -> None:
    open_break(con, DAYS[6])
    days = close(con, DAYS[6], DAYS[7])
    assert [(day.business_date, day.pockets, day.ready) for day in days] == [(DAYS[6], 2, 2), (DAYS[7], 2, 1)]
    assert {day.unexplained for day in days} == {Decimal(0)}


def test_a_window_that_ends_before_it_begins_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ValueError, match="ends on or after"):
        close(con, DAYS[1], DAYS[0])


def test_nothing_of_the_close_is_left_in_the_session(con: duckdb.DuckDBPyConnection) -> None:
    close(con)
    assert con.execute("select count(*) from duckdb_tables() where table_name like 'closing%'").fetchall() == [(0,)]


def test_a_day_with_a_break_of_the_real_controls_is_not_ready_and_the_others_say_why(
    tmp_path: Path, facts: Facts
) -> None:
    position(facts, BILLS[3].cusip)["market_value"] += 10
    with warehouse(tmp_path, facts) as con:
        judge(con)
        close(con)
        ready, reasons = closed(con)
    assert not ready
    assert {"K33 is broken (GAIN_PROOF).", "K35 is broken (VAL_CLOSE).", "K36 is broken (MV_MATH)."} <= set(reasons)


def test_a_break_whose_acceptance_binds_counts_as_passed(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "update recon.result set status = 'BREAK', code = 'POS_ROLL', break_id = ?"
        " where control_id = 'K32' and business_date = ? and pocket_id = ?",
        [f"b-{DAY}-S1", DAY, OLD],
    )
    open_break(con, DAY)
    assert closed(con) == (False, ["K32 is broken (POS_ROLL)."])
    open_break(con, DAY, event="ACCEPTED", seq=2)
    assert closed(con) == (True, [])
    open_break(con, DAY, event="REOPENED", seq=3)
    assert closed(con) == (False, ["K32 is broken (POS_ROLL)."])


def test_a_break_of_timing_past_its_day_holds_the_pocket_whatever_its_severity(con: duckdb.DuckDBPyConnection) -> None:
    open_break(con, DAYS[5], severity="S2")
    con.execute("update recon.break_event set break_class = 'TIMING', clear_by = ?", [LAST])
    assert closed(con) == (True, [])
    con.execute("update recon.break_event set clear_by = ?", [DAYS[6]])
    assert closed(con) == (False, [f"K32 POS_ROLL of {DAYS[5]} had to clear by {DAYS[6]}."])
    assert closed(con, pocket=NEW) == (True, [])


def test_a_version_that_arrived_after_the_judging_holds_the_day(con: duckdb.DuckDBPyConnection) -> None:
    scope = {"document_kind": "POSITION", "scope_pocket_id": OLD, "scope_date": DAY}
    insert(con, "recon.input_version", [
        {**scope, "content_hash": "", "finality": "AFTER_CUTOFF", "is_refused": False, "document_sha256": "",
         "from_run_seq": 1}
    ])  # fmt: skip
    assert closed(con) == (True, [])
    con.execute(
        "update raw.delivery set content_hash = 'other' where document_kind = 'POSITION' and scope_date = ?", [DAY]
    )
    assert closed(con) == (False, ["Another POSITION has arrived since the day was judged."])
