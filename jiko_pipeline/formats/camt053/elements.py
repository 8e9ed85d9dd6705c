"""One function for each element of a statement: XML to record.

Belongs here: where each value stands in each version of the schema, as ordered alternatives in one place
(what differs between camt.053.001.01 and .14). Does not belong here: what the values mean together (`checks`)
and how the file is walked (`stream`).
"""

from datetime import date
from decimal import Decimal
from typing import Final

from lxml import etree

from jiko_pipeline.formats.camt053.access import Scope
from jiko_pipeline.formats.camt053.records import (
    NO_CODE,
    Balance,
    BankTransactionCode,
    Detail,
    Entry,
    GroupHeader,
    Pagination,
    StatementHeader,
    Summary,
)
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
_STATUSES: Final = (("Cd",), ("Prtry",), ())
_NAMES: Final = (("Nm",), ("Pty", "Nm"))
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
        electronic_sequence_number=scope.text(element, "ElctrncSeqNb"),
        legal_sequence_number=scope.text(element, "LglSeqNb"),
        from_date=first,
        to_date=last,
        pagination=pagination(scope, scope.child(element, "StmtPgntn")),
        copy_duplicate=scope.text(element, "CpyDplctInd"),
        summary=None if summaries is None else summary(scope, summaries, f"{locator}/TxsSummry"),
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
    return Balance(
        statement_seq,
        balance_seq,
        scope.first_text(element, *_BALANCE_CODES),
        scope.first_text(element, *_BALANCE_SUB_TYPES),
        signed(value, indicator),
        currency,
        _day_choice(scope, scope.child(element, "Dt"), locator),
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


def entry(scope: Scope, element: etree._Element, statement_seq: int, entry_seq: int, details: int) -> Entry:
    """`Ntry` without its transactions. The reversal indicator is kept and never changes the sign."""
    locator = f"Stmt[{statement_seq}]/Ntry[{entry_seq}]"
    names, text = scope.names, scope.text
    amount_element = indicator = reference = servicer = information = None
    reversal = status = booking = value_date = None
    code = NO_CODE
    for child in element:
        match names[child.tag]:
            case "Amt" if amount_element is None:
                amount_element = child
            case "CdtDbtInd":
                indicator = text(child)
            case "NtryRef":
                reference = text(child)
            case "AcctSvcrRef":
                servicer = text(child)
            case "RvslInd":
                reversal = flag(text(child))
            case "Sts":
                status = scope.first_text(child, *_STATUSES)
            case "BookgDt":
                booking = _day_choice(scope, child, f"{locator}/BookgDt")
            case "ValDt":
                value_date = _day_choice(scope, child, f"{locator}/ValDt")
            case "BkTxCd":
                code = _bank_transaction_code(scope, child)
            case "AddtlNtryInf":
                information = text(child)
    value, currency = amount(scope, amount_element, locator)
    if indicator not in ("CRDT", "DBIT"):
        message = "The entry says neither CRDT nor DBIT; its direction is unknown."
        scope.findings.add("MISSING_SIGN", Severity.ERROR, message, locator)
    return Entry(
        statement_seq,
        entry_seq,
        reference,
        servicer,
        signed(value, indicator),
        currency,
        reversal,
        status,
        booking,
        value_date,
        code.domain,
        code.family,
        code.sub_family,
        code.proprietary,
        code.issuer,
        information,
        details,
        locator,
    )


def detail(scope: Scope, element: etree._Element, position: tuple[int, int, int], locator: str) -> tuple[Detail, bool]:
    """(`TxDtls`, whether it states a sign of its own); without one its entry signs the amount."""
    names, text = scope.names, scope.text
    amount_element = amounts = references = parties = information = indicator = None
    lines: list[str] = []
    for child in element:
        match names[child.tag]:
            case "Refs":
                references = child
            case "Amt":
                amount_element = child
            case "CdtDbtInd":
                indicator = text(child)
            case "AmtDtls":
                amounts = child
            case "RltdPties":
                parties = child
            case "RmtInf":
                lines.extend(line for each in scope.children(child, "Ustrd") if (line := text(each)))
            case "AddtlTxInf":
                information = text(child)
    end_to_end = instruction = transaction = uetr = servicer = None
    if references is not None:
        for child in references:
            match names[child.tag]:
                case "EndToEndId":
                    end_to_end = text(child)
                case "InstrId":
                    instruction = text(child)
                case "TxId":
                    transaction = text(child)
                case "UETR":
                    uetr = text(child)
                case "AcctSvcrRef":
                    servicer = text(child)
    if amount_element is None and amounts is not None:
        transacted = scope.child(amounts, "TxAmt")
        amount_element = None if transacted is None else scope.child(transacted, "Amt")
    value = currency = None
    if amount_element is not None:
        value, currency = amount(scope, amount_element, locator)
    if indicator == "DBIT" and value is not None:
        value = value.copy_negate()
    own_sign = indicator in ("CRDT", "DBIT")
    record = Detail(
        *position,
        value,
        currency,
        end_to_end,
        instruction,
        transaction,
        uetr,
        servicer,
        _party_name(scope, parties, "Dbtr"),
        _party_name(scope, parties, "Cdtr"),
        "\n".join(lines) or None,
        information,
        locator,
    )
    return record, own_sign


def _party_name(scope: Scope, parties: etree._Element | None, role: str) -> str | None:
    party = None if parties is None else scope.child(parties, role)
    return None if party is None else scope.first_text(party, *_NAMES)


def _day_choice(scope: Scope, element: etree._Element | None, locator: str) -> date | None:
    return None if element is None else scope.day(scope.first_text(element, *_DAYS), locator)


def _bank_transaction_code(scope: Scope, element: etree._Element) -> BankTransactionCode:
    domain = scope.child(element, "Domn")
    family = None if domain is None else scope.child(domain, "Fmly")
    proprietary = scope.child(element, "Prtry")
    return BankTransactionCode(
        scope.text(domain, "Cd"),
        scope.text(family, "Cd"),
        scope.text(family, "SubFmlyCd"),
        scope.first_text(proprietary, ("Cd",), ()) if proprietary is not None else None,
        scope.text(proprietary, "Issr"),
    )
