"""`jiko inspect` on many files: one table that a person can read, and files for other programs."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from decimal import Decimal
from functools import cache
from itertools import islice
from pathlib import Path

import polars as pl
import pytest
from lxml import etree

from jiko_pipeline.calendars import fed_business_days
from jiko_pipeline.cli.conversion import ConversionError
from jiko_pipeline.cli.inspect_command import inspect_files
from jiko_pipeline.formats.frames import FRAMES
from jiko_pipeline.simulator.documents import camt053 as camt_writer
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.world import World
from jiko_pipeline_tests.formats.golden_statement import render
from jiko_pipeline_tests.formats.test_camt053_hostile import HOSTILE
from jiko_pipeline_tests.formats.test_camt053_pitfalls import balance, document, entry, statement
from jiko_pipeline_tests.formats.test_delimited import TRADE, csv_of
from jiko_pipeline_tests.formats.test_delimited_damage import FIRST, LAST, MADE_AT, bodies
from jiko_pipeline_tests.formats.test_pages import page, transaction

FILES = 200
SMALL_HOSTILE = {name: body for name, (body, _) in HOSTILE.items() if len(body) < 100_000}
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\ttab", "\rreturn")


SMALL = document(
    statement(
        balance("OPBD", "1.00"),
        balance("CLBD", "1234.50"),
        entry("1233.50"),
        entry("7.00", status="<Sts>PDNG</Sts>"),
        account="DE89370400440532013000",
    )
)
"""A statement that foots, with a pending entry."""


@cache
def sound() -> dict[str, bytes]:
    """Documents that are what they should be, by file name."""
    world = World(WorldConfig())
    made = {f"golden-{version}.xml": render(version) for version in ("02", "08", "14")}
    for pocket in world.pockets(LAST):
        for day in fed_business_days(max(FIRST, pocket.opened_on), min(LAST, pocket.closed_on or LAST)):
            for facts in (world.bank_statement(pocket.id, day), world.brokerage_statement(pocket.id, day)):
                assert facts is not None
                written = camt_writer.render(facts, version="08", message_id="m", created_at=MADE_AT)
                made[f"{pocket.name} {day} {len(made)}.xml"] = written
    made |= {f"{kind}.csv": body for kind, body in bodies().items()}
    return {**made, "transactions.json": page(transaction())}


@cache
def broken() -> dict[str, bytes]:
    """Documents that no reader takes, by file name."""
    cuts = {f"cut {kind}.csv": body[: len(body) // 2] for kind, body in bodies().items()}
    others = {"report.pdf": b"%PDF-1.7", "page.html": b"<!doctype html><p>Sign in", "empty": b"", "a.gz": b"\x1f\x8b"}
    return {f"{name}.xml": body for name, body in SMALL_HOSTILE.items()} | cuts | others


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """200 mixed files, most of them in a folder of their own; real statements among them where they are at hand."""
    try:
        corpus_files = sorted((request.getfixturevalue("corpus") / "corpus").glob("*.xml"))
    except pytest.skip.Exception:
        corpus_files = []
    root = tmp_path / "inbox"
    (root / "older").mkdir(parents=True)
    bad = list(broken().items())
    real = [(path.name, path.read_bytes()) for path in corpus_files[:60]]
    good = list(islice(sound().items(), FILES - len(bad) - len(real)))
    for number, (name, body) in enumerate([*good, *bad, *real]):
        (root / ("older" if number % 3 else ".") / name.replace("/", " ")).write_bytes(body)
    assert sum(path.is_file() for path in root.rglob("*")) == FILES
    return root


def shown(capsys: pytest.CaptureFixture[str], *paths: Path, width: int | None = None) -> tuple[int, list[str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COLUMNS", raising=False)
        if width is not None:
            patch.setenv("COLUMNS", str(width))
        code = inspect_files(paths, json_output=False)
    return code, capsys.readouterr().out.splitlines()


def test_200_mixed_files_are_read_in_one_table_with_a_line_each(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = shown(capsys, folder)
    assert code == 30
    heading = next(place for place, line in enumerate(lines) if line.startswith("file "))
    rows = lines[heading + 1 : heading + 1 + FILES]
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    assert sorted(row.partition("  ")[0] for row in rows) == sorted(" ".join(name.split()) for name in names)
    count = lines[-1]
    assert count.startswith(f"{FILES} files: ")
    assert len(lines) <= heading + 1 + FILES + 2
    for name in broken():
        (row,) = [row for row in rows if row.removeprefix("older/").startswith(f"{name.replace('/', ' ')} ")]
        assert ": " in row, row


def test_the_table_and_the_json_refuse_the_same_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inspect_files([folder], json_output=True) == 30
    found = json.loads(capsys.readouterr().out)
    assert len(found) == FILES
    refused = [each for each in found if each["error"]]
    assert len(refused) >= len(broken())
    _, lines = shown(capsys, folder)
    assert f"{FILES - len(refused)} read, {len(refused)} refused" in lines[-1]


@pytest.mark.parametrize("width", [100, 200])
def test_no_line_is_wider_than_the_terminal_and_no_figure_is_shortened(
    folder: Path, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    _, whole = shown(capsys, folder)
    _, fitted = shown(capsys, folder, width=width)
    heading = next(place for place, line in enumerate(whole) if line.startswith("file "))
    rows = slice(heading, heading + FILES)
    assert max(len(line) for line in fitted[rows]) <= width
    amounts = {word for line in whole[rows] for word in line.split() if word[-3:-2] == "." and "," in word}
    assert amounts
    assert amounts <= {word for line in fitted[rows] for word in line.split()}


def test_a_line_says_account_day_entries_net_footing_and_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.xml").write_bytes(SMALL)
    (tmp_path / "b.xml").write_bytes(document(statement(balance("OPBD"), balance("CLBD", "2.00"), entry("1.00"))))
    bad = {**TRADE, "Trade Reference": "t-2", "Trade Date": "2024-06-05", "Price": "x"}
    (tmp_path / "c.csv").write_bytes(
        csv_of(TRADE, bad, {**TRADE, "Trade Reference": "t-3", "Trade Date": "2024-06-07"})
    )
    (tmp_path / ".hidden").write_bytes(b"?")
    code, lines = shown(capsys, tmp_path)
    assert code == 0
    rows = {line.split()[0]: line.split() for line in lines if line[1:2] == "."}
    assert rows["a.xml"][1:3] == ["camt.053.08", "DE89370400440532013000"]
    assert rows["a.xml"][-4:] == ["2", "1,233.50", "USD", "yes"]
    assert rows["b.xml"][-2:] == ["no", "1W"]
    assert rows["c.csv"] == ["c.csv", "trade_report_csv", TRADE["Pocket ID"], "2024-06-03/06-07", "3", "1R"]
    assert lines[-1] == "3 files read"


def test_an_empty_folder_and_an_absent_file_are_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = shown(capsys, tmp_path, tmp_path / "absent")
    assert code == 30
    assert any("UNREADABLE_FILE: The folder holds no file." in line for line in lines)
    assert any("UNREADABLE_FILE: The file cannot be read: No such file or directory." in line for line in lines)


def test_the_name_of_a_file_cannot_command_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a\x1b[31m\nb.xml", "[bold]\u202e.csv"):
        (tmp_path / name).write_bytes(b"?")
    _, lines = shown(capsys, tmp_path)
    assert any("[bold]" in line for line in lines)
    assert not any(sign in line for line in lines for sign in ("\x1b", "\u202e"))


def test_parquet_holds_every_frame_typed_and_the_file_of_each_row(tmp_path: Path) -> None:
    for name in ("a.xml", "b.xml"):
        (tmp_path / name).write_bytes(SMALL)
    target = tmp_path / "out.parquet"
    assert inspect_files([tmp_path], json_output=False, target=target) == 0
    entries = pl.read_parquet(target)
    assert entries.drop("file").schema == FRAMES["statement_entry"].schema
    assert entries["file"].to_list() == [str(tmp_path / "a.xml")] * 2 + [str(tmp_path / "b.xml")] * 2
    assert entries["signed_amount"].sum() == Decimal("2481.00")
    balances = pl.read_parquet(tmp_path / "out.statement_balance.parquet")
    assert balances.drop("file").schema == FRAMES["statement_balance"].schema
    assert balances.height == 4
    assert not (tmp_path / "out.statement_interest.parquet").exists()


@pytest.mark.fault_rows(92)
def test_in_csv_a_text_that_a_spreadsheet_would_obey_is_inert_and_numbers_stay_numbers(tmp_path: Path) -> None:
    source, target = tmp_path / "a.xml", tmp_path / "out.csv"
    source.write_bytes(
        document(statement(entry("5.00", sign="DBIT"))).replace(b"<Ntry>", b"<Ntry><NtryRef>=1+1</NtryRef>")
    )
    assert inspect_files([source], json_output=False, target=target) == 0
    (row,) = csv.DictReader(io.StringIO(target.read_text()))
    assert (row["signed_amount"], row["entry_reference"]) == ("-5.00", "'=1+1")


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.fault_rows(92)
def test_in_csv_every_sign_that_begins_a_formula_gets_an_apostrophe(tmp_path: Path, text: str) -> None:
    source, target = tmp_path / "a.csv", tmp_path / "out.csv"
    source.write_bytes(csv_of({**TRADE, "Custodian": text}))
    assert inspect_files([source], json_output=False, target=target) == 0
    (row,) = csv.DictReader(io.StringIO(target.read_bytes().decode(), newline=""))
    assert (row["custodian"], row["price"]) == (f"'{text}", "99.512345")


def cells(path: Path, sheet: int) -> list[tuple[str, str]]:
    """(type, value) of each cell of a sheet, as they stand in the workbook."""
    with zipfile.ZipFile(path) as archive:
        root = etree.fromstring(archive.read(f"xl/worksheets/sheet{sheet}.xml"))
    found = []
    for cell in root.iter("{*}c"):
        assert cell.find("{*}f") is None
        found.append((cell.get("t", "n"), "".join(str(text) for text in cell.itertext())))
    return found


@pytest.mark.fault_rows(92)
def test_a_workbook_has_a_sheet_a_frame_with_typed_cells_and_no_formulas(tmp_path: Path) -> None:
    source, target = tmp_path / "a.csv", tmp_path / "out.xlsx"
    huge = {**TRADE, "Trade Reference": "t-2", "Amount": "123456789012345.67", "Custodian": "http://127.0.0.1/"}
    source.write_bytes(csv_of({**TRADE, "Custodian": "=1+1", "Issuer": "00123"}, huge))
    assert inspect_files([source], json_output=False, target=target) == 0
    found = cells(target, 1)
    assert ("inlineStr", "=1+1") in found
    assert ("inlineStr", "00123") in found
    assert ("inlineStr", "http://127.0.0.1/") in found
    assert ("n", "995.12") in found
    assert ("inlineStr", "123456789012345.67") in found
    assert ("n", "45446") in found, "3 June 2024 as a sheet counts days"


def test_a_workbook_of_a_statement_begins_with_the_entries(tmp_path: Path) -> None:
    source, target = tmp_path / "a.xml", tmp_path / "out.xlsx"
    source.write_bytes(render("08"))
    assert inspect_files([source], json_output=False, target=target) == 0
    with zipfile.ZipFile(target) as archive:
        sheets = [each.get("name") for each in etree.fromstring(archive.read("xl/workbook.xml")).iter("{*}sheet")]
    assert sheets[:4] == ["statement_entry", "statement", "statement_balance", "statement_entry_detail"]
    assert ("inlineStr", "entry_seq") in cells(target, 1)


def test_a_text_too_long_for_a_cell_is_refused_and_no_file_left(tmp_path: Path) -> None:
    source, target = tmp_path / "a.csv", tmp_path / "out.xlsx"
    source.write_bytes(csv_of({**TRADE, "Custodian": "x" * 40_000}))
    with pytest.raises(ConversionError, match="row 2 of trade_report has 40,000 characters"):
        inspect_files([source], json_output=False, target=target)
    assert list(tmp_path.iterdir()) == [source]


def test_a_file_that_exists_is_written_over_only_when_forced(tmp_path: Path) -> None:
    source, target = tmp_path / "a.xml", tmp_path / "out.csv"
    source.write_bytes(SMALL)
    beside = tmp_path / "out.statement_interest.csv"
    for existing in (target, beside):
        existing.write_text("of another time")
        with pytest.raises(ConversionError, match="exists"):
            inspect_files([source], json_output=False, target=target)
        assert existing.read_text() == "of another time"
        existing.unlink()
    target.write_text("of another time")
    beside.write_text("of another time")
    assert inspect_files([source], json_output=False, target=target, force=True) == 0
    assert target.read_text().startswith("file,statement_seq,")
    assert beside.read_text().count("\n") == 1


def test_a_file_that_is_read_is_never_written_over(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_bytes(csv_of(TRADE))
    with pytest.raises(ConversionError, match="is one of the files to read"):
        inspect_files([tmp_path], json_output=False, target=source, force=True)
    assert source.read_bytes() == csv_of(TRADE)


def test_of_several_files_those_that_can_be_read_are_converted_and_the_exit_code_tells_of_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox, target = tmp_path / "inbox", tmp_path / "out.parquet"
    inbox.mkdir()
    (inbox / "a.xml").write_bytes(render("08"))
    (inbox / "b.xml").write_bytes(render("08")[:900])
    (inbox / "c.xml").write_bytes(document(statement(entry("1.005"))))
    assert inspect_files([inbox], json_output=False, target=target) == 30
    assert pl.read_parquet(target)["file"].unique().to_list() == [str(inbox / "a.xml")]
    assert "c.xml is not converted: AMOUNT_EXCESS_DIGITS" in capsys.readouterr().err


def test_the_command_works_on_its_own_in_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(render("08"))
    (tmp_path / "b.csv").write_bytes(csv_of(TRADE))
    command = [sys.executable, "-m", "jiko_pipeline", "inspect", "a.xml", "b.csv", "--to", "out.xlsx"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JIKO_")}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, "2 files read")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.xml", "b.csv", "out.xlsx"]
    again = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert again.stderr.splitlines() == [
        "'out.xlsx' exists.",
        "No file was written.",
        "Name another file by --to, or add --force.",
    ]
