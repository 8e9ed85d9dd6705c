"""The readers of the CSV documents: bytes and what was asked for, to frames, findings and rows kept aside.

Belongs here: what the documents have in common, and the places where one differs from its columns (cash
among positions, direction of a transaction, settledness of a trade, JSON in the audit log). Does not belong
here: text and line ends (`strict`), types (`values`), layouts (`contracts`).
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Final

import polars as pl

from jiko_pipeline.formats.delimited import contracts
from jiko_pipeline.formats.delimited.contracts import Contract
from jiko_pipeline.formats.delimited.strict import Table, open_table, positions
from jiko_pipeline.formats.delimited.values import broken_rules, judge
from jiko_pipeline.formats.echo import refuse_other_days, refuse_other_pockets
from jiko_pipeline.formats.fields import structure
from jiko_pipeline.formats.frames import API_TRADE, API_TRANSACTION, POSITION, POSITION_CASH, FrameSpec
from jiko_pipeline.formats.message_frames import AUDIT_LOG
from jiko_pipeline.formats.reading import Expectation, Finding, Reading, RejectedRow, Severity

ROWS_A_PIECE: Final = 50_000
_LONGEST_KEPT_ROW: Final = 2_000
_SHOWN: Final = 40
_DATE_TYPES: Final = {
    "TRADE_DATE": "trade_date",
    "SETTLEMENT_DATE": "settlement_date",
    "BOOK_DATE": "book_date",
}


@dataclass(slots=True)
class _Piece:
    """Some rows of a document as columns of text by field, with their lines."""

    lines: pl.Series
    texts: dict[str, pl.Series]
    raw: Sequence[Sequence[str]]
    headers: Mapping[str, str]
    separator: str

    def only(self, mask: pl.Series) -> "_Piece":
        kept = [row for row, keep in zip(self.raw, mask, strict=True) if keep]
        texts = {name: values.filter(mask) for name, values in self.texts.items()}
        return _Piece(self.lines.filter(mask), texts, kept, self.headers, self.separator)


@dataclass(slots=True)
class _Collected:
    """What the pieces of one document came to."""

    frames: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    rejected: list[RejectedRow] = field(default_factory=list)

    def take(
        self, spec: FrameSpec, piece: _Piece, reasons: dict[str, pl.Series], columns: dict[str, pl.Series]
    ) -> None:
        """Keep the rows without a reason; put the others aside with their first one."""
        names = list(reasons)
        first = pl.DataFrame(
            {
                "reason": pl.select(pl.coalesce(list(reasons.values()))).to_series(),
                "column": pl.select(
                    pl.coalesce(
                        [pl.when(reasons[name].is_not_null()).then(pl.lit(name)).otherwise(None) for name in names]
                    )
                ).to_series(),
            }
        )
        sound = first["reason"].is_null()
        frame = pl.DataFrame([columns[column.name] for column in spec.columns])
        self.frames.setdefault(spec.name, []).append(frame.filter(sound))
        if not sound.all():
            for index in (~sound).arg_true():
                reason, name = first["reason"][index], first["column"][index]
                self._reject(piece, index, name, reason)

    def _reject(self, piece: _Piece, index: int, name: str, reason: str) -> None:
        code, _, what = reason.partition(": ")
        line, header = piece.lines[index], piece.headers.get(name, name)
        value = str(piece.texts[name][index] or "")[:_SHOWN] if name in piece.texts else ""
        shown = f"{value!r} {what}" if value else what
        self.rejected.append(
            RejectedRow(
                f"line {line}",
                code,
                f"Line {line}, column '{header}': {shown}.",
                piece.separator.join(piece.raw[index])[:_LONGEST_KEPT_ROW],
            )
        )


_Typer = Callable[[Contract, _Piece, _Collected], None]


def read_delimited(
    contract: Contract, body: bytes, expectation: Expectation | None = None, *, typer: _Typer | None = None
) -> Reading:
    """One CSV document by its contract.

    Raises RefusedDocumentError when the body is no sound CSV with that header (see `strict`), or, with code
    ECHO_MISMATCH, when a row is of a day or pocket that was not asked for.
    """
    table = open_table(body, contract.separator)
    places, unknown = positions(table.header, contract.header)
    collected = _Collected()
    for piece in _pieces(contract, table, places, unknown):
        (typer or _type_plainly)(contract, piece, collected)
    findings: list[Finding] = []
    if unknown:
        names = ", ".join(repr(name[:_SHOWN]) for name in unknown)
        message = f"The document has columns that are not known: {names}."
        findings.append(Finding("UNKNOWN_COLUMN", Severity.WARNING, message, "line 1"))
    frames = {name: pl.concat(pieces) for name, pieces in collected.frames.items()}
    for spec in (contract.frame, POSITION_CASH) if contract.frame is POSITION else (contract.frame,):
        frame = frames.get(spec.name, spec.empty())
        frames[spec.name] = _unrepeated(spec, frame, collected.rejected)
    for name, known in contract.words.items():
        findings.extend(_unknown_words(frames[contract.frame.name], name, known))
    rows = sum(frame.height for frame in frames.values()) + len(collected.rejected)
    if expectation is not None:
        for frame in frames.values():
            day = _DATE_TYPES.get(expectation.extra.get("date_type", ""), contract.day)
            refuse_other_days(expectation, frame, day if contract.day == "trade_date" else contract.day)
            refuse_other_pockets(expectation, frame, contract.pocket)
    collected.rejected.sort(key=lambda row: int(row.locator.rpartition(" ")[2]))
    return Reading(frames, tuple(findings), tuple(collected.rejected), rows)


def _pieces(contract: Contract, table: Table, places: Mapping[str, int], unknown: Sequence[str]) -> Iterator[_Piece]:
    names = {**{name: name for name in contract.constants}, **contract.columns}
    headers = {field_name: name for name, field_name in names.items()}
    rows = table.rows()
    while chunk := list(islice(rows, ROWS_A_PIECE)):
        raw = [fields for _, fields in chunk]
        columns = list(zip(*raw, strict=True))
        texts = {names[name]: pl.Series(name, columns[place], dtype=pl.String) for name, place in places.items()}
        if unknown and contract.frame is API_TRANSACTION:
            texts["details"] = _kept_aside(table.header, columns, unknown)
        lines = pl.Series("line", [line for line, _ in chunk], dtype=pl.Int64)
        yield _Piece(lines, texts, raw, headers, contract.separator)


def _kept_aside(header: Sequence[str], columns: Sequence[Sequence[str]], unknown: Sequence[str]) -> pl.Series:
    aside = {name: columns[header.index(name)] for name in sorted(unknown)}
    texts = (
        {name: value for name, value in zip(aside, values, strict=True) if value}
        for values in zip(*aside.values(), strict=True)
    )
    return pl.Series(
        "details", [json.dumps(each, ensure_ascii=False) if each else "" for each in texts], dtype=pl.String
    )


def _type_plainly(contract: Contract, piece: _Piece, collected: _Collected) -> None:
    columns, reasons = _typed(contract, contract.frame, piece)
    collected.take(contract.frame, piece, reasons, columns)


def _typed(contract: Contract, spec: FrameSpec, piece: _Piece) -> tuple[dict[str, pl.Series], dict[str, pl.Series]]:
    """(columns of `spec` by name, reasons against each row by field)."""
    count = piece.lines.len()
    columns: dict[str, pl.Series] = {}
    reasons: dict[str, pl.Series] = {}
    for name, constant in contract.constants.items():
        wrong = piece.texts[name] != constant
        reason = pl.lit(f"UNEXPECTED_VALUE: is not {constant!r}, as in every row of this document")
        reasons[name] = pl.select(pl.when(wrong).then(reason)).to_series().cast(pl.String)
    for column in spec.columns:
        name = column.name
        if name == "document_locator":
            columns[name] = pl.select(pl.concat_str(pl.lit("line "), piece.lines)).to_series().alias(name)
        elif name in contract.fixed:
            columns[name] = pl.Series(name, [contract.fixed[name]] * count, dtype=pl.String)
        elif name in piece.texts:
            judged = judge(piece.texts[name], column)
            columns[name], reasons[name] = judged.values, judged.reasons
            if name in contract.rules:
                broken = broken_rules(judged.values, contract.rules[name])
                reasons[name] = pl.select(pl.coalesce(judged.reasons, broken)).to_series()
        else:
            columns[name] = pl.Series(name, [None] * count, dtype=column.polars_type)
    return columns, reasons


def _type_positions(contract: Contract, piece: _Piece, collected: _Collected) -> None:
    """Rows whose CUSIP is CASH state money, not bills, and leave quantity, price and cost empty."""
    is_cash = piece.texts["cusip"] == contracts.CASH_CUSIP
    bills, cash = piece.only(~is_cash), piece.only(is_cash)
    _type_plainly(contract, bills, collected)
    stray = {name: cash.texts.pop(name) for name in ("quantity", "market_price", "historical_cost")}
    cash.texts["cash"] = cash.texts.pop("market_value")
    columns, reasons = _typed(contract, POSITION_CASH, cash)
    for name, texts in stray.items():
        reason = pl.lit("NOT_EMPTY: has a value though the row states cash")
        reasons[name] = pl.select(pl.when(texts != "").then(reason)).to_series().cast(pl.String)
    cash.headers = {**cash.headers, "cash": cash.headers["market_value"]}
    collected.take(POSITION_CASH, cash, reasons, columns)


def _type_transactions(contract: Contract, piece: _Piece, collected: _Collected) -> None:
    """The amount is unsigned; the direction signs it."""
    columns, reasons = _typed(contract, API_TRANSACTION, piece)
    direction, amount = columns["direction"], columns["signed_amount"]
    unknown = pl.lit("BAD_DIRECTION: is neither CREDIT nor DEBIT")
    wrong = pl.select(pl.when(~direction.is_in(["CREDIT", "DEBIT"])).then(unknown)).to_series().cast(pl.String)
    reasons["direction"] = pl.select(pl.coalesce(reasons["direction"], wrong)).to_series()
    signed = pl.select(pl.when(direction == "DEBIT").then(-amount).otherwise(amount)).to_series()
    columns["signed_amount"] = signed.cast(amount.dtype).alias("signed_amount")
    collected.take(API_TRANSACTION, piece, reasons, columns)


def _type_trades(contract: Contract, piece: _Piece, collected: _Collected) -> None:
    """`is_settled` is true or false; the status it means has other words."""
    texts = piece.texts["trade_status"]
    words = texts.replace_strict({"true": "SETTLED", "false": "BOOKED"}, default="", return_dtype=pl.String)
    columns, reasons = _typed(contract, API_TRADE, piece)
    columns["trade_status"] = words.alias("trade_status")
    wrong = pl.lit("BAD_FLAG: is neither true nor false")
    reasons["trade_status"] = pl.select(pl.when(words == "").then(wrong)).to_series().cast(pl.String)
    collected.take(API_TRADE, piece, reasons, columns)


def _type_audit_logs(contract: Contract, piece: _Piece, collected: _Collected) -> None:
    """`details` is JSON: written anew with sorted keys, as the listing's are."""
    columns, reasons = _typed(contract, AUDIT_LOG, piece)
    taken = {text: _structure_of(text) for text in columns["action_details"].drop_nulls().unique()}
    wrong = pl.lit("BAD_JSON: is not a JSON object")
    unread = columns["action_details"].is_in([text for text, value in taken.items() if value is None])
    reasons["action_details"] = pl.select(pl.when(unread).then(wrong)).to_series().cast(pl.String)
    written = {text: value or None for text, value in taken.items()}
    columns["action_details"] = (
        columns["action_details"].replace_strict(written, default=None, return_dtype=pl.String).alias("action_details")
    )
    collected.take(AUDIT_LOG, piece, reasons, columns)


