"""A warehouse that is lost, damaged or gone comes back from the archive with every decision; back-ups are rehearsed."""

import json
import logging
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from jiko_pipeline.archive import Archive
from jiko_pipeline.errors import ExitCode
from jiko_pipeline.pipeline.deciding import set_materiality
from jiko_pipeline.pipeline.pruning import Prunable, RetentionError, plan, prune
from jiko_pipeline.pipeline.rebuilding import SET_ASIDE, rebuild
from jiko_pipeline.pipeline.signing_off import take_step
from jiko_pipeline.pipeline.turn import end_turn, take_turn
from jiko_pipeline.reconciliation.materiality import Limits
from jiko_pipeline.reconciliation.signoff import Period
from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline.warehouse.connection import transaction
from jiko_pipeline.warehouse.file import DamagedWarehouseError, Warehouse
from jiko_pipeline.warehouse.journal import JOURNALLED, bring_back, keep_up
from jiko_pipeline.warehouse.publish import publish
from jiko_pipeline_tests.operation.command_line import DataDirectory
from jiko_pipeline_tests.operation.conftest import LAST, Make, UndisturbedRun
from jiko_pipeline_tests.operation.warehouse_batches import WORLD, born, settings_for

LIMITS = Limits(Decimal("2.50"), Decimal("0.02"))
SIGNED = Period.of_day(date.fromisoformat(LAST))


@pytest.fixture
def copied(copy_of_undisturbed: DataDirectory) -> Iterator[tuple[DataDirectory, Settings]]:
    """A data directory of an undisturbed sync, and its settings."""
    settings = load_settings(data_dir=copy_of_undisturbed.path, simulator_pockets=1)
    yield copy_of_undisturbed, settings
    end_turn(settings)


