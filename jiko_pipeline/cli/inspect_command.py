"""`jiko inspect FILE...`: what stands in statement and report files, without a bank and without a warehouse.

Belongs here: reading files for a person, and the two ways to show them. Does not belong here: how a format is
read (`jiko_pipeline.formats`), or converting files.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import polars as pl
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jiko_pipeline.errors import ExitCode
from jiko_pipeline.formats import camt053
from jiko_pipeline.formats.camt053.gate import MOST_BYTES as MOST_STATEMENT_BYTES
from jiko_pipeline.formats.camt053.records import Balance, Detail, Document, Entry, Statement
from jiko_pipeline.formats.delimited.strict import MOST_BYTES as MOST_REPORT_BYTES
from jiko_pipeline.formats.delimited.strict import other_than_csv
from jiko_pipeline.formats.readers import CAMT053, READERS, identify
from jiko_pipeline.formats.reading import (
    Expectation,
    Finding,
    Reading,
    RefusedDocumentError,
    RejectedRow,
    Severity,
)

MOST_REJECTED_SHOWN: Final = 20
_SEVERITY_STYLES: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_TOTALLED: Final = {
    "trade_report": ("side", "amount"),
    "position": ("pocket_id", "market_value"),
    "position_cash": ("pocket_id", "cash"),
    "api_transaction": ("direction", "signed_amount"),
    "api_trade": ("activity", "notional"),
}


@dataclass(slots=True)
class Inspected:
    """What one file turned out to be. `error` is (code, message) when it was refused."""

    path: Path
    sha256: str | None = None
    kind: str | None = None
    error: tuple[str, str] | None = None
    document: Document | None = None
    entries: list[Entry] = field(default_factory=list)
    reading: Reading | None = None


def inspect_files(files: Sequence[Path], json_output: bool, entries: bool = False) -> int:
    """Print what stands in each file; 30 when one of them was refused, else 0.

    `json_output` prints one JSON list; otherwise a summary for people. `entries` lists each booking as well.
    """
    inspected = [inspect_file(path, keep_entries=entries) for path in files]
    if json_output:
        typer.echo(json.dumps([as_json(each, entries=entries) for each in inspected], ensure_ascii=False, indent=2))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for each in inspected:
            _print_file(console, each)
        _print_count(console, inspected)
    refused = any(each.error is not None for each in inspected)
    return int(ExitCode.NOT_PROVED if refused else ExitCode.OK)


def inspect_file(path: Path, *, keep_entries: bool = False) -> Inspected:
    """Read one file. What refuses it, the file system included, is in `error`."""
    result = Inspected(path)
    try:
        body = _bytes_of(path)
        result.sha256 = hashlib.sha256(body).hexdigest()
        result.kind = identify(body)
        if result.kind == CAMT053:

            def keep(entry: Entry, _details: Sequence[Detail]) -> None:
                result.entries.append(entry)

            result.document = camt053.parse(body, keep if keep_entries else None)
        elif result.kind is None:
            what = other_than_csv(body) or "text with an unknown header"
            message = f"The file is {what if body else 'empty'}: no statement, report or listing that has a reader."
            raise RefusedDocumentError("UNKNOWN_KIND", message)
        else:
            result.reading = READERS[result.kind]([body], Expectation())
    except RefusedDocumentError as error:
        result.error = (error.code, str(error))
    except OSError as error:
        result.error = (
            "UNREADABLE_FILE",
            f"The file cannot be read: {error.strerror or type(error).__name__}.",
        )
    return result


def _bytes_of(path: Path) -> bytes:
    most = max(MOST_STATEMENT_BYTES, MOST_REPORT_BYTES)
    with path.open("rb") as file:
        body = file.read(most + 1)
    if len(body) > most:
        raise RefusedDocumentError("TOO_LARGE", f"The file has more than {most:,} bytes.")
    return body


def as_json(inspected: Inspected, *, entries: bool = False) -> dict[str, Any]:
    """One file as `jiko inspect --json` prints it; amounts are signed decimal strings."""
    document, reading = inspected.document, inspected.reading
    result: dict[str, Any] = {
        "file": str(inspected.path),
        "sha256": inspected.sha256,
        "kind": inspected.kind,
        "version": document.version if document else None,
        "error": None if inspected.error is None else {"code": inspected.error[0], "message": inspected.error[1]},
        "statements": [],
    }
    if document is not None:
        result["statements"] = [
            _statement_json(document, statement, inspected.entries if entries else None)
            for statement in document.statements
        ]
    if reading is not None:
        result["rows"] = {name: frame.height for name, frame in reading.frames.items()}
        result["rows_in_document"] = reading.rows_in_document
        result["rejected"] = [_rejected_json(row) for row in reading.rejected]
        result["totals"] = [
            {"frame": name, "of": str(key), "rows": rows, "sum": _text(total)}
            for name, key, rows, total in _totals(reading)
        ]
        result["findings"] = [_finding_json(finding) for finding in reading.findings]
    return result


def _statement_json(document: Document, statement: Statement, entries: list[Entry] | None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "id": statement.header.statement_id,
        "account": statement.header.account_identification,
        "currency": statement.currency,
        "opening": _balance_json(statement.opening),
        "closing": _balance_json(statement.closing),
        "entries": statement.totals.entries,
        "details": statement.totals.details,
        "net_booked": _text(statement.totals.net_booked),
        "foots": statement.foots,
        "findings": [_finding_json(finding) for finding in _findings_of(document, statement)],
    }
    if entries is not None:
        result["entry_list"] = [
            {
                "locator": entry.document_locator,
                "amount": _text(entry.signed_amount),
                "currency": entry.currency,
                "status": entry.entry_status,
                "reversal": entry.is_reversal,
                "booking_date": entry.booking_date.isoformat() if entry.booking_date else None,
                "value_date": entry.value_date.isoformat() if entry.value_date else None,
                "reference": entry.account_servicer_reference or entry.entry_reference,
                "code": _code(entry),
                "information": entry.additional_information,
            }
            for entry in entries
            if entry.statement_seq == statement.statement_seq
        ]
    return result


def _findings_of(document: Document, statement: Statement) -> tuple[Finding, ...]:
    """A finding on the document is one on each of its statements."""
    return (*document.findings, *statement.findings)


def _balance_json(balance: Balance | None) -> dict[str, str | None] | None:
    if balance is None:
        return None
    return {
        "code": balance.balance_code,
        "amount": _text(balance.signed_amount),
        "date": balance.balance_date.isoformat() if balance.balance_date else None,
    }


def _finding_json(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "locator": finding.locator,
    }


def _rejected_json(row: RejectedRow) -> dict[str, str]:
    return {"locator": row.locator, "code": row.code, "message": row.message}


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")


def _code(entry: Entry) -> str | None:
    domain = "/".join(part for part in (entry.domain_code, entry.family_code, entry.sub_family_code) if part)
    return entry.proprietary_code or domain or None


def _totals(reading: Reading) -> list[tuple[str, object, int, Decimal | None]]:
    """(frame, group, rows, sum of its money) for each frame that has money."""
    totals: list[tuple[str, object, int, Decimal | None]] = []
    for name, (group, money) in _TOTALLED.items():
        if name in reading.frames:
            sums = reading.frames[name].group_by(group).agg(pl.len().alias("rows"), pl.col(money).sum())
            totals += [(name, row[group], row["rows"], row[money]) for row in sums.sort(group).iter_rows(named=True)]
    return totals


def _print_file(console: Console, inspected: Inspected) -> None:
    version = f" {inspected.document.version}" if inspected.document and inspected.document.version else ""
    kind = f"{inspected.kind or 'unknown kind'}{version}"
    console.print(f"[bold]{escape(str(inspected.path))}[/bold]  {kind}")
    if inspected.error is not None:
        code, message = inspected.error
        console.print(f"  [red]refused ({code})[/red] {escape(_inert(message))}")
    if inspected.document is not None:
        for statement in inspected.document.statements:
            _print_statement(console, inspected, inspected.document, statement)
    if inspected.reading is not None:
        _print_reading(console, inspected.reading)


def _print_statement(console: Console, inspected: Inspected, document: Document, statement: Statement) -> None:
    header, totals = statement.header, statement.totals
    footing = {
        True: "[green]foots[/green]",
        False: "[red]does not foot[/red]",
        None: "footing cannot be checked",
    }
    console.print(
        f"  {statement.locator}  id {_shown(header.statement_id)}  account {_shown(header.account_identification)}"
        f"  {_shown(statement.currency)}"
    )
    console.print(
        f"    opening {_balance_text(statement.opening)}  closing {_balance_text(statement.closing)}"
        f"  net booked {totals.net_booked:,f}  {footing[statement.foots]}"
    )
    console.print(f"    {totals.entries} entries with {totals.details} details")
    mine = [entry for entry in inspected.entries if entry.statement_seq == statement.statement_seq]
    if mine:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for title in ("entry", "booked", "value", "amount", "status", "code", "reference", "information"):
            table.add_column(title, justify="right" if title == "amount" else "left")
        for entry in mine:
            amount = "unreadable" if entry.signed_amount is None else f"{entry.signed_amount:,f}"
            table.add_row(
                str(entry.entry_seq),
                str(entry.booking_date or ""),
                str(entry.value_date or ""),
                amount,
                *(
                    escape(_inert(text or ""))
                    for text in (
                        entry.entry_status,
                        _code(entry),
                        entry.account_servicer_reference or entry.entry_reference,
                        entry.additional_information,
                    )
                ),
            )
        console.print(table)
    _print_findings(console, _findings_of(document, statement))


def _print_reading(console: Console, reading: Reading) -> None:
    for name, frame in reading.frames.items():
        console.print(f"  {name}: {frame.height} rows")
    for name, key, rows, total in _totals(reading):
        amount = "" if total is None else f"  {total:,f}"
        console.print(f"    {name} {escape(_inert(str(key)))}: {rows} rows{amount}")
    if reading.rejected:
        console.print(f"  [red]{len(reading.rejected)} of {reading.rows_in_document} rows rejected[/red]")
        for row in reading.rejected[:MOST_REJECTED_SHOWN]:
            console.print(f"    [red]{row.code}[/red] {escape(_inert(row.message))}")
        if len(reading.rejected) > MOST_REJECTED_SHOWN:
            console.print(f"    and {len(reading.rejected) - MOST_REJECTED_SHOWN} more")
    _print_findings(console, reading.findings)


def _print_findings(console: Console, findings: Sequence[Finding]) -> None:
    for finding in findings:
        style = _SEVERITY_STYLES[finding.severity]
        where = f" ({escape(_inert(finding.locator))})" if finding.locator else ""
        label = f"[{style}]{finding.severity.value} {finding.code}[/{style}]"
        console.print(f"    {label} {escape(_inert(finding.message))}{where}")


def _print_count(console: Console, inspected: Sequence[Inspected]) -> None:
    refused = sum(each.error is not None for each in inspected)
    files = "1 file" if len(inspected) == 1 else f"{len(inspected)} files"
    console.print(f"{files} read, {refused} refused" if refused else f"{files} read")


def _balance_text(balance: Balance | None) -> str:
    if balance is None:
        return "not stated"
    amount = "unreadable" if balance.signed_amount is None else f"{balance.signed_amount:,f}"
    return f"{amount} ({_shown(balance.balance_code)} {balance.balance_date or 'undated'})"


def _shown(text: str | None) -> str:
    return escape(_inert(text)) if text else "-"


def _inert(text: str) -> str:
    """Text of a file without what a terminal would obey or reorder."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
