"""`jiko documents fetch` and `jiko confirmations check` against the served bank."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jiko_pipeline_tests.bank import chaos_rig
from jiko_pipeline_tests.bank.chaos_rig import rule
from jiko_pipeline_tests.operation.command_line import DataDirectory, data_directories
from jiko_pipeline_tests.operation.conftest import FIRST, LAST, ONE_POCKET


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataDirectory]:
    """One pocket; what one test leaves behind, the others do not look at."""
    with data_directories() as made:
        made.append(DataDirectory(tmp_path_factory.mktemp("paper") / "data", ONE_POCKET))
        yield made[0]


def _everything_kept(directory: DataDirectory) -> bytes:
    """Every byte of the archive's own records."""
    return b"".join(file.read_bytes() for file in sorted((directory.path / "archive" / "documents").rglob("*.jsonl")))


def _blobs(directory: DataDirectory, sha256: str) -> list[Path]:
    return [file for file in (directory.path / "archive").rglob(f"*{sha256[4:]}*") if file.is_file()]


def test_files_of_a_period_are_archived_once_and_without_their_links(directory: DataDirectory) -> None:
    first = directory.run("documents", "fetch", "--period", "2024-06", "--json")
    again = directory.run("documents", "fetch", "--year", "2024", "--type", "BANK", "--json")
    assert (first.exit_code, again.exit_code) == (0, 0), first.err + again.err
    assert {(file["type"], file["period"], file["is_new"]) for file in first.told} == {
        ("BANK", "2024-06", True),
        ("BROKERAGE", "2024-06", True),
    }
    assert {file["type"] for file in again.told} == {"BANK"}
    assert [file["is_new"] for file in again.told if file["period"] == "2024-06"] == [False]
    for file in first.told:
        (blob,) = _blobs(directory, file["sha256"])
        assert blob.read_bytes().startswith(b"%PDF-")
    kept = _everything_kept(directory)
    assert b"http" not in kept
    assert b"signature" not in kept


def test_a_period_that_is_none_is_a_wrong_use(directory: DataDirectory) -> None:
    assert directory.run("documents", "fetch", "--period", "2024-13").exit_code == 2
    assert directory.run("documents", "fetch", "--year", "2024", "--period", "2024-06").exit_code == 2


def test_confirmations_are_compared_and_only_hash_and_result_are_kept(copy_of_undisturbed: DataDirectory) -> None:
    directory = copy_of_undisturbed

    answer = directory.run("confirmations", "check", "--from", FIRST, "--to", LAST, "--json")

    assert answer.exit_code == 0, answer.err
    trades = directory.rows("select trade_id from core.trade where activity in ('BUY', 'SELL') order by trade_id")
    checks = directory.rows("select trade_id, outcome, fields from core.trade_confirmation_check order by trade_id")
    assert checks == [(trade_id, "AGREES", "") for (trade_id,) in trades]
    assert directory.rows("select count(*) from core.trade where activity = 'MATURITY'") > [(0,)]
    hashes = {check["confirmation_sha256"] for check in answer.told}
    assert len(hashes) == len(trades)
    assert [blob for sha256 in hashes for blob in _blobs(directory, sha256)] == []

    kept = directory.run("confirmations", "check", "--from", FIRST, "--to", LAST, JIKO_KEEP_CONFIRMATIONS="true")
    assert kept.exit_code == 0, kept.err
    assert len([blob for sha256 in hashes for blob in _blobs(directory, sha256)]) == len(trades)
    assert directory.rows("select count(*) from core.trade_confirmation_check") == [(len(trades),)]

    # A confirmation that is not open to us is told, and the others are compared.
    forbidden = rule(
        "status", match={"path": "/api/*/confirmation/", "nth": 1}, status=403, body={"detail": "forbidden"}
    )
    with chaos_rig.chaos(directory, forbidden):
        refused = directory.run("confirmations", "check", "--from", FIRST, "--to", LAST, "--json")
    assert refused.exit_code == 30
    told = directory.rows("select outcome, count(*) from core.trade_confirmation_check group by outcome")
    assert sorted(told) == [("AGREES", len(trades) - 1), ("REFUSED", 1)]
