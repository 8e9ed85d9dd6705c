"""`jiko inspect`: any file, for a person or as JSON, and an exit code that a script can use."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jiko_pipeline.cli.inspect_command import inspect_files
from jiko_pipeline.formats import readers
from jiko_pipeline.formats.readers import READERS, identify
from jiko_pipeline.formats.reading import Expectation, RefusedDocumentError
from jiko_pipeline_tests.formats import test_delimited as csv_samples
from jiko_pipeline_tests.formats.golden_statement import render
from jiko_pipeline_tests.formats.test_camt053_pitfalls import balance, document, entry, statement
from jiko_pipeline_tests.formats.test_pages import page, trade_v2, transaction

MONTHLY = {"id": "m", "jiko_account_id": "p", "type": "BANK", "key": "2024-06", "time_created": "2024-07-01T00:00:00Z"}
POCKET = {"id": "p", "pocket_name": "n", "status": "OPEN"}
TRADE_V1 = {**trade_v2(), "jiko_account_id": "p", "is_settled": True}
del TRADE_V1["pocket_id"], TRADE_V1["status"]

SAMPLES: dict[str, bytes] = {
    "CAMT053": render("08"),
    "API_TRANSACTIONS": page(transaction()),
    "API_TRADES": page(trade_v2()),
    "API_TRADES_V1": page(TRADE_V1),
    "POCKETS": page(POCKET),
    "MONTHLY_STATEMENTS": page(MONTHLY),
    **{
        contract.kind: csv_samples.csv_of(row, separator=contract.separator)
        for contract, _, row in csv_samples.KINDS.values()
    },
}


def inspected(tmp_path: Path, capsys: pytest.CaptureFixture[str], **files: bytes) -> tuple[int, list[dict[str, Any]]]:
    paths = []
    for name, body in files.items():
        path = tmp_path / name
        path.write_bytes(body)
        paths.append(path)
    code = inspect_files(paths, json_output=True)
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_kind_of_a_body_is_told_from_its_bytes_and_its_reader_reads_it(kind: str) -> None:
    assert identify(SAMPLES[kind]) == kind
    reading = READERS[kind]([SAMPLES[kind]], Expectation())
    assert reading.rows_in_document >= 1
    assert reading.rejected == ()


@pytest.mark.parametrize("body", [b"", b"hello\n", b"%PDF-1.7", b"[]", b"{}", b"a,b\n1,2\n", page(), b"\x1f\x8b"])
def test_a_body_of_no_kind_is_none(body: bytes) -> None:
    assert identify(body) is None


def test_a_single_document_in_two_parts_is_refused() -> None:
    with pytest.raises(RefusedDocumentError):
        readers.READERS["BANK_STATEMENT"]([render("08"), render("08")], Expectation())


def test_the_json_says_what_stands_in_a_statement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = render("08")
    code, (found,) = inspected(tmp_path, capsys, golden=body)
    assert code == 0
    assert found == {
        "file": str(tmp_path / "golden"),
        "sha256": hashlib.sha256(body).hexdigest(),
        "kind": "CAMT053",
        "version": "08",
        "error": None,
        "statements": [
            {
                "id": "STMT-1",
                "account": "DE89370400440532013000",
                "currency": "EUR",
                "opening": {"code": "OPBD", "amount": "1000.00", "date": "2024-06-02"},
                "closing": {"code": "CLBD", "amount": "1089.80", "date": "2024-06-03"},
                "entries": 4,
                "details": 6,
                "net_booked": "89.80",
                "foots": True,
                "findings": [],
            }
        ],
    }


def test_an_amount_that_the_pipeline_refuses_is_still_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = document(statement(balance("OPBD", "1.00005"), balance("CLBD", "2.00005"), entry("1.00000")))
    code, (found,) = inspected(tmp_path, capsys, fine=body)
    (read,) = found["statements"]
    assert (code, read["opening"]["amount"], read["foots"]) == (0, "1.00005", True)
    assert {(f["code"], f["severity"]) for f in read["findings"]} >= {("AMOUNT_EXCESS_DIGITS", "error")}


def test_findings_have_code_severity_message_and_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = document(statement(balance("OPBD"), balance("CLBD", "2.00"), entry("1.00")))
    _, (found,) = inspected(tmp_path, capsys, f=body)
    (finding,) = found["statements"][0]["findings"]
    assert (finding["code"], finding["severity"], finding["locator"]) == ("FOOTING", "warning", "Stmt[1]")
    assert "2.00" in finding["message"]


def test_a_refused_file_makes_the_exit_code_30_and_the_others_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = inspected(tmp_path, capsys, good=render("02"), cut=render("02")[:700], odd=b"what?\n")
    assert code == 30
    assert [each["error"] and each["error"]["code"] for each in found] == [None, "NOT_WELL_FORMED", "UNKNOWN_KIND"]
    assert "line 2" in found[1]["error"]["message"]


def test_a_file_that_is_not_there_is_refused_and_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inspect_files([tmp_path / "absent", tmp_path], json_output=True) == 30
    found = json.loads(capsys.readouterr().out)
    assert [each["error"]["code"] for each in found] == ["UNREADABLE_FILE", "UNREADABLE_FILE"]
    assert found[0]["sha256"] is None


def test_reports_are_shown_with_rows_rejected_rows_and_totals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trade = csv_samples.TRADE
    body = csv_samples.csv_of(trade, {**trade, "Trade Reference": "t-2", "Amount": "x"})
    code, (found,) = inspected(tmp_path, capsys, trades=body)
    assert (code, found["kind"], found["rows"], found["rows_in_document"]) == (
        0,
        "TRADE_REPORT_CSV",
        {"trade_report": 1},
        2,
    )
    assert [(row["code"], row["locator"]) for row in found["rejected"]] == [("BAD_NUMBER", "line 3")]
    assert found["totals"] == [{"frame": "trade_report", "of": "BUY", "rows": 1, "sum": "995.12"}]


def test_a_person_reads_balances_footing_entries_and_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "golden.xml"
    path.write_bytes(render("08"))
    cut = tmp_path / "cut.xml"
    cut.write_bytes(render("08")[:900])
    assert inspect_files([path, cut], json_output=False, entries=True) == 30
    shown = capsys.readouterr().out
    for words in ("1,000.00 (OPBD", "1,089.80 (CLBD", "foots", "4 entries with 6 details", "-11.50", "SVC-N2"):
        assert words in shown
    assert "refused (NOT_WELL_FORMED)" in shown
    assert "2 files: 1 read, 1 refused (NOT_WELL_FORMED 1)" in shown


@pytest.mark.fault_rows(93)
def test_what_a_file_says_cannot_command_the_terminal_or_the_markup(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x"
    path.write_bytes(document(statement(entry(), account="[red]\u202ex\x9b31m")))
    inspect_files([path], json_output=False)
    shown = capsys.readouterr().out
    assert "[red]" in shown
    assert "\u202e" not in shown
    assert "\x9b" not in shown


def test_inspect_needs_no_database_no_network_and_no_scheduler() -> None:
    program = (
        "import sys; import jiko_pipeline.cli.inspect_command; "
        "sys.exit(any(name in sys.modules for name in ('duckdb', 'dagster', 'httpx')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
