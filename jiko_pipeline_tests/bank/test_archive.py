"""The archive: bytes kept once, documents in order, damage found."""

import hashlib
import json
import logging
import multiprocessing
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from jiko_pipeline.archive import Archive, Blob, Document
from jiko_pipeline.bank.world import WorldIdentity
from jiko_pipeline.errors import ExitCode, SettingsError, StorageError

WORLD = WorldIdentity("simulator", "simulator", "a" * 64)
NOON = datetime(2024, 7, 18, 12, 0, tzinfo=UTC)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "data" / "archive")


def document(archive: Archive, *bodies: bytes, fetched_at: datetime = NOON, **changes: object) -> Document:
    fields: dict[str, object] = {
        "kind": "BANK_STATEMENT",
        "customer_id": "default",
        "pocket_id": "p-1",
        "first": date(2024, 7, 17),
        "last": date(2024, 7, 17),
        "parameters": {"output_format": "CAMT053", "date_type": None},
        "parts": tuple(archive.store_bytes(body) for body in bodies),
        "source": "order_report",
        "created_at_provider": NOON - timedelta(seconds=5),
        "fetched_at": fetched_at,
        "media_type": "application/xml",
        "pull_key": "k",
        "reason": "DAILY",
        "world": WORLD,
    }
    return Document.model_validate({**fields, **changes})


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=8))
def test_what_is_kept_comes_back_and_is_kept_once(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes]
) -> None:
    archive = Archive(tmp_path_factory.mktemp("archive"))
    blobs = [archive.store_bytes(body) for body in [*bodies, *bodies]]
    assert [archive.open_blob(blob.sha256) for blob in blobs] == [*bodies, *bodies]
    assert [blob.sha256 for blob in blobs] == [hashlib.sha256(body).hexdigest() for body in [*bodies, *bodies]]
    assert len([path for path in archive.directory.rglob("*") if path.is_file()]) == len(set(bodies))


def test_a_file_is_taken_over_by_its_hash(archive: Archive, tmp_path: Path) -> None:
    for _ in range(2):
        incoming = tmp_path / "incoming.part"
        incoming.write_bytes(b"abc")
        blob = archive.adopt_file(incoming, hashlib.sha256(b"abc").hexdigest())
        assert blob == Blob(sha256=hashlib.sha256(b"abc").hexdigest(), byte_length=3)
        assert not incoming.exists()
    assert archive.open_blob(blob.sha256) == b"abc"


def test_everything_is_for_its_owner_only_whatever_the_umask(archive: Archive, tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        incoming = tmp_path / "incoming.part"
        incoming.write_bytes(b"abc")
        archive.adopt_file(incoming, hashlib.sha256(b"abc").hexdigest())
        archive.bind_world(WORLD)
        archive.record(document(archive, b"one"))
    finally:
        os.umask(previous)
    for path in [archive.directory, *archive.directory.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_documents_come_back_equal_and_in_order_of_arrival(archive: Archive) -> None:
    recorded = [
        archive.record(
            document(archive, f"{number}".encode(), b"second page", fetched_at=NOON + timedelta(days=10 * number))
        )
        for number in range(5)
    ]
    assert list(Archive(archive.directory).documents()) == recorded
    assert [item.document_id for item in archive.documents()] == [item.document_id for item in recorded]
    assert list(archive.documents(since=NOON + timedelta(days=20))) == recorded[2:]


def test_the_hash_of_a_document_is_that_of_its_part_or_of_its_parts(archive: Archive) -> None:
    one, two = hashlib.sha256(b"1").hexdigest(), hashlib.sha256(b"2").hexdigest()
    assert document(archive, b"1").sha256 == one
    assert document(archive, b"1", b"2").sha256 == hashlib.sha256((one + two).encode()).hexdigest()
    assert document(archive, b"1", b"2").byte_length == 2


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "POSITION"},
        {"pocket_id": None},
        {"reason": "CONFIRM"},
        {"fetched_at": NOON + timedelta(microseconds=1)},
        {"parameters": {}},
        {"report_id": "r"},
        {"world": WorldIdentity("sandbox", "https://x", "jiko")},
    ],
)
def test_every_field_is_in_the_name_of_a_document(archive: Archive, change: dict[str, object]) -> None:
    base = document(archive, b"1")
    assert document(archive, b"1").document_id == base.document_id
    assert document(archive, b"1", **change).document_id != base.document_id


