"""The warehouse's file: its birth, its lock, its world, what it refuses."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from jiko_pipeline.errors import AlreadyRunningError, ExitCode, StorageError
from jiko_pipeline.warehouse import load_transaction
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.hashing import compared_tables, hash_of, table_hashes
from jiko_pipeline.warehouse.load import RecountError, load
from jiko_pipeline.warehouse.tables import TABLES
from jiko_pipeline.warehouse.world import (
    World,
    WorldMismatchError,
    claim,
    identity_of,
    refuse_other_environment,
)
from jiko_pipeline_tests.operation.warehouse_batches import (
    MONDAY,
    POCKETS,
    WORLD,
    batch,
    born,
    document,
    settings_for,
    statement_frames,
)

PRODUCTION = World("production", "https://api.business.jiko.io", "jiko")
HOLD_THE_LOCK = """
import sys
from pathlib import Path
from jiko_pipeline.warehouse.lock import writer_lock
with writer_lock(Path(sys.argv[1]), 1):
    print("held", flush=True)
    sys.stdin.read()
"""
DIE_IN_A_LOAD = """
import os, signal, sys
from pathlib import Path
from jiko_pipeline.warehouse import load_transaction
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.load import load
from jiko_pipeline_tests.operation.test_warehouse_file import two_days
from jiko_pipeline_tests.operation.warehouse_batches import WORLD, batch, settings_for
first, second = two_days()
step, nth = sys.argv[2], int(sys.argv[3])
real = getattr(load_transaction, step)
calls = 0
def deadly(*arguments, **named):
    global calls
    result = real(*arguments, **named)
    calls += 1
    if calls == nth:
        os.kill(os.getpid(), signal.SIGKILL)
    return result
with Warehouse(settings_for(Path(sys.argv[1]))).writer(WORLD) as con:
    load(con, batch(first), run_id="whole")
    setattr(load_transaction, step, deadly)
    load(con, batch(second), run_id="cut short")
