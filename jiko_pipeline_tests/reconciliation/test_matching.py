"""Matching: by reference first, by attributes only without a choice, anything else suggested with its sums."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb

from jiko_pipeline.reconciliation.matching.engine import MatchRules, match_sides, packaged_rules
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.reconciliation.runner import run_controls
from jiko_pipeline.selftest.facts import CUSTOMER, ENTITY
from jiko_pipeline.selftest.worlds import clean_facts, proving, span_of

DAY = date(2024, 6, 3)
RULES: MatchRules = packaged_rules()


def side(con: duckdb.DuckDBPyConnection, name: str, *rows: tuple[str, str | None, str, int]) -> None:
    """Makes a side of rows (key, reference, amount, business day from 0); all of one pocket and kind."""
    con.execute(
        f"create or replace temp table match_{name} (row_no bigint, pocket_id varchar, business_date date,"
        " row_key varchar, reference varchar, scope varchar, attributes varchar, family varchar,"
        " amount decimal(38, 2), bd_idx integer, may_wait boolean)"
    )
    for number, (key, reference, amount, day) in enumerate(rows, start=1):
        con.execute(
            f"insert into match_{name} values (?, 'p', ?, ?, ?, 'p', 'p', 'TRANSFER', ?, ?, false)",
            [number, DAY + timedelta(days=day), key, reference, amount, day],
        )


def pairs(con: duckdb.DuckDBPyConnection, subject: str = "TRANSACTION") -> list[tuple[str, str]]:
    match_sides(con, RULES.of(subject))
    return con.execute(
        "select l.row_key, r.row_key from match_pair join match_left as l on l.row_no = left_no"
        " join match_right as r on r.row_no = right_no order by all"
    ).fetchall()


def suggested(con: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
    return con.execute("select side, row_no from match_suggestion order by all").fetchall()


def test_a_reference_decides_before_amounts_do() -> None:
    with duckdb.connect() as con:
        side(con, "left", ("a", "a", "10.00", 0), ("b", "b", "10.00", 0))
        side(con, "right", ("x", "b", "11.00", 3), ("y", None, "10.00", 0))
        assert pairs(con) == [("a", "y"), ("b", "x")]


def test_a_row_without_a_choice_is_matched_by_its_attributes() -> None:
    with duckdb.connect() as con:
        side(con, "left", ("a", "a", "10.00", 0))
        side(con, "right", ("x", None, "10.00", 1), ("y", None, "10.01", 1))
        assert pairs(con) == [("a", "x")]


def test_neither_side_may_have_a_choice() -> None:
    with duckdb.connect() as con:
        side(con, "left", ("a", "a", "10.00", 0))
        side(con, "right", ("x", None, "10.00", 0), ("y", None, "10.00", 1))
        assert pairs(con) == []
        side(con, "left", ("a", "a", "10.00", 0), ("b", "b", "10.00", 0))
        side(con, "right", ("x", None, "10.00", 0))
        assert pairs(con) == []


def test_amounts_within_a_tolerance_match_only_where_a_rule_gives_one_and_nobody_has_a_choice() -> None:
    (by_attributes,) = [rule for rule in RULES.of("TRANSACTION") if rule.rule_id == "M11"]
    near = replace(by_attributes, tolerance=Decimal("0.01"))
    with duckdb.connect() as con:
        for rule, entries, expected in (
            (by_attributes, ["10.01"], []),
            (near, ["10.01"], [("a", "0")]),
            (near, ["10.02"], []),
            (near, ["10.01", "9.99"], []),
        ):
            side(con, "left", ("a", "a", "10.00", 0))
            side(con, "right", *((str(number), None, amount, 1) for number, amount in enumerate(entries)))
            match_sides(con, [rule])
            found = con.execute(
                "select l.row_key, r.row_key from match_pair join match_left as l on l.row_no = left_no"
                " join match_right as r on r.row_no = right_no"
            ).fetchall()
            assert found == expected, (rule.tolerance, entries)


def test_the_bank_books_no_payment_before_it_was_made_nor_later_than_its_window() -> None:
    with duckdb.connect() as con:
        side(con, "left", ("a", "a", "10.00", 3))
        side(con, "right", ("x", None, "10.00", 2), ("y", None, "10.00", 5))
        assert pairs(con) == []


def test_a_second_entry_with_the_same_reference_stays_open() -> None:
    with duckdb.connect() as con:
        side(con, "left", ("a", "a", "10.00", 0))
        side(con, "right", ("x", "a", "10.00", 0), ("y", "a", "10.00", 0))
        assert pairs(con) == [("a", "x")]


def test_several_rows_belong_to_one_by_reference_when_they_add_up_to_it() -> None:
    with duckdb.connect() as con:
        side(con, "left", ("a", "s", "10.00", 0), ("b", "t", "10.00", 0))
        side(con, "right", ("x", "s", "4.00", 0), ("y", "s", "6.00", 0), ("z", "t", "9.00", 0))
        assert pairs(con, "SWEEP") == [("a", "x"), ("a", "y")]


def test_several_rows_without_a_reference_are_suggested_with_their_sums_and_not_matched() -> None:
    with duckdb.connect() as con:
        side(con, "left", ("a", "a", "10.00", 0), ("b", "b", "5.00", 0))
        side(con, "right", ("x", None, "7.00", 1), ("y", None, "8.00", 1))
        assert pairs(con) == []
        assert suggested(con) == [("LEFT", 1), ("LEFT", 2), ("RIGHT", 1), ("RIGHT", 2)]


def test_sums_that_differ_by_a_cent_are_not_suggested() -> None:
    with duckdb.connect() as con:
        side(con, "left", ("a", "a", "10.00", 0), ("b", "b", "5.00", 0))
        side(con, "right", ("x", None, "7.00", 1), ("y", None, "8.01", 1))
        assert pairs(con) == []
        assert suggested(con) == []


def run(con: duckdb.DuckDBPyConnection, run_id: str) -> list[tuple[object, ...]]:
    span = span_of(4)
    run_controls(
        con,
        Registry.load(),
        customer_id=CUSTOMER,
        legal_entity_id=ENTITY,
        first=span.first,
        last=span.last,
        run_id=run_id,
        now=datetime(2024, 9, 1, 9, tzinfo=UTC),
    )
    return con.execute("select * exclude (run_id) from recon.match order by all").fetchall()


def test_a_run_keeps_each_row_of_its_days_once_and_a_second_run_changes_nothing() -> None:
    with proving(clean_facts(pockets=2, days=4)) as con:
        first, again = run(con, "run-1"), run(con, "run-2")
        versions = con.execute("select count(*) from history.recon_match").fetchall()
        subjects = con.execute("select distinct subject, status from recon.match order by all").fetchall()
        keys = con.execute(
            "select count(distinct (subject, side, pocket_id, business_date, row_key)) from recon.match"
        ).fetchall()
    assert first == again
    assert versions == keys == [(len(first),)]
    assert subjects == [("SWEEP", "MATCHED"), ("TRANSACTION", "MATCHED")]


def test_the_rules_have_a_say_in_the_hash_of_a_run_and_unique_ids() -> None:
    assert len({rule.rule_id for rule in RULES.rules}) == len(RULES.rules)
    assert len({(rule.subject, rule.pass_no) for rule in RULES.rules}) == len(RULES.rules)
    assert all(rule.tolerance == 0 for rule in RULES.rules)
    assert len(RULES.content_hash) == 64
