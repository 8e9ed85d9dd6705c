"""`jiko breaks` and `jiko sql`: listings from the published file, for people and for programs."""

import os
import pty
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from jiko_pipeline.errors import ExitCode
from jiko_pipeline_tests.reading.jiko_runs import Directory


def test_a_clean_directory_has_no_open_breaks_and_says_so(clean: Directory) -> None:
    answer = clean.jiko_without_network("breaks")
    assert (answer.code, answer.out, answer.err) == (ExitCode.OK, "No open breaks.\n", "")
    assert clean.jiko("breaks", "--json").json == []


def test_open_breaks_are_listed_with_both_sides_and_exit_code_10(broken: Directory) -> None:
    answer = broken.jiko_without_network("breaks")
    assert (answer.code, answer.err) == (ExitCode.BREAKS_OPEN, "")
    names, *rows = answer.rows
    found = {row["control_id"]: row for row in (dict(zip(names, row, strict=True)) for row in rows)}
    assert set(found) == {"K10", "K21", "K22"}
    footing, agreement = found["K10"], found["K21"]
    assert (footing["code"], footing["business_date"], footing["pocket_name"]) == (
        "FOOT_BANK",
        "2024-06-12",
        "Operating",
    )
    assert (agreement["code"], agreement["severity"], agreement["age_business_days"]) == ("TX_AMT", "S1", "0")
    for row in (footing, agreement):
        assert abs(Decimal(row["difference"])) == Decimal("0.01")
        assert Decimal(row["left_value"]) - Decimal(row["right_value"]) == Decimal(row["difference"])
        assert row["cause"].endswith(".")


def test_breaks_as_json_say_what_should_hold_and_what_holds(broken: Directory) -> None:
    answer = broken.jiko("breaks", "--json")
    assert answer.code == ExitCode.BREAKS_OPEN
    assert {(row["control_id"], row["code"], row["break_class"]) for row in answer.json} == {
        ("K10", "FOOT_BANK", "ARITHMETIC"),
        ("K21", "TX_AMT", "AMOUNT"),
        ("K22", "SWEEP_NE_NET_ACTIVITY", "ARITHMETIC"),
    }
    for row in answer.json:
        assert isinstance(row["difference"], str)
        assert row["business_date"] == "2024-06-12"
        assert row["title"]
        assert row["identity"]
        assert row["cause"]
        assert len(row["break_id"]) == 64


def test_the_quarantined_document_is_a_break_of_the_document_and_not_of_the_money(quarantined: Directory) -> None:
    answer = quarantined.jiko("breaks", "--json")
    assert answer.code == ExitCode.BREAKS_OPEN
    assert {(row["control_id"], row["code"]) for row in answer.json} == {("K03", "DOC_CORRUPT")}


def test_sql_prints_rows_as_tab_separated_lines_for_programs(clean: Directory) -> None:
    answer = clean.jiko_without_network(
        "sql",
        "select business_date, ready_to_book, closing_value, null as nothing from mart.daily_close"
        " order by pocket_id, business_date limit 3",
    )
    assert (answer.code, answer.err) == (ExitCode.OK, "")
    names, *rows = answer.rows
    assert names == ["business_date", "ready_to_book", "closing_value", "nothing"]
    assert [row[:2] for row in rows] == [["2024-06-03", "true"], ["2024-06-04", "true"], ["2024-06-05", "true"]]
    assert all(Decimal(row[2]) > 1000 and row[3] == "" for row in rows)


def test_sql_as_json_gives_decimals_as_strings_and_dates_in_iso(clean: Directory) -> None:
    answer = clean.jiko(
        "sql",
        "--json",
        "select 12345678901234567890.12::decimal(38,2) as amount, date '2024-06-03' as day,"
        " timestamp '2024-06-03 10:00:00' as at_utc, 7 as number, true as yes, null as nothing,"
        " [1.10::decimal(4,2)] as list, 'a\tb' as words, 'NaN'::double as odd, map {date '2024-06-03': 1} as by_day",
    )
    assert answer.code == ExitCode.OK, answer.err
    assert answer.json == [
        {
            "amount": "12345678901234567890.12",
            "day": "2024-06-03",
            "at_utc": "2024-06-03T10:00:00",
            "number": 7,
            "yes": True,
            "nothing": None,
            "list": ["1.10"],
            "words": "a\tb",
            "odd": "nan",
            "by_day": {"2024-06-03": 1},
        }
    ]