@pytest.mark.parametrize("change", [{"fetched_at": datetime(2024, 7, 18)}, {"parts": ()}, {"kind": "../x"}])  # noqa: DTZ001
def test_a_document_that_cannot_be_is_not_made(archive: Archive, change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        document(archive, b"1", **change)


def test_a_file_of_documents_is_plain_json_lines(archive: Archive) -> None:
    recorded = archive.record(document(archive, b"1"))
    (line,) = (archive.directory / "documents" / "2024-07.jsonl").read_text().splitlines()
    fields = json.loads(line)
    assert (fields["document_id"], fields["sha256"]) == (recorded.document_id, recorded.sha256)
    assert fields["world"] == {"environment": "simulator", "api_origin": "simulator", "world_id": "a" * 64}


@pytest.mark.parametrize("torn", [b"{", b'{"document_id": "x"', b"x" * 5000])
def test_a_line_that_a_dying_process_left_is_passed_over_then_dropped_and_told(
    archive: Archive, torn: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    first = archive.record(document(archive, b"1"))
    file = archive.directory / "documents" / "2024-07.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + torn)
    assert list(archive.documents()) == [first]
    with caplog.at_level(logging.WARNING):
        second = archive.record(document(archive, b"2"))
    assert f"{len(torn)} bytes were dropped" in caplog.text
    assert list(archive.documents()) == [first, second]
    assert file.read_bytes().startswith(whole)


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(min_value=0, max_value=4000))
def test_wherever_a_file_is_cut_the_whole_lines_before_remain(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    archive = Archive(tmp_path_factory.mktemp("archive"))
    recorded = [archive.record(document(archive, f"{number}".encode())) for number in range(4)]
    file = archive.directory / "documents" / "2024-07.jsonl"
    kept = file.read_bytes()[:cut]
    file.write_bytes(kept)
    last = archive.record(document(archive, b"last"))
    assert list(archive.documents()) == [*recorded[: kept.count(b"\n")], last]


@pytest.mark.parametrize("replacement", [b"p-2", b"p-\xff"])
def test_an_altered_line_is_found(archive: Archive, replacement: bytes) -> None:
    archive.record(document(archive, b"1"))
    file = archive.directory / "documents" / "2024-07.jsonl"
    file.write_bytes(file.read_bytes().replace(b"p-1", replacement))
    with pytest.raises(StorageError, match=r"Line 1 of .*2024-07"):
        list(archive.documents())
    assert [damage.path for damage in archive.verify()] == [file]


def test_an_altered_blob_is_found_by_its_hash(archive: Archive) -> None:
    blob = archive.store_bytes(b"100.00")
    path = archive.directory / blob.sha256[:2] / blob.sha256
    path.write_bytes(b"900.00")
    with pytest.raises(StorageError, match=blob.sha256):
        archive.open_blob(blob.sha256)
    assert [damage.path for damage in archive.verify()] == [path]


def test_a_blob_of_another_length_is_not_taken_for_kept(archive: Archive, tmp_path: Path) -> None:
    blob = archive.store_bytes(b"abc")
    (archive.directory / blob.sha256[:2] / blob.sha256).write_bytes(b"ab")
    with pytest.raises(StorageError, match="2 bytes instead of 3"):
        archive.store_bytes(b"abc")


def test_a_missing_blob_is_found(archive: Archive) -> None:
    recorded = archive.record(document(archive, b"1", b"2"))
    path = archive.directory / recorded.parts[1].sha256[:2] / recorded.parts[1].sha256
    path.unlink()
    assert [(damage.path, damage.problem) for damage in archive.verify()] == [(path, "it is missing")]
    with pytest.raises(StorageError):
        archive.open_blob(recorded.parts[1].sha256)


def test_a_whole_archive_has_no_damage(archive: Archive) -> None:
    archive.record(document(archive, b"1", b"2"))
    assert archive.verify() == []


def test_an_archive_that_was_never_written_is_empty(archive: Archive) -> None:
    assert list(archive.documents()) == []
    assert archive.verify() == []


def test_processes_at_once_lose_no_document(archive: Archive) -> None:
    def record_thirty(first: int) -> None:
        for number in range(first, first + 30):
            archive.record(document(archive, f"{number}".encode()))

    children = [multiprocessing.get_context("fork").Process(target=record_thirty, args=(30 * n,)) for n in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    kept = {archive.open_blob(item.sha256) for item in archive.documents()}
    assert kept == {f"{number}".encode() for number in range(120)}


def test_an_archive_belongs_to_one_world(archive: Archive) -> None:
    archive.bind_world(WORLD)
    Archive(archive.directory).bind_world(WORLD)
    with pytest.raises(SettingsError) as caught:
        archive.bind_world(WorldIdentity("production", "https://api.business.jiko.io", "jiko"))
    assert caught.value.exit_code == ExitCode.CREDENTIALS_OR_SETTINGS
    assert "the simulated bank" in str(caught.value)
    assert "the production bank at https://api.business.jiko.io" in str(caught.value)


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(StorageError, match="file"):
        Archive(tmp_path / "file" / "archive").store_bytes(b"1")


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63])
def test_a_blob_has_no_other_name_than_a_hash(archive: Archive, name: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        archive.open_blob(name)


def test_documents_of_some_kinds_or_about_some_days_are_those_that_reading_all_would_find(archive: Archive) -> None:
    first, last = date(2024, 6, 10), date(2024, 6, 12)
    for number, (kind, days) in enumerate(
        (kind, days)
        for kind in ("BANK_STATEMENT", "POCKETS", "EARNINGS")
        for days in [(None, None), *((date(2024, 6, day), date(2024, 6, day + 2)) for day in range(6, 16))]
    ):
        pocket = f'p "{number}"' if number % 2 else None
        archive.record(document(archive, b"%d" % number, kind=kind, first=days[0], last=days[1], pocket_id=pocket))
    everything = list(archive.documents())
    about = [one for one in everything if one.first is None or (one.first <= last and first <= (one.last or last))]
    assert 3 < len(about) < len(everything)
    assert list(archive.documents(overlapping=(first, last))) == about
    assert list(archive.documents(kinds=["EARNINGS"])) == [one for one in everything if one.kind == "EARNINGS"]
    both = [one for one in about if one.kind == "POCKETS"]
    assert list(archive.documents(kinds=["POCKETS"], overlapping=(first, last))) == both
