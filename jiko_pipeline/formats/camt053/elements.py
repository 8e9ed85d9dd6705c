"""What stands in a statement beside its entries: one function for each element, XML to record.

Belongs here: where each value of the header, the balances and the summary stands in each version of the
schema, as ordered alternatives. Does not belong here: entries and transactions (`fields`), what the values mean
together (`checks`), how the file is walked (`stream`).
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

import polars as pl
from lxml import etree

from jiko_pipeline.formats.camt053 import layouts
from jiko_pipeline.formats.camt053.access import Scope
from jiko_pipeline.formats.camt053.columns import null_column
from jiko_pipeline.formats.camt053.paths import Row, fill
from jiko_pipeline.formats.camt053.pieces import POSITION, begun_frame
from jiko_pipeline.formats.camt053.records import (
    Balance,
    GroupHeader,
    Pagination,
    StatementHeader,
    Summary,
)
from jiko_pipeline.formats.camt053.shapes import MatchedRow
from jiko_pipeline.formats.exact import decimal_of, fits
from jiko_pipeline.formats.reading import Severity

MONEY_DIGITS: Final = (38, 2)
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}

_ACCOUNT_IDENTIFICATIONS: Final = (
    ("Id", "IBAN"),
    ("Id", "Othr", "Id"),
    ("Id", "PrtryAcct", "Id"),
    ("Id", "BBAN"),
    ("Id", "UPIC"),
)
_BALANCE_CODES: Final = (
    ("Tp", "CdOrPrtry", "Cd"),
    ("Tp", "CdOrPrtry", "Prtry"),
    ("Tp", "Cd"),
    ("Tp", "Prtry"),
)
_BALANCE_SUB_TYPES: Final = (("Tp", "SubTp", "Cd"), ("Tp", "SubTp", "Prtry"))
_PERIOD_STARTS: Final = (("FrDtTm",), ("FrDt",))
_PERIOD_ENDS: Final = (("ToDtTm",), ("ToDt",))
_DAYS: Final = (("Dt",), ("DtTm",), ())
_ACCOUNT_TYPES: Final = (("Tp", "Cd"), ("Tp", "Prtry"))
_OWNERS: Final = (("Ownr", "Nm"), ("Ownr", "Pty", "Nm"))
_SERVICER_BICS: Final = (("Svcr", "FinInstnId", "BICFI"), ("Svcr", "FinInstnId", "BIC"))
_NET_AMOUNTS: Final = (("TtlNetNtry", "Amt"), ("TtlNetNtryAmt",))
_NET_SIGNS: Final = (("TtlNetNtry", "CdtDbtInd"), ("CdtDbtInd",))


def flag(text: str | None) -> bool | None:
    """XML Schema's boolean; None when absent or anything else."""
    return _FLAGS.get(text or "")


def amount(scope: Scope, element: etree._Element | None, locator: str) -> tuple[Decimal | None, str | None]:
    """(amount as written, currency). What is no number or fits no money column is an error finding."""
    if element is None:
        scope.findings.add("AMOUNT_MISSING", Severity.ERROR, "The amount is missing.", locator)
        return None, None
    text = element.text or ""
    value = decimal_of(text)
    if value is None:
        message = f"'{text.strip()[:40]}' is not an amount."
        scope.findings.add("AMOUNT_UNREADABLE", Severity.ERROR, message, locator)
    elif not fits(value, *MONEY_DIGITS):
        message = f"{text.strip()[:60]} has more digits than money has here."
        scope.findings.add("AMOUNT_EXCESS_DIGITS", Severity.ERROR, message, locator)
    elif value < 0:
        message = f"{value} is negative; the direction belongs into CdtDbtInd."
        scope.findings.add("NEGATIVE_AMOUNT", Severity.WARNING, message, locator)
    currency = element.get("Ccy")
    return value, (currency.strip() or None) if currency else None


def signed(value: Decimal | None, indicator: str | None) -> Decimal | None:
    """The value with the sign of CRDT or DBIT; None when either cannot be read."""
    if value is None or indicator not in ("CRDT", "DBIT"):
        return None
    return value.copy_negate() if indicator == "DBIT" else value


def group_header(scope: Scope, element: etree._Element) -> GroupHeader:
    """`GrpHdr`."""
    return GroupHeader(scope.text(element, "MsgId"), pagination(scope, scope.child(element, "MsgPgntn")))


def pagination(scope: Scope, element: etree._Element | None) -> Pagination | None:
    """`MsgPgntn` or `StmtPgntn`."""
    if element is None:
        return None
    return Pagination(scope.text(element, "PgNb"), flag(scope.text(element, "LastPgInd")))