def _structure_of(text: str) -> str | None:
    """JSON with sorted keys, empty for an empty object; None when `text` is no JSON object."""
    try:
        value = json.loads(text, parse_float=Decimal)
        if not isinstance(value, dict):
            return None
        written = structure(value, "details") or ""
        # JSON may write half of a character; that is no text, and is refused here.
        written.encode()
    except (ValueError, RecursionError):
        return None
    return written


def _unrepeated(spec: FrameSpec, frame: pl.DataFrame, rejected: list[RejectedRow]) -> pl.DataFrame:
    """Of rows with the same key the first; the others go aside, for no later step could tell them apart."""
    keys = list(spec.key)
    repeated = ~frame.select(pl.struct(keys).is_first_distinct()).to_series()
    for row in frame.filter(repeated).iter_rows(named=True):
        what = ", ".join(f"{key} {str(row[key])[:_SHOWN]}" for key in keys)
        text = ",".join("" if value is None else str(value) for value in row.values())[:_LONGEST_KEPT_ROW]
        where = str(row["document_locator"])
        rejected.append(RejectedRow(where, "REPEATED_KEY", f"{where.capitalize()} repeats {what}.", text))
    return frame.filter(~repeated)


def _unknown_words(frame: pl.DataFrame, name: str, known: frozenset[str]) -> Iterator[Finding]:
    for word in sorted(set(frame[name].drop_nulls().unique()) - known):
        message = f"'{word[:_SHOWN]}' in {name} is not a known word; the rows are kept."
        yield Finding("UNKNOWN_WORD", Severity.WARNING, message)