def flip_until_damaged(settings: Settings) -> None:
    """Flips bits of the file, one after the other, until it is noticed; one in a byte that holds nothing is not."""
    size = settings.warehouse_file.stat().st_size
    for part in range(1, 60):
        with settings.warehouse_file.open("r+b") as file:
            file.seek(12288 + (size - 12288) * part // 60)
            (byte,) = file.read(1)
            file.seek(-1, 1)
            file.write(bytes([byte ^ 1]))
        try:
            take_turn(settings)
            publish(settings, force=True)
        except DamagedWarehouseError:
            return
        finally:
            end_turn(settings)
    pytest.fail("no flipped bit was noticed")


def sign_off(settings: Settings) -> None:
    now = datetime.now(UTC)
    take_step(settings, lambda desk: desk.prepare(SIGNED, preparer="Ann", now=now))
    take_step(settings, lambda desk: desk.review(SIGNED, reviewer="Bob", now=now))


def days_of(settings: Settings, planned: list[Prunable]) -> set[date | None]:
    going = {document_id for item in planned for document_id in item.document_ids}
    return {found.first for found in Archive(settings.archive_dir).documents() if found.document_id in going}


@pytest.mark.fault_rows(113)
def test_lost_commits_come_back_from_the_archive_by_themselves_with_what_people_decided(
    copied: tuple[DataDirectory, Settings], caplog: pytest.LogCaptureFixture
) -> None:
    directory, settings = copied
    before = settings.warehouse_file.read_bytes()
    set_materiality(settings, "Ann", LIMITS, date.fromisoformat(LAST))
    sign_off(settings)
    told = directory.hashes()
    published = settings.published_file.read_bytes()

    # As if the log with these commits had been lost, and the file were that of before.
    settings.warehouse_file.write_bytes(before)
    with caplog.at_level(logging.WARNING):
        take_turn(settings)
    assert "lost its last" in caplog.text
    assert "made anew from" in caplog.text
    assert settings.published_file.read_bytes() == published, "until the new one is published the old one stays"
    publish(settings)
    assert directory.hashes() == told
    assert directory.rows("select set_by, abs_floor from recon.materiality") == [("Ann", LIMITS.abs_floor)]
    assert directory.rows("select status, actor from recon.signoff order by signoff_seq") == [
        ("PREPARED", "Ann"),
        ("SIGNED", "Bob"),
    ]
    (aside,) = (settings.warehouse_file.parent / SET_ASIDE).iterdir()
    assert (aside / settings.warehouse_file.name).read_bytes() == before


@pytest.mark.fault_rows(114, 127)
def test_a_damaged_warehouse_stops_and_is_rebuilt_from_the_archive_alone(
    copied: tuple[DataDirectory, Settings], undisturbed: UndisturbedRun
) -> None:
    directory, settings = copied
    published = settings.published_file.read_bytes()
    flip_until_damaged(settings)
    with pytest.raises(DamagedWarehouseError) as stop:
        take_turn(settings)
        publish(settings, force=True)
    assert stop.value.exit_code is ExitCode.STORAGE
    assert "`jiko rebuild`" in stop.value.remedy
    assert settings.published_file.read_bytes() == published
    end_turn(settings)

    for other in directory.path.iterdir():
        if other.name != "archive":
            shutil.rmtree(other) if other.is_dir() else other.unlink()
    take_turn(settings, heal=False)
    rebuilt = rebuild(settings)
    publish(settings)
    assert directory.hashes() == undisturbed.hashes
    assert (rebuilt.first, rebuilt.set_aside) == (date.fromisoformat("2024-06-27"), None)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("failpoint", ["rebuild-built", "rebuild-set-aside", "rebuild-replaced", "load-committed:5"])
@pytest.mark.parametrize("kind", ["exit", "enospc", "eio"])
def test_a_rebuild_that_fails_anywhere_is_done_again(
    failpoint: str, kind: str, copied: tuple[DataDirectory, Settings], undisturbed: UndisturbedRun
) -> None:
    directory, _ = copied
    step, _, number = failpoint.partition(":")
    answer = directory.run("rebuild", JIKO_FAILPOINT=f"{step}:{number or 1}:{kind}")
    assert answer.exit_code == (137 if kind == "exit" else 50), answer.err
    assert directory.hashes() == undisturbed.hashes
    assert directory.run("rebuild").exit_code == 0
    assert directory.hashes() == undisturbed.hashes


def test_a_damaged_archive_is_named_and_the_old_warehouse_stays(copied: tuple[DataDirectory, Settings]) -> None:
    directory, settings = copied
    blob = next(Archive(settings.archive_dir).blobs())
    whole = settings.warehouse_file.read_bytes()
    blob.chmod(0o600)
    blob.write_bytes(b"x" + blob.read_bytes()[1:])
    answer = directory.run("rebuild")
    assert answer.exit_code == 50
    assert str(blob) in answer.err
    assert settings.warehouse_file.read_bytes() == whole


def test_every_row_of_a_journalled_table_comes_back_as_it_was(tmp_path: Path) -> None:
    settings = born(tmp_path)
    archive = Archive(settings.archive_dir)
    made = {
        "DATE": "date '2024-06-28'",
        "TIMESTAMP": "timestamp '2024-06-28 12:34:56.789012'",
        "VARCHAR": "'é \"quoted\"\nline'",
        "BOOLEAN": "true",
    }
    with Warehouse(settings).writer(WORLD) as con:
        told = {}
        for kept in JOURNALLED:
            for number in (1, 2):
                values = ", ".join(
                    "null"
                    if number == 2 and not column.required
                    else made.get(column.sql_type, f"{number}.5" if column.sql_type.startswith("DEC") else str(number))
                    if column.name not in kept.spec.key or column.sql_type != "VARCHAR"
                    else f"'{number}'"
                    for column in kept.spec.columns
                )
                con.execute(f'insert into {kept.spec.schema}."{kept.spec.name}" values ({values})')
            names = ", ".join(f'"{name}"' for name in kept.columns)
            told[kept.table] = con.execute(f"select {names} from {kept.table} order by all").fetchall()
        assert keep_up(con, archive, tmp_path) == 2 * len(JOURNALLED)
        assert keep_up(con, archive, tmp_path) == 0
        (tmp_path / "journal.json").unlink()
        assert keep_up(con, archive, tmp_path) == 0, "what is in the journal already is not entered again"
    assert archive.verify() == []
    with Warehouse(settings_for(tmp_path / "new")).writer(WORLD) as con:
        with transaction(con):
            assert bring_back(con, archive) == 2 * len(JOURNALLED)
        for kept in JOURNALLED:
            names = ", ".join(f'"{name}"' for name in kept.columns)
            assert con.execute(f"select {names} from {kept.table} order by all").fetchall() == told[kept.table]


@pytest.mark.fault_rows(123)
def test_an_altered_line_of_a_decision_is_found_by_verify(copied: tuple[DataDirectory, Settings]) -> None:
    directory, settings = copied
    journal = settings.archive_dir / "journal" / "recon.basis.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"simulated bank", b"Simulated bank"))
    answer = directory.run("verify", "--json")
    assert answer.exit_code == 30
    assert [damage["path"] for damage in answer.told["damaged"]] == [str(journal)]


def test_a_back_up_is_brought_back_into_another_directory_and_gives_the_same_tables(
    copied: tuple[DataDirectory, Settings], new_directory: Make, tmp_path: Path
) -> None:
    directory, settings = copied
    sign_off(settings)
    told = directory.hashes()
    first = directory.run("backup", str(tmp_path / "backup"), "--json", JIKO_PERSON="Ann")
    assert first.exit_code == 0, first.err
    again = directory.run("backup", str(tmp_path / "backup"), "--json", JIKO_PERSON="Ann")
    assert again.told == {**first.told, "copied": 0}
    listed = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path / "backup", capture_output=True, check=False
    )
    assert listed.returncode == 0
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "backup").rglob("*") if path.is_file()} == {0o600}
    kept = json.loads((tmp_path / "backup" / "settings.json").read_text())
    assert kept["person"] == "Ann"
    assert not {"client_id", "private_key_file", "key_id", "webhook_secret_file"} & kept.keys()

    other = new_directory("other")
    back = other.run("restore", str(tmp_path / "backup"), "--json")
    assert back.exit_code == 0, back.err
    assert other.hashes() == told
    assert other.rows("select status from recon.signoff order by signoff_seq") == [("PREPARED",), ("SIGNED",)]
    assert sorted(path.name for path in (other.path / "signoff").iterdir()) == sorted(
        path.name for path in (directory.path / "signoff").iterdir()
    )
    assert back.told["other_settings"] == ["person"]
    assert other.run("restore", str(tmp_path / "backup")).exit_code == 40, "what is there already is not written over"


