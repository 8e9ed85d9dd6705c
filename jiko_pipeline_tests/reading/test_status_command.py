"""`jiko status`, and what every command does in a directory that has nothing or is none."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from jiko_pipeline.bank.contract import OutputFormat, ReportType
from jiko_pipeline.bank.order_book import OrderBook
from jiko_pipeline.bank.report_requests import ReportPull
from jiko_pipeline.errors import ExitCode
from jiko_pipeline_tests.reading.jiko_runs import Answer, Directory

READING_COMMANDS = (["status"], ["breaks"], ["sql", "select 1"], ["verify"], ["verify", "--hashes"])


def _lines(answer: Answer) -> dict[str, str]:
    pairs = (line.partition(":") for line in answer.out.splitlines())
    return {name: value.strip() for name, _, value in pairs}


def test_the_sync_that_made_the_directory_said_ready(clean_sync: tuple[Directory, Answer]) -> None:
    directory, answer = clean_sync
    assert answer.code == ExitCode.OK, answer.err
    lines = answer.out.splitlines()
    assert [line.startswith("READY ") and ": 8 of 8 days ready to book, USD " in line for line in lines[:2]] == [
        True
    ] * 2
    assert lines[2:] == [f"Published: {directory.data_dir / 'treasury.duckdb'}"]


def test_status_of_a_clean_directory_is_0_and_needs_no_network(clean: Directory) -> None:
    answer = clean.jiko_without_network("status")
    assert (answer.code, answer.err) == (ExitCode.OK, "")
    lines = _lines(answer)
    assert lines["last good business date"] == lines["last business date landed"] == "2024-06-12"
    assert lines["next"].startswith("2024-06-13 (")
    assert lines["missing between"] == "none"
    assert lines["open breaks"] == lines["in quarantine"] == lines["reports pending"] == "0"
    assert lines["published"].startswith(str(clean.data_dir / "treasury.duckdb"))


def test_status_as_json_has_dates_and_counts(clean: Directory) -> None:
    answer = clean.jiko("status", "--json")
    assert answer.code == ExitCode.OK
    told = answer.json
    assert told["first_date"] == "2024-06-03"
    assert told["last_good_date"] == told["last_date"] == "2024-06-12"
    assert told["next_date"] == "2024-06-13"
    assert told["missing_dates"] == told["pending"] == []
    assert (told["open_breaks"], told["quarantined"], told["not_ready"], told["exit_code"]) == (0, 0, 0, 0)
    assert datetime.fromisoformat(told["published_at"]).utcoffset() is not None


def test_status_with_open_breaks_is_10_and_counts_them_by_severity_and_age(broken: Directory) -> None:
    answer = broken.jiko_without_network("status")
    assert answer.code == ExitCode.BREAKS_OPEN, answer.err
    lines = _lines(answer)
    assert lines["last good business date"] == "2024-06-11"
    assert lines["pocket-days not ready"] == "1"
    assert lines["open breaks"] == "3 (2 S1, 1 S2; by age in business days: 0: 3)"
    told = broken.jiko("status", "--json").json
    assert (told["breaks_by_severity"], told["breaks_by_age"]) == ({"S1": 2, "S2": 1}, {"0": 3})


def test_status_with_a_quarantined_document_is_30(quarantined: Directory) -> None:
    answer = quarantined.jiko_without_network("status")
    assert answer.code == ExitCode.NOT_PROVED, answer.err
    assert _lines(answer)["in quarantine"] == "1"


def test_status_with_an_undelivered_report_is_20_and_names_it(
    clean: Directory, copy_of: Callable[[Directory], Directory]
) -> None:
    directory = copy_of(clean)
    pull = ReportPull(ReportType.SECURITY_PRICE, (OutputFormat.KYRIBA_CSV,), None, date(2024, 6, 13), date(2024, 6, 13))
    ordered = datetime(2024, 6, 14, 10, 30, tzinfo=UTC)
    with OrderBook(directory.data_dir / "bank" / "orders.sqlite") as book:
        book.claim(pull, ordered)
        book.record_order(pull, "4f9d8a52-6f0e-4d0c-9d51-3f0c0a5f1f10", ordered, ordered)
    answer = directory.jiko_without_network("status")
    assert answer.code == ExitCode.TRY_LATER, answer.err
    assert f"  pending since 2024-06-14 10:30 UTC: {pull.title}" in answer.out.splitlines()
    assert directory.jiko("status", "--json").json["pending"] == [
        {"title": pull.title, "since": "2024-06-14T10:30:00+00:00"}
    ]


@pytest.mark.fault_rows(107)
def test_status_names_a_business_day_that_is_missing_between(
    clean: Directory, copy_of: Callable[[Directory], Directory]
) -> None:
    directory = copy_of(clean)
    file = directory.data_dir / "treasury.duckdb"
    file.chmod(0o600)
    with duckdb.connect(str(file)) as con:
        con.execute("delete from mart.daily_close where business_date = date '2024-06-06'")
    assert _lines(directory.jiko("status"))["missing between"] == "2024-06-06"


@pytest.mark.parametrize("command", READING_COMMANDS, ids=" ".join)
def test_a_directory_without_data_is_50_and_says_what_to_do(command: list[str], tmp_path: Path) -> None:
    answer = Directory(tmp_path / "nothing", tmp_path).jiko_without_network(*command)
    assert (answer.code, answer.out) == (ExitCode.STORAGE, "")
    assert len(answer.complaint) == 3
    assert str(tmp_path / "nothing") in answer.complaint[0]
    assert answer.complaint[2] == "Run `jiko sync` or `jiko demo` first."
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("command", READING_COMMANDS, ids=" ".join)
def test_a_wrong_setting_is_40_and_says_which(command: list[str], clean: Directory) -> None:
    answer = clean.jiko(*command, JIKO_CUTOFF_HOUR="soon")
    assert (answer.code, answer.out) == (ExitCode.CREDENTIALS_OR_SETTINGS, "")
    assert len(answer.complaint) == 3
    assert "JIKO_CUTOFF_HOUR" in answer.complaint[0]
    assert "soon" not in answer.err


def test_an_unknown_command_is_2(clean: Directory) -> None:
    answer = clean.jiko("statsu")
    assert answer.code == ExitCode.USAGE
    assert "No such command 'statsu'" in answer.err
    assert "Traceback" not in answer.err


def test_an_unknown_option_and_a_wrong_date_are_2(clean: Directory) -> None:
    for arguments in (["status", "--yaml"], ["sync", "--date", "yesterday"], ["sync", "--from", "2024-06-03"]):
        answer = clean.jiko(*arguments)
        assert answer.code == ExitCode.USAGE, arguments
        assert "Traceback" not in answer.err


def test_help_lists_every_command_with_a_whole_sentence(clean: Directory) -> None:
    answer = clean.jiko("--help")
    assert answer.code == ExitCode.OK
    listed = answer.out.partition("Commands:")[2]
    for command in ("demo", "sync", "status", "breaks", "inspect", "sql", "verify", "simulator", "doctor", "probe"):
        assert any(line.startswith(f"  {command} ") for line in listed.splitlines())
    for line in listed.partition("\n\n")[0].strip().splitlines():
        assert line.endswith((".", "?")), line
        assert not line.endswith("..."), line


def test_an_error_shows_a_traceback_with_debug_only(tmp_path: Path) -> None:
    directory = Directory(tmp_path / "nothing", tmp_path)
    assert "Traceback" not in directory.jiko("status").err
    shown = directory.jiko("--debug", "status")
    assert shown.code != ExitCode.OK
    assert "Traceback (most recent call last)" in shown.err
    assert "StorageError" in shown.err


def test_a_published_file_that_is_no_database_is_50_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "treasury.duckdb").write_bytes(b"not a database" * 1000)
    for command in (["status"], ["breaks"], ["sql", "select 1"]):
        answer = Directory(tmp_path / "data", tmp_path).jiko(*command)
        assert answer.code == ExitCode.STORAGE
        assert len(answer.complaint) == 3
        assert "Traceback" not in answer.err


def test_the_settings_may_stand_in_a_file_of_the_working_directory(clean: Directory, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"JIKO_DATA_DIR={clean.data_dir}\n")
    beside = Directory(clean.data_dir, tmp_path)
    environment = beside.environment()
    del environment["JIKO_DATA_DIR"]
    done = subprocess.run(
        [sys.executable, "-m", "jiko_pipeline", "status", "--json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitCode.OK, done.stderr
    assert json.loads(done.stdout)["data_dir"] == str(clean.data_dir)


def test_a_data_directory_that_cannot_be_made_is_50_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    answer = Directory(tmp_path / "file" / "data", tmp_path).jiko("sync", "--date", "2024-06-03")
    assert answer.code == ExitCode.STORAGE, answer.err
    assert len(answer.complaint) == 3
    assert str(tmp_path / "file") in answer.complaint[0]


def test_a_reader_of_the_output_that_goes_away_early_sees_no_traceback(clean: Directory) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "jiko_pipeline", "sql", "from core.calendar"],
        cwd=clean.beside,
        env=clean.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith("business_date\t")
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    process.wait()
    assert told == ""
