"""What `jiko explain` says of a break: both sides by name, with what their documents state."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import duckdb
import pytest

from jiko_pipeline.cli.explanation import print_explanation
from jiko_pipeline.reconciliation.explaining import Explanation, explain, sides_of
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.selftest import proof, worlds
from jiko_pipeline.selftest.catalogue import catalogue
from jiko_pipeline.selftest.facts import CUSTOMER
from jiko_pipeline.warehouse.tables import TABLES

LONGEST_LABEL: Final = 70

FAULTS: Final = (
    "expected-payment-never-comes",
    "payment-approved-by-its-maker",
    "return-of-another-amount",
    "trade-differs-in-csv",
    "trade-never-settles",
    "fee-differs-at-the-bank",
    "event-of-a-wire-that-never-was",
    "request-never-paid",
)


@pytest.fixture(scope="module")
def judged() -> Iterator[duckdb.DuckDBPyConnection]:
    span = worlds.span_of(36)
    facts = worlds.clean_facts(11, None, pockets=4, days=36)
    planted = proof.fill([catalogue()[name] for name in FAULTS], facts, span, proof.cells(facts, span, 3), 3)
    assert {one.fault for one in planted} == set(FAULTS)
    with proof.judged(facts, span) as con:
        yield con


def told(con: duckdb.DuckDBPyConnection, code: str) -> Explanation:
    found = con.execute('select break_id from recon."break" where code = ? order by break_id limit 1', [code])
    return explain(con, Registry.load(), CUSTOMER, found.fetchall()[0][0])


def said(row: tuple[tuple[str, object], ...]) -> dict[str, str]:
    return {name: str(value) for name, value in row}


def test_both_sides_of_every_control_have_a_short_name() -> None:
    for control in Registry.load().controls:
        sides = sides_of(control.control_id)
        assert {"left", "right"} <= set(sides), control.control_id
        assert max(len(sides["left"]), len(sides["right"])) <= LONGEST_LABEL, control.control_id


def test_the_rows_behind_the_sides_are_of_tables_and_columns_that_exist() -> None:
    columns = {(name, column.name) for name, table in TABLES.items() for column in table.columns}
    for control in Registry.load().controls:
        for row in sides_of(control.control_id).get("rows", []):
            table = row["table"] if "." in row["table"] else f"core.{row['table']}"
            wanted = [name for name in row["says"].split() if name != "$sub_code"]
            wanted += [row["key"]] if "key" in row else []
            assert {(table, name) for name in wanted} <= columns, (control.control_id, row)


def test_a_payment_is_told_with_its_request_and_the_persons_by_name(judged: duckdb.DuckDBPyConnection) -> None:
    explanation = told(judged, "AUTH_SELF")
    sides = {row.side: said(row.says) for row in explanation.sources}
    assert sides["left"]["transaction_type"] == "WIRE"
    assert sides["right"]["request_status"] == "COMPLETED"
    assert explanation.names[sides["right"]["created_by_id"]].endswith(", team member")


def test_a_return_is_told_with_the_movement_that_it_returns(judged: duckdb.DuckDBPyConnection) -> None:
    explanation = told(judged, "REV_AMT")
    sides = {row.side: said(row.says) for row in explanation.sources}
    assert Decimal(sides["left"]["signed_amount"]) == explanation.facts["left_value"]
    assert abs(Decimal(sides["right"]["signed_amount"])) == explanation.facts["right_value"]


def test_a_field_that_two_forms_state_differently_is_shown_from_both(judged: duckdb.DuckDBPyConnection) -> None:
    explanation = told(judged, "FORMAT_DIFF")
    field = explanation.facts["sub_code"]
    stated = {row.side: said(row.says)[field] for row in explanation.sources}
    assert set(stated) == {"left", "right"}
    assert stated["left"] != stated["right"]


@pytest.mark.parametrize("code", ["UNSETTLED_AGED", "FEE_AMT", "EVENT_DIFF", "REQUEST_UNPAID", "EXP_OVERDUE"])
def test_a_break_without_two_amounts_still_says_what_each_side_is(
    judged: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    explanation = told(judged, code)
    print_explanation(explanation)
    printed = capsys.readouterr().out
    assert explanation.left_label in printed
    assert explanation.right_label in printed
    assert "see the sentence above" not in printed
    assert "Next: " in printed


def test_amounts_in_the_sentence_are_written_as_those_below_it(
    judged: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    explanation = told(judged, "REV_AMT")
    print_explanation(explanation)
    assert f"{explanation.facts['left_value']:,.2f}" in capsys.readouterr().out.splitlines()[0]