def statement_header(scope: Scope, element: etree._Element, statement_seq: int) -> StatementHeader:
    """`Stmt` without its entries."""
    locator = f"Stmt[{statement_seq}]"
    account = scope.child(element, "Acct")
    period = scope.child(element, "FrToDt")
    summaries = scope.child(element, "TxsSummry")
    first = last = None
    if period is not None:
        first = scope.day(scope.first_text(period, *_PERIOD_STARTS), f"{locator}/FrToDt")
        last = scope.day(scope.first_text(period, *_PERIOD_ENDS), f"{locator}/FrToDt")
    return StatementHeader(
        statement_id=scope.text(element, "Id"),
        created_at_text=scope.text(element, "CreDtTm"),
        account_identification=None if account is None else scope.first_text(account, *_ACCOUNT_IDENTIFICATIONS),
        account_currency=scope.text(account, "Ccy"),
        account_name=scope.text(account, "Nm"),
        account_type=None if account is None else scope.first_text(account, *_ACCOUNT_TYPES),
        account_owner_name=None if account is None else scope.first_text(account, *_OWNERS),
        account_servicer_bic=None if account is None else scope.first_text(account, *_SERVICER_BICS),
        account_servicer_name=scope.text(account, "Svcr", "FinInstnId", "Nm"),
        electronic_sequence_number=scope.text(element, "ElctrncSeqNb"),
        legal_sequence_number=scope.text(element, "LglSeqNb"),
        from_date=first,
        to_date=last,
        pagination=pagination(scope, scope.child(element, "StmtPgntn")),
        copy_duplicate=scope.text(element, "CpyDplctInd"),
        summary=None if summaries is None else summary(scope, summaries, f"{locator}/TxsSummry"),
        reporting_sequence=scope.first_text(element, ("RptgSeq", "FrSeq"), ("RptgSeq", "EQSeq")),
        additional_information=scope.text(element, "AddtlStmtInf"),
        balances=tuple(
            balance(scope, child, statement_seq, position)
            for position, child in enumerate(scope.children(element, "Bal"), start=1)
        ),
    )


def balance(scope: Scope, element: etree._Element, statement_seq: int, balance_seq: int) -> Balance:
    """`Bal`. A balance without a sign is read as a credit, with a finding."""
    locator = f"Stmt[{statement_seq}]/Bal[{balance_seq}]"
    value, currency = amount(scope, scope.child(element, "Amt"), locator)
    indicator = scope.text(element, "CdtDbtInd")
    if indicator not in ("CRDT", "DBIT"):
        message = "The balance has no credit or debit indicator; it is read as a credit."
        scope.findings.add("MISSING_SIGN", Severity.WARNING, message, locator)
        indicator = "CRDT"
    day = scope.child(element, "Dt")
    return Balance(
        statement_seq,
        balance_seq,
        scope.first_text(element, *_BALANCE_CODES),
        scope.first_text(element, *_BALANCE_SUB_TYPES),
        signed(value, indicator),
        currency,
        _day_choice(scope, day, locator),
        scope.first_text(day, *_DAYS) if day is not None else None,
        locator,
    )


def summary(scope: Scope, element: etree._Element, locator: str) -> Summary:
    """`TxsSummry`. The net is the declared one, else declared credits less declared debits."""
    totals = scope.child(element, "TtlNtries")
    count = scope.text(totals, "NbOfNtries")
    entries = int(count) if count and count.isascii() and count.isdigit() and len(count) <= 15 else None
    net: Decimal | None = None
    if totals is not None:
        text = scope.first_text(totals, *_NET_AMOUNTS)
        net = signed(decimal_of(text) if text else None, scope.first_text(totals, *_NET_SIGNS))
    if net is None:
        credits, debits = (
            decimal_of(scope.text(element, name, "Sum") or "") for name in ("TtlCdtNtries", "TtlDbtNtries")
        )
        net = credits - debits if credits is not None and debits is not None else None
    if net is not None and not fits(net, *MONEY_DIGITS):
        message = "The net amount of the summary has more digits than money has here."
        scope.findings.add("AMOUNT_EXCESS_DIGITS", Severity.ERROR, message, locator)
    return Summary(entries, net)


def _day_choice(scope: Scope, element: etree._Element | None, locator: str) -> date | None:
    return None if element is None else scope.day(scope.first_text(element, *_DAYS), locator)


def lines(scope: Scope, element: etree._Element, statement_seq: int) -> Mapping[str, pl.DataFrame]:
    """Credit lines and availability below the balances of a `Stmt` and its own interest, by name of frame."""
    rows: dict[str, tuple[list[MatchedRow], list[int | None], list[str]]] = {}

    def keep(child: etree._Element, kind: str, balance_seq: int | None, place: str) -> None:
        row: Row = {}
        fill(child, layouts.REPEATED[kind].tags(), row, [])
        kept, balances, places = rows.setdefault(kind, ([], [], []))
        kept.append(row)
        balances.append(balance_seq)
        places.append(place)

    for balance_seq, each in enumerate(scope.children(element, "Bal"), start=1):
        for child in each:
            kind = layouts.BALANCE_LINES.get(scope.names[child.tag])
            if kind is not None:
                keep(child, kind, balance_seq, f"Stmt[{statement_seq}]/Bal[{balance_seq}]")
    for number, each in enumerate(scope.children(element, "Intrst"), start=1):
        keep(each, layouts.INTEREST, None, f"Stmt[{statement_seq}]/Intrst[{number}]")
    frames = {}
    for kind, (kept, balances, places) in rows.items():
        positions = [
            pl.Series("statement_seq", [statement_seq] * len(kept), dtype=POSITION),
            pl.Series("balance_seq", balances, dtype=POSITION),
            null_column("entry_seq", POSITION, len(kept)),
            null_column("detail_seq", POSITION, len(kept)),
        ]
        frames[kind] = begun_frame(layouts.REPEATED[kind], kept, positions, places, scope.findings, scope.days)
    return frames
