"""Worlds of the self-test against the way over HTTP: the rows are those that a sync of the same bank leaves."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from jiko_pipeline.selftest.facts import CUSTOMER, ENTITY
from jiko_pipeline.selftest.worlds import clean_facts, proving, span_of
from jiko_pipeline.warehouse.hashing import hash_of
from jiko_pipeline.warehouse.tables import TABLES
from jiko_pipeline_tests.operation.command_line import DataDirectory, data_directories

DAYS = 10
SIGNED_IN_MEANWHILE = {"core.team_member"}
"""The bank shows when people signed in last, which is another moment in each of the two."""
BUILT_AFTER_CORE = {"core.cash_position", "core.day_boundary", "core.holding_daily", "core.income_daily", "core.lot"}
"""What is computed from the facts of core, with the close; a world of rows ends at the facts."""
NOT_OF_THE_BANK = {"core.trade_confirmation_check", "core.report_request"}
"""What our own orders and checks leave; nobody orders in a world of rows."""


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published file of a sync over the same days of the same bank, and when it was made."""
    path = tmp_path_factory.mktemp("synced")
    span = span_of(DAYS)
    with data_directories() as made:
        scope = {"JIKO_PROFILE": CUSTOMER, "JIKO_LEGAL_ENTITY_ID": ENTITY}
        directory = DataDirectory(path / "data", scope)
        made.append(directory)
        answer = directory.sync(f"{span.business_days[0]}", f"{span.last}")
        assert answer.exit_code == 0, answer.err
    return path / "data" / "treasury.duckdb"


def test_a_world_of_rows_has_the_core_tables_that_a_sync_over_http_builds(synced: Path) -> None:
    tables = [
        name
        for name, spec in TABLES.items()
        if spec.schema == "core" and name not in SIGNED_IN_MEANWHILE | BUILT_AFTER_CORE | NOT_OF_THE_BANK
    ]
    with duckdb.connect(str(synced), read_only=True) as con:
        over_http = {name: hash_of(con, name) for name in tables}
    with proving(clean_facts(days=DAYS, asked_at=datetime.now(UTC))) as con:
        as_rows = {name: hash_of(con, name) for name in tables}
    assert over_http["core.bank_transaction"].row_count > 100
    assert {name for name in tables if as_rows[name] != over_http[name]} == set()
