"""Controls that speak of the customer as a whole, and codes with a severity of their own."""

from datetime import date
from pathlib import Path

import pytest

from jiko_pipeline.reconciliation.registry import Registry, Scope, Severity, parse_control
from jiko_pipeline.reconciliation.runner import ControlAnswerError, run_controls
from jiko_pipeline_tests.reconciliation.small_bank import (
    CUSTOMER,
    DAYS,
    ENTITY,
    FIRST,
    LAST,
    NEW,
    NOW,
    OLD,
    clean_facts,
    close,
    deliver,
    warehouse,
)

HEADER = """\
-- id: K98
-- version: 1.0
-- title: Something holds for the customer.
-- key: date
-- identity: a = b
-- tolerance: 0
-- hides: nothing
-- codes: LOUD = AMOUNT, FAINT = AMOUNT S3
-- severity: S1
-- evidence: ARITHMETIC
-- inputs: API_TRANSACTIONS
-- chained: no
-- gate: no
-- required: no
-- scope: customer
"""
D = DAYS[4]


def select(code: str, on: date, pocket: str = "''") -> str:
    """A control that breaks on one day and says nothing of the others."""
    return f"""
        select distinct {pocket} as pocket_id, business_date, '' as entity_key, 'BREAK' as status, '{code}' as code,
            '' as sub_code, '' as reason, 1 as left_value, 2 as right_value, -1 as difference, 'It does not.' as detail
        from judged_day where business_date = '{on}'
    """


def judged(con, text: str) -> None:  # type: ignore[no-untyped-def]
    run_controls(con, Registry.of([("k98_whole.sql", text)]), customer_id=CUSTOMER, legal_entity_id=ENTITY,
                 first=FIRST, last=LAST, run_id="run-1", now=NOW)  # fmt: skip


def test_a_header_may_give_scope_gating_and_a_severity_for_each_code() -> None:
    control = parse_control("k98_whole.sql", HEADER + "-- gated: no\n" + select("LOUD", D))
    assert (control.scope, control.gated) == (Scope.CUSTOMER, False)
    assert (control.severity_of("LOUD"), control.severity_of("FAINT")) == (Severity.S1, Severity.S3)
    assert control.codes_text == "LOUD = AMOUNT, FAINT = AMOUNT S3"


def test_a_control_of_the_customer_answers_once_for_each_judged_date(tmp_path: Path) -> None:
    with warehouse(tmp_path, clean_facts()) as con:
        judged(con, HEADER + select("LOUD", D))
        rows = con.execute("select pocket_id, business_date, status, reason from recon.result order by all").fetchall()
    assert [row[1] for row in rows] == list(DAYS)
    assert {row[0] for row in rows} == {""}
    assert [row[2:] for row in rows if row[1] != D] == [("NOT_TESTED", "NO_ANSWER")] * (len(DAYS) - 1)
    assert [row[2] for row in rows if row[1] == D] == ["BREAK"]


def test_a_control_of_the_customer_must_not_name_a_pocket(tmp_path: Path) -> None:
    with warehouse(tmp_path, clean_facts()) as con, pytest.raises(ControlAnswerError, match="not judged"):
        judged(con, HEADER + select("LOUD", D, "pocket_id"))


def test_an_s1_break_of_the_customer_keeps_every_pocket_of_its_day_and_later_from_being_ready(tmp_path: Path) -> None:
    with warehouse(tmp_path, clean_facts()) as con:
        judged(con, HEADER + select("LOUD", D))
        # The close speaks of pockets; this run has no result of theirs but what a pocket's own control gives.
        con.execute(
            "insert into recon.result select * replace (pocket_id as pocket_id) from ("
            " select r.* replace (p.pocket_id as pocket_id, 'PASS' as status, '' as reason, '' as code, '' as break_id)"
            " from recon.result as r cross join (values (?), (?)) as p (pocket_id))",
            [OLD, NEW],
        )
        close(con)
        reasons = dict(
            con.execute(
                "select business_date, not_ready_reasons from mart.daily_close where pocket_id = ?", [OLD]
            ).fetchall()
        )
        pockets = {row[0] for row in con.execute("select distinct pocket_id from mart.daily_close").fetchall()}
    assert pockets == {OLD, NEW}
    assert "K98 is broken for the customer (LOUD)." in reasons[D]
    assert "A break of an earlier day is open: K98 LOUD" in reasons[DAYS[5]]
    assert "K98" not in reasons[DAYS[3]]


def test_a_code_of_lower_severity_does_not_keep_a_day_from_being_ready(tmp_path: Path) -> None:
    with warehouse(tmp_path, clean_facts()) as con:
        judged(con, HEADER + select("FAINT", D))
        found = con.execute('select severity, pocket_id, status from recon."break"').fetchall()
    assert found == [("S3", "", "OPEN")]


def test_a_refused_document_of_any_pocket_keeps_a_control_of_the_customer_from_being_tested(tmp_path: Path) -> None:
    gate = HEADER.replace("K98", "K97").replace("gate: no", "gate: yes").replace("-- scope: customer\n", "")
    of_pocket = select("LOUD", D, "pocket_id").replace("'' as entity_key", "'API_TRANSACTIONS' as entity_key")
    files = [
        ("k97_gate.sql", gate + of_pocket + f" and pocket_id = '{OLD}'"),
        ("k98_whole.sql", HEADER + select("LOUD", D)),
        ("k99_anyway.sql", HEADER.replace("K98", "K99") + "-- gated: no\n" + select("LOUD", D)),
    ]
    with warehouse(tmp_path, clean_facts()) as con:
        run_controls(con, Registry.of(files), customer_id=CUSTOMER, legal_entity_id=ENTITY, first=FIRST, last=LAST,
                     run_id="run-1", now=NOW)  # fmt: skip
        rows = con.execute(
            "select control_id, status, blocked_by from recon.result where business_date = ? and pocket_id = ''"
            " order by all",
            [D],
        ).fetchall()
    assert rows == [("K98", "NOT_TESTED", "K97"), ("K99", "BREAK", "")]


def test_judging_again_replaces_what_was_said_of_the_customer(tmp_path: Path) -> None:
    facts = clean_facts()
    deliver(facts, "AUDIT_LOGS", "", D)
    with warehouse(tmp_path, facts) as con:
        judged(con, HEADER + select("LOUD", D))
        passes = select("", D).replace("'BREAK'", "'PASS'")
        judged(con, HEADER + passes + " union all " + select("LOUD", DAYS[6]))
        found = con.execute(
            "select business_date from recon.result where status = 'BREAK' and pocket_id = ''"
        ).fetchall()
        states = con.execute('select business_date, status from recon."break" order by all').fetchall()
    assert found == [(DAYS[6],)]
    assert states == [(D, "CLEARED_AUTO"), (DAYS[6], "OPEN")]
