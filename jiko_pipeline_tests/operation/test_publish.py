"""The published file: complete, verified, private, read by other versions of DuckDB, never in the way."""

import hashlib
import json
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from jiko_pipeline.errors import ExitCode, StorageError
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse import publish as publishing
from jiko_pipeline.warehouse.core_build import build_core
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.hashing import compared_tables, fingerprints, hash_of
from jiko_pipeline.warehouse.load import load
from jiko_pipeline.warehouse.publish import PublishError, publish, published
from jiko_pipeline_tests.operation.warehouse_batches import (
    CUSTOMER,
    ENTITY,
    MONDAY,
    POCKETS,
    WORLD,
    batch,
    born,
    document,
    settings_for,
    statement_frames,
)

OLD_CLIENTS = ("1.2.2", "1.3.2", "1.5.6")
READ_WITH_AN_OLD_CLIENT = """
import json, sys
import duckdb
con = duckdb.connect(sys.argv[1], read_only=True)
hashes = [list(con.execute(f"from meta.table_hash('{name}')").fetchall()[0]) for name in sys.argv[2:]]
entries = [str(amount) for (amount,) in con.execute("select signed_amount from core.bank_transaction").fetchall()]
known = con.execute("select signed_amount from as_known_at.core_bank_transaction(timestamp '2100-01-01')").fetchall()
assert [str(amount) for (amount,) in known] == entries
breaks = con.execute('select count(*) from recon."break"').fetchall()
comments = con.execute(
    "select count(*) from duckdb_columns() where not internal and comment is null and table_name <> 'schema_comment'"
).fetchall()
print(json.dumps([duckdb.__version__, hashes, entries, breaks, comments]))
"""


def take_in(settings: Settings, day_number: int = 0) -> None:
    day = MONDAY + timedelta(days=day_number)
    entries = [("ACH_CREDIT", f"{day_number + 1}.00", "a")]
    item = document("BANK_STATEMENT", statement_frames(day, entries), first=day, pocket=POCKETS[0])
    with Warehouse(settings).writer(WORLD) as con:
        load(con, batch(item), run_id=None)
        build_core(con, CUSTOMER, ENTITY, day, day, business_day_end=settings.business_day_end)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_published_file_holds_what_the_warehouse_holds(tmp_path: Path) -> None:
    settings = born(tmp_path)
    take_in(settings)
    result = publish(settings)
    with Warehouse(settings).existing() as con:
        assert tuple(fingerprints(con)) == result.tables
    with published(settings) as con:
        assert tuple(fingerprints(con)) == result.tables
    body = settings.published_file.read_bytes()
    assert (hashlib.sha256(body).hexdigest(), len(body)) == (result.sha256, result.byte_length)


def test_publishing_what_is_published_already_leaves_the_file_alone(tmp_path: Path) -> None:
    settings = born(tmp_path)
    take_in(settings)
    first = publish(settings)
    inode = settings.published_file.stat().st_ino
    second = publish(settings)
    assert (first.is_new, second.is_new) == (True, False)
    assert second.sha256 == first.sha256
    assert settings.published_file.stat().st_ino == inode
    assert publish(settings, force=True).is_new
    take_in(settings, 1)
    assert publish(settings).is_new


def test_a_published_file_that_was_exchanged_is_made_again(tmp_path: Path) -> None:
    settings = born(tmp_path)
    take_in(settings)
    publish(settings)
    settings.published_file.unlink()
    settings.published_file.write_bytes(b"something else")
    assert publish(settings).is_new
    with published(settings) as con:
        assert con.execute("select count(*) from core.bank_transaction").fetchall() == [(1,)]


@pytest.mark.parametrize(("group", "file_mode", "folder_mode"), [(False, 0o400, 0o700), (True, 0o440, 0o750)])
@pytest.mark.fault_rows(122)
def test_who_may_read_is_a_setting(tmp_path: Path, group: bool, file_mode: int, folder_mode: int) -> None:
    settings = born(tmp_path, published_group_readable=group)
    take_in(settings)
    publish(settings)
    assert (mode(settings.published_file), mode(settings.data_dir)) == (file_mode, folder_mode)
    assert mode(settings.warehouse_file) == 0o600


def test_a_change_of_the_setting_publishes_again(tmp_path: Path) -> None:
    settings = born(tmp_path)
    take_in(settings)
    publish(settings)
    wider = born(tmp_path, published_group_readable=True)
    assert publish(wider).is_new
    assert mode(wider.published_file) == 0o440


@pytest.mark.fault_rows(118)
def test_a_reader_that_stays_open_keeps_its_state_and_delays_nothing(tmp_path: Path) -> None:
    settings = born(tmp_path)
    take_in(settings)
    publish(settings)
    count = "select count(*) from core.bank_transaction"
    reader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys\n"
            "con = duckdb.connect(sys.argv[1], read_only=True)\n"
            "for line in sys.stdin:\n"
            "    print(con.execute(line).fetchall()[0][0], flush=True)\n",
            str(settings.published_file),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    seen = []
    for day in range(1, 4):
        reader.stdin.write(f"{count}\n")
        reader.stdin.flush()
        seen.append(int(reader.stdout.readline()))
        take_in(settings, day)
        assert publish(settings).is_new
        with published(settings) as con:
            assert con.execute(count).fetchall() == [(day + 1,)]
    reader.communicate()
    assert seen == [1, 1, 1]