"""


def two_days():  # type: ignore[no-untyped-def]
    return [
        document(
            "BANK_STATEMENT",
            statement_frames(MONDAY + timedelta(days=n), [("ACH_CREDIT", f"{n + 1}.00", "a")]),
            first=MONDAY + timedelta(days=n),
            pocket=POCKETS[0],
        )
        for n in range(2)
    ]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_table_and_column_is_there_with_its_comment(tmp_path: Path) -> None:
    with Warehouse(settings_for(tmp_path)).writer(WORLD) as con:
        found = con.execute(
            "select schema_name || '.' || table_name, column_name, data_type, comment, is_nullable"
            " from duckdb_columns() where not internal"
            " and table_name not in ('break', 'transfer_trail', 'signed_period', 'schema_comment')"
        ).fetchall()
        tables = con.execute(
            "select schema_name || '.' || table_name, comment from duckdb_tables() where not internal"
        ).fetchall()
        views = con.execute(
            "select schema_name || '.' || view_name, comment from duckdb_views() where not internal"
        ).fetchall()
        view_columns = con.execute(
            "select comment from duckdb_columns() where table_name in ('break', 'transfer_trail', 'signed_period')"
        ).fetchall()
    declared = [
        (name, column.name, column.sql_type, column.comment, not column.required)
        for name, spec in TABLES.items()
        for column in spec.columns
    ]
    assert sorted(found) == sorted(declared)
    assert dict(tables) == {name: spec.comment for name, spec in TABLES.items()}
    assert all(comment for _, comment in views)
    assert view_columns
    assert all(comment for (comment,) in view_columns)


def test_the_data_dictionary_names_every_declared_column(tmp_path: Path) -> None:
    with Warehouse(settings_for(tmp_path)).writer(WORLD) as con:
        ((columns,),) = con.execute(
            "select count(*) from meta.data_dictionary where column_role <> 'parameter'"
        ).fetchall()
    assert columns == sum(len(spec.columns) for spec in TABLES.values())


def test_treasurys_bills_and_the_classification_rules_are_in_from_birth(tmp_path: Path) -> None:
    with Warehouse(settings_for(tmp_path)).writer(WORLD) as con:
        ((bills,),) = con.execute(
            "select count(*) from staging.security_reference where reference_source = 'TREASURY'"
        ).fetchall()
        categories = {
            category for (category,) in con.execute("select distinct category from core.classification_rule").fetchall()
        }
    assert bills == 4352
    assert categories == {
        "DEPOSIT", "PAYMENT", "ONUS_IN", "ONUS_OUT", "CARD", "FEE", "CREDIT", "INTEREST", "RETURN",
        "SWEEP_OUT", "SWEEP_IN", "ADJUSTMENT",
    }  # fmt: skip


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    warehouse = Warehouse(settings_for(tmp_path))
    with warehouse.writer(WORLD) as con:
        before = table_hashes(con)
    size, written = warehouse.path.stat().st_size, warehouse.path.stat().st_mtime_ns
    with warehouse.writer(WORLD) as con:
        assert table_hashes(con) == before
    assert (warehouse.path.stat().st_size, warehouse.path.stat().st_mtime_ns) == (size, written)


def test_the_file_is_private_and_of_the_old_storage_version(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    warehouse = Warehouse(settings)
    with warehouse.writer(WORLD) as con:
        load(con, batch(*two_days()), run_id=None)
        assert {mode(path) for path in warehouse.path.parent.iterdir()} == {0o600}
    assert {mode(settings.data_dir), mode(warehouse.path.parent)} == {0o700}
    assert mode(settings.data_dir / "world.json") == 0o600
    header = warehouse.path.read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    assert header[12] == 65, "64 is DuckDB 1.0 and 1.1, 65 is 1.2; the default of 2.0 is far higher"


def test_sql_of_the_writer_reaches_no_other_file(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    with (
        Warehouse(settings_for(tmp_path)).writer(WORLD) as con,
        pytest.raises(duckdb.PermissionException),
    ):
        con.execute(f"copy (select 1) to '{other}'")
    assert not other.exists()


@pytest.mark.parametrize(("born", "asked"), [(WORLD, PRODUCTION), (PRODUCTION, WORLD)])
def test_another_world_is_refused_and_both_are_named(tmp_path: Path, born: World, asked: World) -> None:
    warehouse = Warehouse(settings_for(tmp_path))
    with warehouse.writer(born):
        pass
    with pytest.raises(WorldMismatchError) as refusal, warehouse.writer(asked):
        pass
    assert refusal.value.exit_code is ExitCode.CREDENTIALS_OR_SETTINGS
    assert "simulator" in str(refusal.value)
    assert "production" in str(refusal.value)


def test_another_world_in_the_file_is_refused_when_world_json_was_swapped(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    with Warehouse(settings).writer(WORLD):
        pass
    (settings.data_dir / "world.json").unlink()
    with pytest.raises(WorldMismatchError), Warehouse(settings).writer(PRODUCTION):
        pass


def test_the_environment_alone_is_enough_to_refuse(tmp_path: Path) -> None:
    claim(tmp_path / "data", WORLD)
    refuse_other_environment(tmp_path / "data", "simulator")
    with pytest.raises(WorldMismatchError):
        refuse_other_environment(tmp_path / "data", "production")


def test_a_world_can_be_read_without_a_database(tmp_path: Path) -> None:
    assert identity_of(tmp_path) is None
    claim(tmp_path, PRODUCTION)
    assert identity_of(tmp_path) == PRODUCTION


def test_an_unreadable_world_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "world.json").write_text("{}")
    with pytest.raises(StorageError, match=r"world\.json"):
        identity_of(tmp_path)


@pytest.mark.fault_rows(117)
def test_who_waits_too_long_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    warehouse = Warehouse(settings_for(tmp_path, writer_wait_seconds=0.05))
    with warehouse.writer(WORLD):
        pass
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_LOCK, str(warehouse.lock_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunningError) as refusal, warehouse.writer(WORLD):
            pass
        stated = json.loads(warehouse.lock_path.read_text())
    finally:
        holder.communicate("")
    assert refusal.value.exit_code is ExitCode.ALREADY_RUNNING
    assert f"process {holder.pid}, since {stated['since']}" in str(refusal.value)


def test_a_killed_holder_blocks_nobody(tmp_path: Path) -> None:
    warehouse = Warehouse(settings_for(tmp_path, writer_wait_seconds=5))
    with warehouse.writer(WORLD):
        pass
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_LOCK, str(warehouse.lock_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.communicate()
    with warehouse.writer(WORLD) as con:
        assert con.execute("select count(*) from meta.world").fetchall() == [(1,)]


def test_a_file_with_a_newer_schema_is_refused(tmp_path: Path) -> None:
    warehouse = Warehouse(settings_for(tmp_path))
    with warehouse.writer(WORLD) as con:
        con.execute("update meta.world set schema_version = 99, package_version = '9.9'")
    with pytest.raises(StorageError, match=r"9\.9 with schema 99"), warehouse.writer(WORLD):
        pass


def test_a_foreign_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    warehouse = Warehouse(settings_for(tmp_path))
    warehouse.path.parent.mkdir(parents=True)
    with duckdb.connect(str(warehouse.path)) as con:
        con.execute("create table mine (a integer)")
    with pytest.raises(StorageError, match="did not make"), warehouse.writer(WORLD):
        pass
    with duckdb.connect(str(warehouse.path)) as con:
        assert con.execute("select table_name from duckdb_tables()").fetchall() == [("mine",)]


def test_a_missing_table_column_and_view_are_added_to_an_older_file(tmp_path: Path) -> None:
    warehouse = Warehouse(settings_for(tmp_path))
    with warehouse.writer(WORLD) as con:
        con.execute('drop view recon."break"')
        con.execute("drop table recon.break_event")
        con.execute("alter table core.security drop column isin")
        con.execute("update meta.world set definitions_hash = 'older'")
    with warehouse.writer(WORLD) as con:
        assert con.execute('select count(*) from recon."break"').fetchall() == [(0,)]
        assert con.execute("select count(isin) from core.security").fetchall() == [(0,)]


def test_a_table_that_lost_a_required_column_is_refused(tmp_path: Path) -> None:
    warehouse = Warehouse(settings_for(tmp_path))
    with warehouse.writer(WORLD) as con:
        con.execute("alter table core.security drop column cusip")
        con.execute("update meta.world set definitions_hash = 'older'")
    with pytest.raises(StorageError, match=r"core\.security.*cusip"), warehouse.writer(WORLD):
        pass


def test_work_that_fails_is_undone_and_the_file_stays_usable(tmp_path: Path) -> None:
    warehouse = Warehouse(born(tmp_path))
    first, second = two_days()
    with warehouse.writer(WORLD) as con:
        load(con, batch(first), run_id=None)
        before = table_hashes(con)
        with pytest.MonkeyPatch.context() as patch, pytest.raises(RuntimeError, match="power"):
            patch.setattr(load_transaction, "enter", _fail)
            load(con, batch(second), run_id=None)
        assert table_hashes(con) == before
        load(con, batch(second), run_id=None)
        assert con.execute("select count(*) from staging.statement_entry").fetchall() == [(2,)]


def _fail(*_: object) -> None:
    raise RuntimeError("power")


@pytest.mark.parametrize(
    ("step", "nth"), [("stage", 1), ("take_turn", 1), ("enter", 1), ("drop_staged", 1), ("miscounted", 1)]
)
def test_a_load_killed_at_any_step_and_loaded_again_equals_an_undisturbed_one(
    tmp_path: Path, step: str, nth: int
) -> None:
    born(tmp_path / "killed")
    killed = subprocess.run(
        [sys.executable, "-c", DIE_IN_A_LOAD, str(tmp_path / "killed"), step, str(nth)],
        check=False,
        capture_output=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    hashes = []
    for name in ("killed", "undisturbed"):
        with Warehouse(born(tmp_path / name)).writer(WORLD) as con:
            load(con, batch(*two_days()), run_id="after")
            hashes.append((table_hashes(con), hash_of(con, "raw.delivery")))
    assert hashes[0] == hashes[1]


def test_rows_that_the_manifest_does_not_know_are_noticed_after_a_load(tmp_path: Path) -> None:
    first, second = two_days()
    with Warehouse(born(tmp_path)).writer(WORLD) as con:
        load(con, batch(first), run_id=None)
        con.execute("insert into staging.statement_entry select * from staging.statement_entry")
        with pytest.raises(RecountError, match="the manifest states") as alarm:
            load(con, batch(second, _again(first)), run_id=None)
    assert alarm.value.exit_code is ExitCode.STORAGE


def _again(item):  # type: ignore[no-untyped-def]
    return document(
        "BANK_STATEMENT",
        item.reading.frames,
        first=MONDAY,
        pocket=POCKETS[0],
        fetched=item.document.fetched_at + timedelta(hours=1),
    )


def test_the_table_macro_says_what_the_function_says(tmp_path: Path) -> None:
    with Warehouse(born(tmp_path)).writer(WORLD) as con:
        load(con, batch(*two_days()), run_id=None)
        for name in compared_tables():
            stated = hash_of(con, name)
            assert con.execute("from meta.table_hash($1)", [name]).fetchall() == [
                (stated.table_name, stated.row_count, stated.content_hash)
            ]
        assert con.execute("from meta.table_hash('core.no_such_table')").fetchall() == []


def test_the_hash_sees_a_cent_and_a_repeated_row_and_no_order(tmp_path: Path) -> None:
    name = "core.security_price"
    row = "('c', 'e', 'X', date '2024-06-03', {}, 1, 'd', 'l', timestamp '2024-06-04 00:00:00')"
    with Warehouse(born(tmp_path)).writer(WORLD) as con:
        seen = []
        for rows in (("1", "2"), ("2", "1"), ("1", "1", "2"), ("1", "2.000001")):
            con.execute(f"delete from {name}")
            for price in rows:
                con.execute(f"insert into {name} values {row.format(price)}")
            seen.append(hash_of(con, name))
    assert seen[0] == seen[1]
    assert len({found.content_hash for found in seen}) == 3


def test_every_sql_file_of_the_room_has_a_header() -> None:
    folder = Path(load_transaction.__file__).parent
    files = sorted(folder.glob("*/*.sql"))
    assert files
    assert [path.name for path in files if not re.match(r"-- \S", path.read_text())] == []


def test_the_umask_of_the_process_is_as_before(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with Warehouse(born(tmp_path)).writer(WORLD):
            pass
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
