"""Many files as one table that a person can read, a line a file.

Belongs here: what of a file stands in its line, and fitting lines to the width of a terminal. Does not belong
here: reading files (`inspection`), or showing one of them in full (`inspect_summary`).

Figures are never shortened; names, accounts and the reasons of refusals are, where the terminal is too narrow.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from os.path import commonpath
from pathlib import Path
from typing import Final

import polars as pl
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from jiko_pipeline.cli.inspection import Inspected
from jiko_pipeline.cli.terminal import text
from jiko_pipeline.formats.camt053.records import Document
from jiko_pipeline.formats.readers import CAMT053
from jiko_pipeline.formats.reading import Reading, Severity

_TITLES: Final = ("file", "kind", "account", "day", "entries", "net", "", "foots", "findings")
_FILE, _KIND, _ACCOUNT = 0, 1, 2
_RIGHT: Final = frozenset({4, 5})
_LEAST: Final = {_FILE: 16, _KIND: 11, _ACCOUNT: 8}
_WIDE_GAP: Final = "  "
_NARROW_GAP: Final = " "
_LETTERS: Final = {Severity.ERROR: ("E", "red"), Severity.WARNING: ("W", "yellow"), Severity.INFO: ("I", "dim")}

_DAY_AND_POCKET: Final = {
    "trade_report": ("trade_date", "pocket_id"),
    "security_price": ("price_date", None),
    "position": ("as_of_date", "pocket_id"),
    "position_cash": ("as_of_date", "pocket_id"),
    "api_transaction": ("booked_at_utc", "pocket_id"),
    "api_trade": ("traded_at_utc", "pocket_id"),
}


@dataclass(slots=True)
class Line:
    """One file in the table: everything as small as it is shown, so that the file itself can be let go.

    `net` is the sum of booked entries; None where it would leave one out or add currencies.
    """

    path: Path
    kind: str = ""
    account: str = ""
    day: str = ""
    entries: int | None = None
    net: Decimal | None = None
    currency: str = ""
    foots: str = ""
    severities: Mapping[Severity, int] = field(default_factory=dict)
    rejected: int = 0
    error: tuple[str, str] | None = None


def line_of(inspected: Inspected) -> Line:
    """One file as a line of the table."""
    line = Line(inspected.path, error=inspected.error, kind=(inspected.kind or "").lower())
    line.severities = {
        severity: count
        for severity in Severity
        if (count := sum(finding.severity is severity for finding in inspected.findings))
    }
    if inspected.kind == CAMT053:
        line.kind = "camt.053"
    if inspected.document is not None:
        _fill_from_statements(line, inspected.document)
    if inspected.reading is not None:
        _fill_from_reading(line, inspected.reading)
    return line


def _fill_from_statements(line: Line, document: Document) -> None:
    statements = document.statements
    line.kind = f"camt.053.{document.version}" if document.version else "camt.053"
    line.account = _one_of([each.header.account_identification or "" for each in statements])
    days = [each.day for each in statements if each.day is not None]
    line.day = _span([day.isoformat() for day in days])
    line.entries = sum(each.totals.entries for each in statements)
    currencies = {each.currency or "" for each in statements}
    if len(currencies) == 1:
        line.currency = next(iter(currencies))
        if not any(each.totals.unreadable for each in statements):
            line.net = sum((each.totals.net_booked for each in statements), Decimal(0))
    else:
        line.currency = f"{len(currencies)} ccy"
    footing = [each.foots for each in statements]
    if len(footing) == 1:
        line.foots = {True: "yes", False: "no", None: "-"}[footing[0]]
    else:
        line.foots = f"{footing.count(True)}/{len(footing)}"


def _fill_from_reading(line: Line, reading: Reading) -> None:
    line.entries = reading.rows_in_document
    line.rejected = len(reading.rejected)
    days: list[str] = []
    pockets: list[str] = []
    for name, frame in reading.frames.items():
        day, pocket = _DAY_AND_POCKET.get(name, (None, None))
        if pocket is not None:
            pockets += frame[pocket].unique().to_list()
        if day is not None and frame.height:
            column = frame[day]
            if isinstance(column.dtype, pl.Datetime):
                column = column.dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York").dt.date()
            days += [str(column.min()), str(column.max())]
        if name == "api_transaction" and frame["currency"].n_unique() == 1:
            total = frame["signed_amount"].sum()
            line.net, line.currency = (total if isinstance(total, Decimal) else None), frame["currency"][0]
    line.account, line.day = _one_of(pockets), _span(days)


def print_table(console: Console, lines: Sequence[Line], width: int) -> None:
    """All lines under one heading, in so many cells; a refused file has its reason in place of figures."""
    folder = _common_folder([line.path for line in lines])
    names = [_printable(str(line.path.relative_to(folder) if folder else line.path)) for line in lines]
    cells = [_cells(line, name) for line, name in zip(lines, names, strict=True)]
    read = [row for line, row in zip(lines, cells, strict=True) if line.error is None]
    widths = [max(cell_len(row[place]) for row in (_TITLES, *read)) for place in range(len(_TITLES))]
    widths[_FILE] = max(cell_len(row[_FILE]) for row in (_TITLES, *cells))
    widths[_KIND] = max(cell_len(row[_KIND]) for row in (_TITLES, *cells))
    gap = _WIDE_GAP if _total(widths, _WIDE_GAP) <= width else _NARROW_GAP
    _fit(widths, width - len(gap) * (len(widths) - 1))
    if folder:
        console.print(Text(f"in {_printable(str(folder))}", style="dim"))
    console.print(Text(gap.join(_cell(title, widths, place) for place, title in enumerate(_TITLES)), style="bold"))
    for line, row in zip(lines, cells, strict=True):
        console.print(_refused(line, row, widths, gap, width) if line.error else _shown(line, row, widths, gap))


def print_count(console: Console, lines: Sequence[Line]) -> None:
    """How many files were read, and why the others were not."""
    refused = Counter(line.error[0] for line in lines if line.error is not None)
    files = "1 file" if len(lines) == 1 else f"{len(lines):,} files"
    if not refused:
        console.print(f"{files} read")
    else:
        reasons = ", ".join(f"{code} {count:,}" for code, count in refused.most_common())
        console.print(f"{files}: {len(lines) - refused.total():,} read, {refused.total():,} refused ({reasons})")


def print_legend(console: Console, lines: Sequence[Line]) -> None:
    """What the letters of the findings mean, when there are any."""
    if any(line.severities or line.rejected for line in lines):
        console.print(Text("findings: E error, W warning, I info, R rejected rows; name one file to see them", "dim"))


def _cells(line: Line, name: str) -> tuple[str, ...]:
    findings = [f"{line.severities[severity]}{_LETTERS[severity][0]}" for severity in line.severities]
    if line.rejected:
        findings.append(f"{line.rejected}R")
    return (
        name,
        line.kind,
        _printable(line.account),
        line.day,
        "" if line.entries is None else f"{line.entries:,}",
        text(line.net),
        _printable(line.currency),
        line.foots,
        " ".join(findings),
    )


def _shown(line: Line, row: Sequence[str], widths: Sequence[int], gap: str) -> Text:
    styles = {7: {"no": "red", "yes": "green"}.get(line.foots, "")}
    worst = next((severity for severity in Severity if severity in line.severities), None)
    styles[8] = "red" if line.rejected else _LETTERS[worst][1] if worst else ""
    shown = Text()
    for place, value in enumerate(row):
        shown.append(_cell(value, widths, place) + gap, styles.get(place) or None)
    shown.rstrip()
    return shown


def _refused(line: Line, row: Sequence[str], widths: Sequence[int], gap: str, width: int) -> Text:
    code, message = line.error or ("", "")
    shown = Text(gap.join(_cell(row[place], widths, place) for place in (_FILE, _KIND)) + gap)
    reason = f"{code}: {_printable(message)}"
    shown.append(_tail_cut(reason, max(width - shown.cell_len, 40)), "red")
    return shown


def _cell(value: str, widths: Sequence[int], place: int) -> str:
    width = widths[place]
    if cell_len(value) > width:
        value = _middle_cut(value, width) if place != _ACCOUNT else _head_cut(value, width)
    room = " " * (width - cell_len(value))
    return room + value if place in _RIGHT else value + room


def _fit(widths: list[int], width: int) -> None:
    """Take from the columns of names what is too much, a little of each, the widest first."""
    over = sum(widths) - width
    while over > 0:
        place = max(_LEAST, key=lambda place: widths[place] - _LEAST[place])
        if widths[place] <= _LEAST[place]:
            return
        widths[place] -= 1
        over -= 1


def _total(widths: Sequence[int], gap: str) -> int:
    return sum(widths) + len(gap) * (len(widths) - 1)


def _common_folder(paths: Sequence[Path]) -> Path | None:
    """The folder that all files stand in, when there is more than the present one to say."""
    folder = Path(commonpath([path.parent for path in paths])) if len({p.is_absolute() for p in paths}) == 1 else None
    return folder if folder not in (None, Path(), Path("/")) else None


def _middle_cut(value: str, width: int) -> str:
    tail = (width - 1) * 2 // 3
    return f"{set_cell_size(value, width - 1 - tail).rstrip()}…{_last(value, tail)}"


def _head_cut(value: str, width: int) -> str:
    return f"…{_last(value, width - 1)}"


def _tail_cut(value: str, width: int) -> str:
    return value if cell_len(value) <= width else f"{set_cell_size(value, width - 1)}…"


def _last(value: str, width: int) -> str:
    while cell_len(value) > width:
        value = value[1:]
    return value


def _printable(words: str) -> str:
    """Text of a file, or its name, without what a terminal would obey or reorder."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in words)


def _one_of(names: Sequence[str]) -> str:
    different = set(names)
    return next(iter(different)) if len(different) == 1 else f"{len(different)} acc." if different else ""


def _span(days: Sequence[str]) -> str:
    """A day, or the first and the last one without what they share."""
    if not days:
        return ""
    first, last = min(days), max(days)
    if first == last:
        return first
    return f"{first}/{last[5:]}" if first[:4] == last[:4] else f"{first}/{last}"
