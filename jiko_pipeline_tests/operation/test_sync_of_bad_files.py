"""A sync whose files are cut, are something else, or say what cannot be: kept out, told, mended by the next copy."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest

from jiko_pipeline.cli.verdict_lines import print_verdicts
from jiko_pipeline.errors import ExitCode
from jiko_pipeline.pipeline.sync import WindowOutcome
from jiko_pipeline.reporting.verdict import pocket_verdicts
from jiko_pipeline.simulator.documents import delimited
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.world import World
from jiko_pipeline_tests.bank import chaos_rig
from jiko_pipeline_tests.bank.chaos_rig import Json, rule
from jiko_pipeline_tests.operation.command_line import DataDirectory, data_directories
from jiko_pipeline_tests.operation.warm_sync import broken, doubled, facts_before, is_ready, sync

FIRST = "2024-06-28"
FILES = {"path": "/files/*"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataDirectory]:
    """One pocket, one day of it synced; each test goes on with a day of its own and leaves it ready."""
    with data_directories() as made:
        made.append(DataDirectory(tmp_path_factory.mktemp("bad-files") / "data", {"JIKO_SIMULATOR_POCKETS": "1"}))
        sync(made[0], FIRST)
        assert is_ready(made[0], FIRST)
        yield made[0]


@pytest.fixture(scope="module")
def world() -> World:
    """The bank of that directory, to know the bytes of its files beforehand."""
    return World(WorldConfig(seed=7, pockets=1, start=date(2024, 6, 3)))


def trade_report(world: World, day: str) -> tuple[str, str]:
    """(header, rows) of the trade report of a day."""
    at = date.fromisoformat(day)
    header, _, rows = delimited.trade_report(world.trade_report(None, at, at)).decode().partition("\n")
    assert rows
    return header, rows


def sync_disturbed(directory: DataDirectory, day: str, *rules: Json) -> WindowOutcome:
    """The day under these rules: it is not ready, and what was published of the days before stays as it is."""
    before = facts_before(directory, day)
    with chaos_rig.chaos(directory, *rules):
        outcome = sync(directory, day)
        assert chaos_rig.injected(directory)
    assert facts_before(directory, day) == before
    assert not is_ready(directory, day)
    return outcome


def assert_mended(directory: DataDirectory, day: str) -> None:
    """Asked for again the day is whole: ready, nothing lost, nothing doubled, nothing left in quarantine."""
    before = facts_before(directory, day)
    assert sync(directory, day, reason="CONFIRM").exit_code == ExitCode.OK
    assert facts_before(directory, day) == before
    assert is_ready(directory, day)
    assert broken(directory, day) <= {("K06", "RESTATED_PRE_CLOSE")}, "at most it is told that something was restated"
    assert doubled(directory) == []
    assert directory.rows("select * from staging.quarantine where known_to_utc is null") == []


@pytest.mark.fault_rows(80, 82)
def test_a_trade_report_cut_to_its_header_is_believed_only_where_the_bank_lists_no_trade(
    directory: DataDirectory, world: World
) -> None:
    day = "2024-07-01"
    _, rows = trade_report(world, day)
    outcome = sync_disturbed(directory, day, rule("replace", match=FILES, find=rows, put=""))
    assert outcome.exit_code == ExitCode.OK, "nothing in the file shows the cut"
    assert ("K30", "TRD_API_ONLY") in broken(directory, day)
    assert_mended(directory, day)


@pytest.mark.fault_rows(84)
def test_a_page_for_people_in_place_of_a_csv_is_kept_and_told_and_the_other_files_are_loaded(
    directory: DataDirectory, world: World
) -> None:
    day = "2024-07-02"
    header, rows = trade_report(world, day)
    page = "<!DOCTYPE html><html><body>Sign in</body></html>\n"
    outcome = sync_disturbed(directory, day, rule("replace", match=FILES, find=f"{header}\n{rows}", put=page))
    assert outcome.exit_code == ExitCode.NOT_PROVED
    (note,) = outcome.notes
    assert "is quarantined: The document is an HTML page, not CSV" in note
    kept = directory.rows(
        "select document_kind, outcome, count(*) from raw.document"
        " where first_date = ? and document_kind like 'TRADE_REPORT%' group by all order by all",
        [day],
    )
    assert kept == [("TRADE_REPORT_CSV", "QUARANTINED", 1), ("TRADE_REPORT_KYRIBA_CSV", "LOADED", 1)]
    (stored,) = directory.rows("select document_sha256 from raw.document where outcome = 'QUARANTINED'")
    assert [file.read_text() for file in (directory.path / "archive").rglob(f"{stored[0]}*")] == [page]
    assert_mended(directory, day)


@pytest.mark.fault_rows(91)
def test_a_row_that_cannot_be_is_set_aside_and_its_day_is_not_ready(directory: DataDirectory, world: World) -> None:
    day = "2024-07-03"
    _, rows = trade_report(world, day)
    price = rows.split(",")[12]
    outcome = sync_disturbed(directory, day, rule("replace", match=FILES, find=f",{price},", put=",100.000001,"))
    assert outcome.exit_code == ExitCode.OK
    assert ("K03", "ROW_REJECTED") in broken(directory, day)
    aside = "select distinct reason_code, is_whole_document from staging.quarantine where known_to_utc is null"
    assert directory.rows(aside) == [("BAD_PRICE", False)]
    assert_mended(directory, day)


@pytest.mark.fault_rows(97, 100)
def test_a_trade_that_the_bank_corrects_later_is_a_break_that_closes_by_the_corrected_file(
    directory: DataDirectory, world: World
) -> None:
    day = "2024-07-05"
    _, rows = trade_report(world, day)
    quantity = rows.split(",")[11]
    wrong = rule("replace", match=FILES, find=f",{quantity},", put=f",{int(quantity) + 1},")
    sync_disturbed(directory, day, wrong)
    life = "select event, cleared_by_document_sha256 is not null from recon.break_event where business_date = ?"
    found = directory.rows(f"{life} and control_id = 'K30' order by at_utc", [day])
    assert {event for event, _ in found} == {"OPENED"}
    assert_mended(directory, day)
    assert broken(directory, day) == {("K06", "RESTATED_PRE_CLOSE")}, "the difference is listed"
    cleared = directory.rows(f"{life} and control_id = 'K30' and event <> 'OPENED'", [day])
    assert cleared == [("CLEARED_AUTO", True)] * len(found)
    versions = directory.rows(
        "select quantity, known_to_utc is null from staging.trade_report"
        " where trade_date = ? and output_format = 'CSV' order by known_from_utc",
        [day],
    )
    assert versions == [(int(quantity) + 1, False), (int(quantity), True)]


NAME = (
    '=HYPERLINK("http://evil.example","x")<script>[red]\u202e\x1b[31m\x9b2J\nREADY     another: 9 of 9 days'
    + "x" * 10_000
)
"""What somebody who can name a pocket may have typed."""


LEADING_ELSEWHERE = '"file_name":"/../../\\u0000'
"""What stands before the names of files in the bank's JSON."""