def test_a_back_up_that_is_not_whole_is_not_brought_back(
    undisturbed: UndisturbedRun, new_directory: Make, tmp_path: Path
) -> None:
    assert undisturbed.directory.run("backup", str(tmp_path / "backup")).exit_code == 0
    blob = max((tmp_path / "backup" / "archive").glob("??/*"))
    blob.write_bytes(blob.read_bytes()[:-1])
    other = new_directory("other")
    answer = other.run("restore", str(tmp_path / "backup"))
    assert answer.exit_code == 50
    assert str(blob) in answer.err
    assert not (other.path / "archive").exists()
    inside = undisturbed.directory.path / "archive" / "backup"
    assert undisturbed.directory.run("backup", str(inside)).exit_code == 50


def test_pruning_takes_repeats_and_leftovers_and_no_evidence(copied: tuple[DataDirectory, Settings]) -> None:
    directory, settings = copied
    confirmed = directory.sync("2024-07-01", LAST, "--confirm")
    assert confirmed.exit_code == 0, confirmed.err
    told = directory.hashes()
    archive = Archive(settings.archive_dir)
    before = {path.name for path in archive.blobs()}
    orphan = archive.store_bytes(b"a page whose listing never ended")
    later = datetime.now(UTC) + timedelta(days=100)
    assert plan(settings, 31) == [], "everything is of these days"

    stamp = (datetime.now(UTC) - timedelta(days=3)).timestamp()
    os.utime(archive.path_of(orphan.sha256), (stamp, stamp))
    assert SIGNED.first in days_of(settings, plan(settings, 60, now=later))
    sign_off(settings)
    planned = plan(settings, 60, now=later)
    assert SIGNED.first not in days_of(settings, planned), "what was signed off is evidence"
    assert {path.name for path in archive.blobs()} == before | {orphan.sha256}, "said, not done"
    assert prune(settings, 60, now=later) == planned
    assert {item.path for item in planned} >= {archive.path_of(orphan.sha256)}
    gone = {document_id for item in planned for document_id in item.document_ids}
    assert gone
    assert not {document.document_id for document in archive.documents()} & gone
    assert archive.verify() == []
    assert plan(settings, 60, now=later) == []

    take_turn(settings, heal=False)
    rebuild(settings)
    publish(settings)
    assert directory.hashes() == told


def test_a_retention_that_is_shorter_than_the_daily_work_reaches_back_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RetentionError):
        plan(settings_for(tmp_path), 30)


def test_a_warehouse_of_another_making_is_not_taken_for_a_loss(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    settings.warehouse_file.parent.mkdir(parents=True)
    with duckdb.connect(str(settings.warehouse_file)) as con:
        con.execute("create table mine (a integer)")
    take_turn(settings)
    end_turn(settings)
    with duckdb.connect(str(settings.warehouse_file)) as con:
        assert con.execute("select table_name from duckdb_tables()").fetchall() == [("mine",)]
