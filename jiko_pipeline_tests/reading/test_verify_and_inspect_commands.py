"""`jiko verify` over the archive and `jiko inspect` on its files."""

import hashlib
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from jiko_pipeline.archive import Archive, Document
from jiko_pipeline.errors import ExitCode
from jiko_pipeline_tests.reading.jiko_runs import Directory


def _files(directory: Directory, kind: str) -> list[tuple[Document, Path]]:
    archive = directory.data_dir / "archive"
    return [
        (document, archive / document.parts[0].sha256[:2] / document.parts[0].sha256)
        for document in Archive(archive).documents()
        if document.kind == kind
    ]


def test_a_whole_archive_is_verified_without_network(clean: Directory) -> None:
    answer = clean.jiko_without_network("verify")
    assert (answer.code, answer.err) == (ExitCode.OK, "")
    assert re.fullmatch(r"Every file of \d+ archived documents has the hash it was named by\.\n", answer.out)
    told = clean.jiko("verify", "--json").json
    assert told == {"documents": len(list(Archive(clean.data_dir / "archive").documents())), "damaged": []}


@pytest.mark.fault_rows(123)
def test_one_altered_byte_is_30_and_the_file_is_named(
    clean: Directory, copy_of: Callable[[Directory], Directory]
) -> None:
    directory = copy_of(clean)
    _, file = _files(directory, "BANK_STATEMENT")[0]
    body = bytearray(file.read_bytes())
    body[len(body) // 2] ^= 1
    file.write_bytes(body)
    answer = directory.jiko_without_network("verify")
    assert answer.code == ExitCode.NOT_PROVED
    assert answer.err == f"{file}: its bytes do not have the hash that names it\n"
    told = directory.jiko("verify", "--json")
    assert told.code == ExitCode.NOT_PROVED
    assert [damage["path"] for damage in told.json["damaged"]] == [str(file)]


def test_a_missing_file_and_an_altered_line_are_30_and_both_are_named(
    clean: Directory, copy_of: Callable[[Directory], Directory]
) -> None:
    directory = copy_of(clean)
    _, file = _files(directory, "POSITION")[0]
    file.unlink()
    (lines,) = (directory.data_dir / "archive" / "documents").glob("*.jsonl")
    text = lines.read_text()
    lines.write_text(text.replace('"kind":"SECURITY_PRICE"', '"kind":"SECURITY_PRICF"', 1))
    answer = directory.jiko("verify")
    assert answer.code == ExitCode.NOT_PROVED
    assert f"{file}: it is missing" in answer.complaint
    assert any(line.startswith(f"{lines}: line ") for line in answer.complaint)
    assert "Traceback" not in answer.err


def test_a_statement_of_the_archive_is_inspected_without_network(clean: Directory) -> None:
    document, file = _files(clean, "BROKERAGE_STATEMENT")[0]
    answer = clean.jiko_without_network("inspect", str(file))
    assert (answer.code, answer.err) == (ExitCode.OK, "")
    assert "camt.053 version 08" in answer.out
    assert "foots" in answer.out
    assert document.pocket_id is not None
    assert document.pocket_id.replace("-", "") in answer.out
    assert answer.out.splitlines()[-1] == "1 file read"


def test_inspect_as_json_agrees_with_what_was_published(clean: Directory) -> None:
    files = _files(clean, "BROKERAGE_STATEMENT")
    answer = clean.jiko("inspect", "--json", *(str(file) for _, file in files))
    assert answer.code == ExitCode.OK
    assert len(answer.json) == len(files) == 16
    with duckdb.connect(str(clean.data_dir / "treasury.duckdb"), read_only=True) as con:
        published = {
            (pocket_id.replace("-", ""), str(day)): (opening, closing)
            for pocket_id, day, opening, closing in con.execute(
                "select pocket_id, business_date, opening_value, closing_value from mart.daily_close"
            ).fetchall()
        }
    for (document, file), told in zip(files, answer.json, strict=True):
        assert set(told) == {"file", "sha256", "kind", "version", "error", "statements"}
        assert (told["file"], told["kind"], told["version"], told["error"]) == (str(file), "CAMT053", "08", None)
        assert told["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest() == document.parts[0].sha256
        (statement,) = told["statements"]
        assert set(statement) == {
            "id",
            "account",
            "currency",
            "opening",
            "closing",
            "entries",
            "details",
            "net_booked",
            "foots",
            "findings",
        }
        opening, closing = statement["opening"], statement["closing"]
        assert (opening["code"], closing["code"], closing["date"]) == ("OPBD", "CLBD", str(document.last))
        assert published[statement["account"], closing["date"]] == (
            Decimal(opening["amount"]),
            Decimal(closing["amount"]),
        )
        assert Decimal(closing["amount"]) - Decimal(opening["amount"]) == Decimal(statement["net_booked"])
        assert (statement["currency"], statement["foots"], statement["findings"]) == ("USD", True, [])
        assert statement["entries"] == statement["details"]


@pytest.mark.parametrize("kind", ["TRADE_REPORT_CSV", "TRADE_REPORT_KYRIBA_CSV", "SECURITY_PRICE", "POSITION"])
def test_a_report_of_the_archive_is_inspected(kind: str, clean: Directory) -> None:
    _, file = _files(clean, kind)[0]
    answer = clean.jiko("inspect", "--json", str(file))
    assert answer.code == ExitCode.OK
    (told,) = answer.json
    assert (told["kind"], told["error"], told["statements"], told["rejected"]) == (kind, None, [], [])
    assert told["rows_in_document"] == len(file.read_text().splitlines()) - 1 > 0
    assert clean.jiko("inspect", str(file)).code == ExitCode.OK


def test_a_refused_file_is_30_and_the_others_are_read_all_the_same(quarantined: Directory, tmp_path: Path) -> None:
    statements = _files(quarantined, "BANK_STATEMENT")
    readable = next(file for _, file in statements if file.read_bytes().rstrip().endswith(b"</Document>"))
    (cut_off,) = (file for _, file in statements if not file.read_bytes().rstrip().endswith(b"</Document>"))
    nothing, missing = tmp_path / "nothing.xml", tmp_path / "missing.xml"
    nothing.write_bytes(b"")
    answer = quarantined.jiko("inspect", "--json", *map(str, (readable, cut_off, nothing, missing)))
    assert answer.code == ExitCode.NOT_PROVED
    errors = [told["error"] for told in answer.json]
    assert errors[0] is None
    assert all(set(error) == {"code", "message"} for error in errors[1:])
    assert errors[3]["code"] == "UNREADABLE_FILE"
    for_people = quarantined.jiko("inspect", *map(str, (readable, cut_off, nothing, missing)))
    assert for_people.code == ExitCode.NOT_PROVED
    assert for_people.out.splitlines()[-1].startswith("4 files: 1 read, 3 refused")
    assert "Traceback" not in for_people.err


def test_inspect_needs_no_data_directory_and_makes_none(clean: Directory, tmp_path: Path) -> None:
    _, file = _files(clean, "BANK_STATEMENT")[0]
    elsewhere = Directory(tmp_path / "nothing", tmp_path)
    assert elsewhere.jiko_without_network("inspect", str(file)).code == ExitCode.OK
    assert list(tmp_path.iterdir()) == []
