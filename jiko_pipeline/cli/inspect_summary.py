"""One file in full, for a person: balances, footing, counts, findings, and its entries when asked for.

Belongs here: the words and the layout. Does not belong here: reading (`inspection`), many files at once
(`inspect_table`), JSON (`inspect_json`).
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, Final

import polars as pl
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape

from jiko_pipeline.cli.inspection import Inspected, amount_of, code_of, totals_of
from jiko_pipeline.cli.terminal import text
from jiko_pipeline.formats.camt053.records import Balance, Document, Statement
from jiko_pipeline.formats.readers import CAMT053
from jiko_pipeline.formats.reading import Finding, Reading, Severity

MOST_REJECTED_SHOWN: Final = 20
_STYLES: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_FOOTING: Final = {True: "[green]foots[/green]", False: "[red]does not foot[/red]", None: "footing cannot be checked"}
_ENTRY_TITLES: Final = ("entry", "booked", "value", "amount", "", "status", "code", "reference", "information")
_LONGEST_SHOWN: Final = 80
_ROWS_AT_ONCE: Final = 500


def print_summary(console: Console, inspected: Inspected, *, entries: bool = False) -> None:
    """Everything that a person asks first of one file; with `entries` each booking, or each row of a report."""
    kind, document, reading = inspected.kind or "unknown kind", inspected.document, inspected.reading
    if kind == CAMT053:
        kind = f"camt.053 version {document.version}" if document and document.version else "camt.053"
    console.print(f"[bold]{_shown(str(inspected.path))}[/bold]  {kind}")
    if inspected.error is not None:
        code, message = inspected.error
        console.print(f"  [red]refused ({code})[/red] {_shown(message)}")
    if document is not None:
        _print_findings(console, document.findings, "  ")
        for statement in document.statements:
            _print_statement(console, inspected, document, statement)
    if reading is not None:
        _print_reading(console, reading, entries=entries)
    console.print()


def _print_statement(console: Console, inspected: Inspected, document: Document, statement: Statement) -> None:
    header, totals = statement.header, statement.totals
    names = [name for name in (header.account_name or header.account_owner_name, header.account_servicer_name) if name]
    period = "" if statement.day is None else f"  {statement.day}"
    if header.from_date and header.to_date and header.from_date != header.to_date:
        period = f"  {header.from_date} to {header.to_date}"
    console.print(f"  {statement.locator}  {_shown(header.statement_id) or 'without id'}{period}")
    account = _shown(header.account_identification) or "not stated"
    console.print("    account  " + "  ".join([account, _shown(statement.currency), *map(_shown, names)]).rstrip())
    console.print(f"    opening  {_balance(statement.opening)}")
    console.print(f"    closing  {_balance(statement.closing)}")
    console.print(f"    booked   {text(totals.net_booked)} net, {_FOOTING[statement.foots]}")
    counts = f"{_count(totals.entries, 'entry', 'entries')} with {_count(totals.details, 'detail', 'details')}"
    console.print(f"    holds    {counts}")
    _print_findings(console, statement.findings, "    ")
    if inspected.entries is not None:
        mine = inspected.entries.filter(pl.col("statement_seq") == statement.statement_seq)
        _print_rows(console, _ENTRY_TITLES, (_entry(row) for row in mine.iter_rows(named=True)), right=(0, 3))


def _entry(row: dict[str, Any]) -> tuple[str, ...]:
    amount = amount_of(row)
    status = f"{row['entry_status'] or ''}{' reversal' if row['is_reversal'] else ''}"
    return (
        str(row["entry_seq"]),
        str(row["booking_date"] or ""),
        str(row["value_date"] or ""),
        "unreadable" if amount is None else text(amount),
        text(row["currency"]),
        text(status),
        text(code_of(row)),
        text(row["account_servicer_reference"] or row["entry_reference"]),
        text(row["additional_information"]),
    )


def _print_reading(console: Console, reading: Reading, *, entries: bool) -> None:
    for name, frame in reading.frames.items():
        console.print(f"  {name}: {_count(frame.height, 'row', 'rows')}")
        for total in totals_of(reading):
            if total.frame == name:
                money = "" if total.amount is None else f"  {text(total.amount)}"
                console.print(f"    {_shown(total.of)}: {_count(total.rows, 'row', 'rows')}{money}")
    if reading.rejected:
        console.print(f"  [red]{len(reading.rejected):,} of {reading.rows_in_document:,} rows rejected[/red]")
        for row in reading.rejected[:MOST_REJECTED_SHOWN]:
            console.print(f"    [red]{row.code}[/red] {_shown(row.message)}")
        if len(reading.rejected) > MOST_REJECTED_SHOWN:
            console.print(f"    and {len(reading.rejected) - MOST_REJECTED_SHOWN:,} more; --json lists them all")
    _print_findings(console, reading.findings, "  ")
    if entries:
        for frame in reading.frames.values():
            _print_frame(console, frame)


def _print_frame(console: Console, frame: pl.DataFrame) -> None:
    """The columns that hold anything, in the order of the frame."""
    held = [name for name in frame.columns if name != "document_locator" and frame[name].null_count() < frame.height]
    right = [place for place, name in enumerate(held) if frame[name].dtype.is_numeric()]
    rows = (tuple(_value(value) for value in row) for row in frame.select(held).iter_rows())
    _print_rows(console, held, rows, right=right)


def _value(value: object) -> str:
    """A value with all the digits of its column, so that points stand below each other."""
    return f"{value:,f}" if isinstance(value, Decimal) else text(value)


def _print_rows(
    console: Console, titles: Sequence[str], rows: Iterable[tuple[str, ...]], *, right: Sequence[int]
) -> None:
    """Rows in aligned columns, some hundreds at a time; a column may grow wider on the way."""
    widths = [len(title) for title in titles]
    heading: Iterator[tuple[str, ...]] = iter([tuple(titles)])
    rest = iter(rows)
    while piece := [_short(row) for row in islice(rest, _ROWS_AT_ONCE)]:
        widths = [max(width, *(cell_len(row[place]) for row in piece)) for place, width in enumerate(widths)]
        for row in (*heading, *piece):
            cells = []
            for place, value in enumerate(row):
                room = " " * (widths[place] - cell_len(value))
                cells.append(room + value if place in right else value + room)
            console.print(f"    {'  '.join(cells)}".rstrip(), markup=False)


def _short(row: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value if len(value) <= _LONGEST_SHOWN else f"{value[: _LONGEST_SHOWN - 1]}…" for value in row)


def _print_findings(console: Console, findings: Sequence[Finding], margin: str) -> None:
    for finding in findings:
        style = _STYLES[finding.severity]
        where = f" ({_shown(finding.locator)})" if finding.locator else ""
        label = f"[{style}]{finding.severity.value} {finding.code}[/{style}]"
        console.print(f"{margin}{label} {_shown(finding.message)}{where}")


def _balance(balance: Balance | None) -> str:
    if balance is None:
        return "not stated"
    amount = "unreadable" if balance.signed_amount is None else text(balance.signed_amount)
    return f"{amount} ({_shown(balance.balance_code) or 'no code'} {balance.balance_date or 'undated'})"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _shown(words: str | None) -> str:
    """Text of a file as text: nothing in it is markup, and nothing a terminal would obey or reorder."""
    if not words:
        return ""
    return escape("".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in words))