def test_a_value_with_tabs_line_ends_or_terminal_commands_stays_one_field(clean: Directory) -> None:
    answer = clean.jiko("sql", "select 'a\tb\nc' || chr(27) || '[31m' as words, 'next' as word")
    assert answer.rows == [["words", "word"], ["a b c [31m", "next"]]


def test_sql_without_rows_prints_the_names_of_the_columns(clean: Directory) -> None:
    query = "select break_id, code from recon.break"
    assert clean.jiko("sql", query).rows == [["break_id", "code"]]
    assert clean.jiko("sql", query, "--json").json == []


@pytest.mark.parametrize(
    "query",
    ["selec 1", "select * from mart.no_such_table", "select 1/'a'", "", "   ", "select 1; select 2", "/* nothing */"],
)
def test_a_query_that_cannot_run_is_2_with_three_lines(query: str, clean: Directory) -> None:
    answer = clean.jiko("sql", query)
    assert (answer.code, answer.out) == (ExitCode.USAGE, "")
    assert len(answer.complaint) == 3
    assert "meta.data_dictionary" in answer.complaint[2]


def test_the_remedy_for_a_wrong_query_is_a_command_that_works(clean: Directory) -> None:
    answer = clean.jiko("sql", "from meta.data_dictionary", "--json")
    assert answer.code == ExitCode.OK
    assert {"table_schema", "table_name", "column_name", "column_comment"} <= set(answer.json[0])


def test_sql_writes_nothing_neither_to_the_file_nor_beside_it(clean: Directory, tmp_path: Path) -> None:
    file = clean.data_dir / "treasury.duckdb"
    before = (file.read_bytes(), sorted(os.listdir(clean.data_dir)))
    target = tmp_path / "stolen"
    for query in (
        "delete from mart.daily_close",
        "update mart.daily_close set ready_to_book = true",
        "create table core.mine (x integer)",
        "drop table mart.daily_close",
        f"copy (select 1) to '{target}'",
        f"attach '{target}' as other",
        f"export database '{target}'",
        "select * from read_csv('/etc/hostname')",
        "set enable_external_access = true",
        "install httpfs",
    ):
        answer = clean.jiko("sql", query)
        assert answer.code == ExitCode.USAGE, query
        assert len(answer.complaint) == 3, query
    assert not target.exists()
    assert (file.read_bytes(), sorted(os.listdir(clean.data_dir))) == before


def test_on_a_terminal_sql_is_a_table_with_amounts_for_people(clean: Directory) -> None:
    shown = _on_a_terminal(clean, "sql", "select 1234567.50::decimal(38,2) as amount, '[bold]x[/bold]' as words")
    assert "1,234,567.50" in shown
    assert "[bold]x[/bold]" in shown
    assert "┃" in shown


def test_verify_prints_a_hash_for_every_compared_table(clean: Directory) -> None:
    answer = clean.jiko_without_network("verify", "--hashes")
    assert answer.code == ExitCode.OK
    told = clean.jiko("verify", "--hashes", "--json").json
    assert answer.out.split() == [
        word for item in told for word in (item["content_hash"], str(item["row_count"]), item["table_name"])
    ]
    names = [item["table_name"] for item in told]
    assert {name.partition(".")[0] for name in names} == {"staging", "core", "recon", "mart"}
    assert "recon.run" not in names
    by_name = {item["table_name"]: item for item in told}
    assert by_name["mart.daily_close"]["row_count"] == 16
    macro = clean.jiko("sql", "--json", "from meta.table_hash('mart.daily_close')").json
    assert macro == [by_name["mart.daily_close"]]


def _on_a_terminal(directory: Directory, *arguments: str) -> str:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "jiko_pipeline", *arguments],
        cwd=directory.beside,
        env=directory.environment(TERM="xterm"),
        stdout=theirs,
        stdin=subprocess.DEVNULL,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert process.wait() == 0
    return shown.decode()