def test_a_stale_log_beside_the_published_file_is_removed(tmp_path: Path) -> None:
    settings = born(tmp_path)
    take_in(settings)
    publish(settings)
    log = settings.published_file.with_name("treasury.duckdb.wal")
    log.write_bytes(b"left by somebody")
    assert publish(settings).is_new
    assert not log.exists()
    with published(settings) as con:
        assert con.execute("select count(*) from core.bank_transaction").fetchall() == [(1,)]


@pytest.mark.parametrize("damage", ["a block is lost", "the end is lost"])
def test_a_damaged_copy_never_replaces_the_file_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    settings = born(tmp_path)
    take_in(settings)
    before = publish(settings).sha256
    take_in(settings, 1)
    real = publishing._copy

    def damaged(source: Path, draft: Path) -> tuple[str, int]:
        result = real(source, draft)
        body = bytearray(draft.read_bytes())
        if damage == "a block is lost":
            middle = len(body) // 2
            body[12288:middle] = bytes(middle - 12288)
        draft.write_bytes(body if damage == "a block is lost" else body[: len(body) // 2])
        return result

    monkeypatch.setattr(publishing, "_copy", damaged)
    with pytest.raises(PublishError) as alarm:
        publish(settings)
    assert alarm.value.exit_code is ExitCode.STORAGE
    assert hashlib.sha256(settings.published_file.read_bytes()).hexdigest() == before
    assert [path.name for path in settings.data_dir.iterdir() if "draft" in path.name] == []


def test_a_copy_of_another_state_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = born(tmp_path)
    take_in(settings)
    publish(settings)
    older = tmp_path / "older.duckdb"
    older.write_bytes(settings.published_file.read_bytes())
    take_in(settings, 1)
    real = publishing._copy
    monkeypatch.setattr(publishing, "_copy", lambda source, draft: real(older, draft))
    with pytest.raises(PublishError, match="where the warehouse holds"):
        publish(settings)


def test_rows_that_the_manifest_does_not_know_are_not_published(tmp_path: Path) -> None:
    settings = born(tmp_path)
    take_in(settings)
    before = publish(settings).sha256
    with Warehouse(settings).existing() as con:
        con.execute("insert into staging.statement_entry select * from staging.statement_entry")
    with pytest.raises(PublishError, match="manifest"):
        publish(settings)
    assert hashlib.sha256(settings.published_file.read_bytes()).hexdigest() == before


def test_without_a_warehouse_there_is_nothing_to_publish(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no warehouse"):
        publish(settings_for(tmp_path))


def test_readers_of_the_published_file_can_neither_write_nor_reach_other_files(tmp_path: Path) -> None:
    settings = born(tmp_path)
    take_in(settings)
    publish(settings)
    with published(settings) as con:
        with pytest.raises(duckdb.Error, match="read-only"):
            con.execute("delete from core.bank_transaction")
        with pytest.raises(duckdb.PermissionException):
            con.execute(f"select * from read_csv('{tmp_path}/other.csv')")


@pytest.fixture(scope="module", params=OLD_CLIENTS)
def old_client(request: pytest.FixtureRequest) -> Path:
    """The folder of an older DuckDB client; installed once and kept below pytest's own cache."""
    version = request.param
    cache = request.config.cache
    if cache is None:
        pytest.skip("pytest runs without its cache, where older DuckDB clients are kept")
    folder = Path(cache.mkdir("duckdb-clients")) / version
    if not (folder / "installed").exists():
        wanted = [f"duckdb=={version}", "--no-deps", "--only-binary", ":all:", "--target", str(folder)]
        done = subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            pytest.skip(f"the DuckDB {version} client cannot be installed here")
        (folder / "installed").touch()
    return folder


def test_older_clients_read_tables_views_comments_and_the_same_hashes(tmp_path: Path, old_client: Path) -> None:
    settings = born(tmp_path)
    take_in(settings)
    publish(settings)
    names = compared_tables()
    done = subprocess.run(
        [sys.executable, "-c", READ_WITH_AN_OLD_CLIENT, str(settings.published_file), *names],
        check=False,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(old_client)},
    )
    assert done.returncode == 0, done.stderr
    version, hashes, entries, breaks, comments = json.loads(done.stdout)
    assert version == old_client.name
    with published(settings) as con:
        stated = [hash_of(con, name) for name in names]
    assert hashes == [[found.table_name, found.row_count, found.content_hash] for found in stated]
    assert (entries, breaks, comments) == (["1.00"], [[0]], [[0]])