def read_trade_report_csv(body: bytes, expectation: Expectation | None = None) -> Reading:
    """TRADE_REPORT as CSV: frame trade_report."""
    return read_delimited(contracts.TRADE_REPORT_CSV, body, expectation)


def read_trade_report_kyriba_csv(body: bytes, expectation: Expectation | None = None) -> Reading:
    """TRADE_REPORT as KYRIBA_CSV: frame trade_report."""
    return read_delimited(contracts.TRADE_REPORT_KYRIBA_CSV, body, expectation)


def read_security_prices(body: bytes, expectation: Expectation | None = None) -> Reading:
    """SECURITY_PRICE_REPORT as KYRIBA_CSV: frame security_price."""
    return read_delimited(contracts.SECURITY_PRICE_KYRIBA_CSV, body, expectation)


def read_positions(body: bytes, expectation: Expectation | None = None) -> Reading:
    """POSITION_SUMMARY_REPORT as CSV: frames position and position_cash."""
    return read_delimited(contracts.POSITION_CSV, body, expectation, typer=_type_positions)


def read_transactions_csv(body: bytes, expectation: Expectation | None = None) -> Reading:
    """/api/v2/transactions.csv: frame api_transaction; unknown columns go into `details`."""
    return read_delimited(contracts.TRANSACTIONS_CSV, body, expectation, typer=_type_transactions)


def read_trades_csv(body: bytes, expectation: Expectation | None = None) -> Reading:
    """/api/v1/trades.csv: frame api_trade."""
    return read_delimited(contracts.TRADES_CSV, body, expectation, typer=_type_trades)


def read_audit_logs_csv(body: bytes, expectation: Expectation | None = None) -> Reading:
    """/api/v1/team/audit-logs.csv: frame audit_log."""
    return read_delimited(contracts.AUDIT_LOGS_CSV, body, expectation, typer=_type_audit_logs)


def read_reference_list(body: bytes, expectation: Expectation | None = None) -> Reading:
    """The simulated bank's list of bills: frame security_reference."""
    return read_delimited(contracts.REFERENCE_CSV, body, expectation)