@dataclass(frozen=True)
class Harmless:
    """A day synced while every file came under a wrong type and name, and a pocket had a name to beware of."""

    directory: DataDirectory
    outcome: WindowOutcome
    day: str
    written: set[Path]


@pytest.fixture(scope="module")
def harmless(directory: DataDirectory) -> Harmless:
    day = "2024-07-08"
    around = directory.path.parent
    before = set(around.rglob("*"))
    hostile = "../../../x/%2e%2e/CON\\..\\" + "y" * 300
    with chaos_rig.chaos(
        directory,
        rule("header", match=FILES, name="Content-Type", value="text/html"),
        rule("header", match=FILES, name="Content-Disposition", value=f'attachment; filename="{hostile}"'),
        rule("replace", match={"path": "/api/v1/report-requests/*"}, find='"file_name":"', put=LEADING_ELSEWHERE),
        rule("field_value", match={"path": "/api/v2/pockets/"}, name="pocket_name", value=NAME),
    ):
        outcome = sync(directory, day)
        assert {"header", "replace", "field_value"} <= set(chaos_rig.injected(directory))
    return Harmless(directory, outcome, day, set(around.rglob("*")) - before)


@pytest.mark.fault_rows(83)
def test_files_of_a_wrong_type_are_read_and_told(harmless: Harmless) -> None:
    assert harmless.outcome.exit_code == ExitCode.OK
    assert is_ready(harmless.directory, harmless.day)
    assert "TRADE_REPORT_CSV, 1 document: The document was sent as HTML and is CSV." in harmless.outcome.notes
    assert "BANK_STATEMENT, 1 document: The document was sent as HTML and is XML." in harmless.outcome.notes
    found = "select count(*) from raw.document where contains(findings, 'MEDIA_TYPE') and first_date = ?"
    assert harmless.directory.rows(found, [harmless.day]) == [(6,)]


@pytest.mark.fault_rows(94)
def test_names_of_files_that_the_bank_sends_name_no_file_of_ours(harmless: Harmless) -> None:
    root = harmless.directory.path
    files = {path.relative_to(root) for path in harmless.written if path.is_file()}
    assert files
    names = "".join(str(path) for path in harmless.written)
    assert not any(part in names for part in ("CON", "%2e", "yyyy", "\\"))
    assert {path.parts[0] for path in files} <= {"archive", "bank", "simulator", "warehouse", "treasury.duckdb"}
    assert not any(".." in path.parts for path in harmless.written)


@pytest.mark.fault_rows(92, 93)
def test_a_name_is_kept_as_it_is_and_its_verdict_is_one_short_line(
    harmless: Harmless, capsys: pytest.CaptureFixture[str]
) -> None:
    day = date.fromisoformat(harmless.day)
    with duckdb.connect(str(harmless.directory.path / "treasury.duckdb"), read_only=True) as con:
        verdicts = pocket_verdicts(con, "default", day, day)
    assert [verdict.pocket_name for verdict in verdicts] == [NAME]
    print_verdicts(verdicts)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.isprintable()
    assert len(line) < 200
    assert line.startswith("READY")
