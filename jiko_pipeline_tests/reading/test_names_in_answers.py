"""What somebody typed as a name commands neither a terminal nor the program that reads an answer."""

import json
from decimal import Decimal

import pytest

from jiko_pipeline.cli.terminal import LONGEST_NAME, print_json, print_table
from jiko_pipeline.cli.verdict_lines import verdict_line
from jiko_pipeline.reporting.verdict import PocketVerdict

NAMES = {
    "a formula": '=HYPERLINK("http://evil.example","x")',
    "markup": "<script>alert(1)</script>[bold red]",
    "right to left": "\u202efdp.exe",
    "commands of a terminal": "\x1b[31m\x9b2J\x07\x00",
    "lines": "first\nREADY     second: 31 of 31 days\r\n\u2028",
    "length": "x" * 10_000,
    "a letter beyond the first plane": "\U0001f3e6\U000e0001",
}


def verdict(name: str) -> PocketVerdict:
    return PocketVerdict("p", name, name, 1, 1, None, Decimal("1.00"), 0, 0, None, 1, ())


@pytest.mark.fault_rows(92, 93)
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_is_inert_in_a_line_a_table_and_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = verdict_line(verdict(name))
    assert line.isprintable()
    assert len(line) < 2 * LONGEST_NAME + 100

    print_table(["pocket_name", "amount"], [[name, Decimal("-1.00")]])
    header, row, *others = capsys.readouterr().out.splitlines()
    assert others == []
    assert header == "pocket_name\tamount"
    assert row.split("\t")[1:] == ["-1.00"]
    assert row.replace("\t", "").isprintable()

    print_json({"pocket_name": name})
    document = capsys.readouterr().out
    assert document.replace("\n", "").isprintable()
    assert len(document.splitlines()) == 3
    assert json.loads(document) == {"pocket_name": name}
