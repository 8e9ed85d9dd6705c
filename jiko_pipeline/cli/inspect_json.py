"""Files as `jiko inspect --json` prints them.

Belongs here: the names and shapes that programs rely on. Does not belong here: reading (`inspection`), and what
people see. Amounts are signed decimal strings.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from jiko_pipeline.cli.inspection import Inspected, amount_of, code_of, totals_of
from jiko_pipeline.formats.camt053.records import Balance, Document, Statement
from jiko_pipeline.formats.reading import Finding, RejectedRow


def as_json(inspected: Inspected, *, entries: bool = False) -> dict[str, Any]:
    """One file as an object; `entries` adds the list of its bookings to each statement.

    Reports and listings have rows, rejected rows, totals and findings beside the keys of every file.
    """
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
        result["statements"] = [_statement(document, each) for each in document.statements]
        if entries:
            for each, shown in zip(document.statements, result["statements"], strict=True):
                shown["entry_list"] = _entries(inspected.entries, each)
    if reading is not None:
        result["rows"] = {name: frame.height for name, frame in reading.frames.items()}
        result["rows_in_document"] = reading.rows_in_document
        result["rejected"] = [_rejected(row) for row in reading.rejected]
        result["totals"] = [
            {"frame": total.frame, "of": total.of, "rows": total.rows, "sum": _text(total.amount)}
            for total in totals_of(reading)
        ]
        result["findings"] = [_finding(finding) for finding in reading.findings]
    return result


def _statement(document: Document, statement: Statement) -> dict[str, Any]:
    """A finding on the document is one on each of its statements."""
    return {
        "id": statement.header.statement_id,
        "account": statement.header.account_identification,
        "currency": statement.currency,
        "opening": _balance(statement.opening),
        "closing": _balance(statement.closing),
        "entries": statement.totals.entries,
        "details": statement.totals.details,
        "net_booked": _text(statement.totals.net_booked),
        "foots": statement.foots,
        "findings": [_finding(finding) for finding in (*document.findings, *statement.findings)],
    }


def _entries(entries: pl.DataFrame | None, statement: Statement) -> list[dict[str, Any]]:
    if entries is None:
        return []
    mine = entries.filter(pl.col("statement_seq") == statement.statement_seq)
    return [_entry(row) for row in mine.iter_rows(named=True)]


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "locator": row["document_locator"],
        "amount": _text(amount_of(row)),
        "currency": row["currency"],
        "status": row["entry_status"],
        "reversal": row["is_reversal"],
        "booking_date": row["booking_date"].isoformat() if row["booking_date"] else None,
        "value_date": row["value_date"].isoformat() if row["value_date"] else None,
        "reference": row["account_servicer_reference"] or row["entry_reference"],
        "code": code_of(row),
        "information": row["additional_information"],
    }


def _balance(balance: Balance | None) -> dict[str, str | None] | None:
    if balance is None:
        return None
    return {
        "code": balance.balance_code,
        "amount": _text(balance.signed_amount),
        "date": balance.balance_date.isoformat() if balance.balance_date else None,
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "locator": finding.locator,
    }


def _rejected(row: RejectedRow) -> dict[str, str]:
    return {"locator": row.locator, "code": row.code, "message": row.message}


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")
