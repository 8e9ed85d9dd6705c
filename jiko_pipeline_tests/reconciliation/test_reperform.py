"""The record of a run, and performing a run again from its inputs."""

from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jiko_pipeline.errors import ExitCode
from jiko_pipeline.reconciliation import reperform as performing
from jiko_pipeline.reconciliation import run_record
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.reconciliation.reperform import (
    Reperformance,
    RulesNotInstalledError,
    UnknownRunError,
    reperform,
)
from jiko_pipeline.selftest.facts import CUSTOMER
from jiko_pipeline_tests.reconciliation.late_bank import (
    DAY,
    DAY_END,
    SECOND_RUN,
    file_of,
    judge,
    late_bank,
    restate,
)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with late_bank() as connection:
        yield connection


def again(con: duckdb.DuckDBPyConnection, folder: Path, run_id: str) -> Reperformance:
    return reperform(
        file_of(con, folder), run_id, customer_id=CUSTOMER, business_day_end=DAY_END, scratch_parent=folder
    )


def hashes_of(con: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, str]:
    rows = con.execute("select inputs_hash, result_hash, rules_hash from recon.run where run_id = ?", [run_id])
    return dict(zip(("inputs_hash", "result_hash", "rules_hash"), rows.fetchall()[0], strict=True))


def test_two_runs_on_the_same_inputs_have_the_same_hashes(con: duckdb.DuckDBPyConnection) -> None:
    second = judge(con, "run-2", SECOND_RUN)
    rows = con.execute("select inputs_hash, rules_hash, result_hash, run_seq from recon.run order by run_seq")
    assert rows.fetchall() == [(second.inputs_hash, second.rules_hash, second.result_hash, seq) for seq in (1, 2)]


def test_a_changed_document_changes_inputs_and_results_and_nothing_of_the_rules(
    con: duckdb.DuckDBPyConnection,
) -> None:
    first = hashes_of(con, "run-1")
    restate(con)
    judge(con, "run-2", SECOND_RUN)
    second = hashes_of(con, "run-2")
    assert [name for name in first if first[name] != second[name]] == ["inputs_hash", "result_hash"]
    changed = con.execute(
        "select document_kind, scope_date, from_run_seq, to_run_seq from recon.input_version"
        " where to_run_seq is not null or from_run_seq > 1 order by from_run_seq"
    ).fetchall()
    assert changed == [("BANK_STATEMENT", DAY, 1, 2), ("BANK_STATEMENT", DAY, 2, None)]


@pytest.mark.parametrize(
    "change",
    [
        "update core.classification_rule set rules_version = 'another'",
        "update recon.basis set confirmed_by = 'somebody else'",
        "insert into recon.materiality by name select customer_id, legal_entity_id, effective_from,"
        " 1 as abs_floor, 0.01 as basis_points, 'somebody' as set_by, now()::timestamp as set_at_utc from recon.basis",
    ],
    ids=["classification rules", "basis", "materiality"],
)
def test_a_changed_rule_changes_the_rules_hash_alone(con: duckdb.DuckDBPyConnection, change: str) -> None:
    first = hashes_of(con, "run-1")
    con.execute(change)
    judge(con, "run-2", SECOND_RUN)
    second = hashes_of(con, "run-2")
    assert first["rules_hash"] != second["rules_hash"]
    assert first["inputs_hash"] == second["inputs_hash"]


def test_another_end_of_the_business_day_is_another_rule_and_is_refused_to_an_old_run(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    first = hashes_of(con, "run-1")
    judge(con, "run-2", SECOND_RUN, business_day_end=time(17))
    second = hashes_of(con, "run-2")
    assert first["rules_hash"] != second["rules_hash"]
    assert first["inputs_hash"] == second["inputs_hash"]
    with pytest.raises(RulesNotInstalledError, match="run-2 went by rules") as refused:
        again(con, tmp_path, "run-2")
    assert "JIKO_BUSINESS_DAY_END" in refused.value.remedy


def test_the_table_of_codes_is_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Registry.load().rules_hash
    read = Path.read_text

    def with_one_more_line(path: Path, *given: Any, **named: Any) -> str:
        return read(path, *given, **named) + ("\n# longer\n" if path.name == "codes.toml" else "")

    monkeypatch.setattr(Path, "read_text", with_one_more_line)
    assert Registry.load().rules_hash != before


def test_another_calendar_is_recorded(con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_record, "CALENDAR_VERSION", "another")
    judge(con, "run-2", SECOND_RUN)
    versions = con.execute("select calendar_version from recon.run order by run_seq").fetchall()
    assert versions[1] == ("another",)
    assert versions[0] != versions[1]


def test_the_record_counts_keys_and_sums_sides_by_control(con: duckdb.DuckDBPyConnection) -> None:
    summary = judge(con, "run-2", SECOND_RUN)
    rows = con.execute(
        "select control_id, passed, broken, not_tested, left_sum, right_sum from recon.run_control"
        " where run_id = 'run-2'"
    ).fetchall()
    counted = {row[0]: row[1:4] for row in rows if sum(row[1:4])}
    assert counted == {
        name: (counts.passed, counts.broken, counts.not_tested) for name, counts in summary.by_control.items()
    }
    sums = {row[0]: row[4:] for row in rows}
    assert sums["K11"][0] is not None
    assert sums["K11"][0] == sums["K11"][1]


def test_an_old_run_is_performed_again_after_its_inputs_were_restated(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    restate(con)
    judge(con, "run-2", SECOND_RUN)
    for run_id in ("run-1", "run-2"):
        found = again(con, tmp_path, run_id)
        stated = hashes_of(con, run_id)
        assert found.is_equal
        assert (found.result_hash_now, found.inputs_hash_now) == (stated["result_hash"], stated["inputs_hash"])
        assert found.differing == ()
    assert [path.name for path in tmp_path.iterdir()] == ["published.duckdb"]


def test_a_run_is_performed_again_with_the_basis_that_it_had(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    con.execute("update recon.basis set confirmed_by = 'somebody else'")
    judge(con, "run-2", SECOND_RUN)
    assert again(con, tmp_path, "run-1").is_equal
    assert again(con, tmp_path, "run-2").is_equal


def test_what_was_changed_behind_the_record_is_told_key_by_key(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    con.execute(
        "update staging.statement_balance set signed_amount = signed_amount + 1"
        " where document_kind = 'BANK_STATEMENT' and balance_code = 'CLBD' and scope_date = ?",
        [DAY],
    )
    found = again(con, tmp_path, "run-1")
    assert not found.is_equal
    assert found.result_hash_now != found.result_hash_then
    told = {(key.control_id, key.business_date) for key in found.differing}
    assert {("K10", DAY), ("K13", DAY)} <= told
    footing = next(key for key in found.differing if key.control_id == "K10" and key.code == "FOOT_BANK")
    assert footing.then is None
    assert footing.now is not None


def test_rules_that_are_not_installed_are_named_with_both_hashes(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules_hash = hashes_of(con, "run-1")["rules_hash"]
    monkeypatch.setattr(performing, "rules_hash_of", lambda *_: "installed-rules")
    with pytest.raises(RulesNotInstalledError, match=f"{rules_hash}.*installed-rules") as refusal:
        again(con, tmp_path, "run-1")
    assert refusal.value.exit_code is ExitCode.NOT_PROVED


def test_an_unknown_run_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(UnknownRunError, match="run-7"):
        again(con, tmp_path, "run-7")
