"""As known at: every table as it was known at an instant, and what runs said kept in full."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jiko_pipeline.warehouse.as_known import macro_name, macros, tables_without_past
from jiko_pipeline.warehouse.history import keep_versions
from jiko_pipeline.warehouse.tables import TABLES
from jiko_pipeline.warehouse.tables.core import CLASSIFICATION_RULE
from jiko_pipeline.warehouse.tables.recon import BASIS
from jiko_pipeline_tests.reconciliation.late_bank import FIRST_RUN, SECOND_RUN, judge, late_bank, restate

Rows = list[tuple[Any, ...]]


def content_of(con: duckdb.DuckDBPyConnection, table: str, known_at: datetime | None = None) -> Rows:
    """The content of a table now, or by its macro as it was known then; of staging the current rows."""
    columns = ", ".join(f'"{column.name}"' for column in TABLES[table].content_columns)
    schema, _, name = table.partition(".")
    source = f'{schema}."{name}"'
    if known_at is not None:
        source = f"{macro_name(table)}(timestamp '{known_at.astimezone(UTC).replace(tzinfo=None)}')"
    only = "where known_to_utc is null" if schema == "staging" else ""
    return con.execute(f"select {columns} from {source} {only} order by all").fetchall()


_BY_THE_CLOCK = ("raw.load", "core.day_boundary")
"""One says when this machine loaded, which a test does not choose, the other nothing about the bank."""
COMPARED = sorted(name for name in macros() if name in TABLES and name not in _BY_THE_CLOCK)


@pytest.mark.parametrize("restatements", [0, 1])
def test_every_table_as_known_then_is_what_stood_there_then(restatements: int) -> None:
    with late_bank() as con:
        # The close is built by the clock, so the instant that is asked for lies after it.
        asked_at = datetime.now(UTC) + timedelta(seconds=1)
        before = {table: content_of(con, table) for table in COMPARED}
        if restatements:
            restate(con, asked_at + timedelta(hours=1))
            judge(con, "run-2", asked_at + timedelta(hours=2))
        after = {table: content_of(con, table) for table in COMPARED}
        then = {table: content_of(con, table, asked_at) for table in COMPARED}
    assert [table for table in COMPARED if then[table] != before[table]] == []
    changed = {table for table in COMPARED if after[table] != before[table]}
    if restatements:
        assert {"staging.statement_entry", "core.bank_daily", "core.bank_transaction", "recon.result"} <= changed
        assert {"mart.daily_close", "recon.break_event", "recon.input_version", "raw.delivery"} <= changed
    else:
        assert changed == set()


def test_a_run_that_says_the_same_again_leaves_no_version() -> None:
    with late_bank() as con:
        count = "select count(*), count(known_to_utc) from history.recon_result"
        before = con.execute(count).fetchall()
        judge(con, "run-2", SECOND_RUN)
        assert con.execute(count).fetchall() == before
        assert before[0][1] == 0
        assert con.execute("select max(from_run_seq), count(to_run_seq) from recon.input_version").fetchall() == [
            (1, 0)
        ]


def test_before_anything_was_known_there_is_nothing() -> None:
    with late_bank() as con:
        early = datetime(2020, 1, 1, tzinfo=UTC)
        held = [table for table in COMPARED if content_of(con, table, early)]
    assert held == ["core.calendar", "core.classification_rule"]


def test_versions_of_what_people_enter_never_overlap_however_the_clock_goes() -> None:
    with late_bank() as con:
        keep_versions(con, BASIS, FIRST_RUN)
        con.execute("update recon.basis set confirmed_by = 'somebody else'")
        moment = keep_versions(con, BASIS, FIRST_RUN - timedelta(days=1))
        rows = con.execute(
            "select confirmed_by, known_from_utc, known_to_utc from history.recon_basis order by known_from_utc"
        ).fetchall()
    first = FIRST_RUN.replace(tzinfo=None)
    assert moment == first + timedelta(microseconds=1)
    assert rows == [("self-test", first, moment), ("somebody else", moment, None)]


def test_the_first_rules_hold_for_all_time_and_later_ones_from_their_day() -> None:
    with late_bank() as con:
        keep_versions(con, CLASSIFICATION_RULE, FIRST_RUN)
        rules = content_of(con, "core.classification_rule")
        con.execute("update core.classification_rule set rules_version = 'another'")
        keep_versions(con, CLASSIFICATION_RULE, SECOND_RUN)
        early = content_of(con, "core.classification_rule", datetime(2020, 1, 1, tzinfo=UTC))
        late = content_of(con, "core.classification_rule", SECOND_RUN)
    assert early == rules
    assert {row[-1] for row in late} == {"another"}


def test_every_table_of_documents_runs_and_people_has_a_past() -> None:
    without = {name for name in tables_without_past() if TABLES[name].schema in ("raw", "staging", "recon", "mart")}
    assert without == set()


def test_the_dictionary_and_the_functions_say_what_each_macro_answers(tmp_path: Path) -> None:
    with late_bank() as con:
        listed = con.execute(
            "select table_name, column_name, data_type from meta.data_dictionary where table_schema = 'as_known_at'"
        ).fetchall()
        told = con.execute(
            "select function_name, comment from duckdb_functions() where schema_name = 'as_known_at'"
        ).fetchall()
    assert {row[0] for row in listed} == {name for name, _ in told}
    assert {row[1:] for row in listed} == {("known_at_utc", "TIMESTAMP")}
    assert all(comment.endswith("as it was known at the instant known_at_utc.") for _, comment in told)
