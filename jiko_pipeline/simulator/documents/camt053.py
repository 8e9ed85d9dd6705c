"""Statements as camt.053 in version 02 or 08, one Stmt a file.

Belongs here: element order and spelling of the two versions (ISO 20022, camt.053.001.02 and camt.053.001.08)
and the bank transaction codes. Does not belong here: amounts and balances, which arrive as `StatementFacts`.

What differs between the versions: 02 has no TxDtls/Amt and says AmtDtls/TxAmt, writes the entry status as
text, parties without Pty, BIC instead of BICFI, and the net of the summary as two elements.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Final
from xml.sax.saxutils import escape

from jiko_pipeline.calendars import NEW_YORK
from jiko_pipeline.simulator.documents.numbers import instant_text, money_text
from jiko_pipeline.simulator.model import Pocket, StatementFacts, StatementLine

MEDIA_TYPE: Final = "application/xml"
VERSIONS: Final = ("02", "08")

_CREDIT_CODES: Final = {
    "ACH_CREDIT": ("PMNT", "RCDT", "ACDT"),
    "WIRE_IN": ("PMNT", "RCDT", "DMCT"),
    "ON_US_IN": ("PMNT", "RCDT", "BOOK"),
    "SWEEP_IN": ("CAMT", "ACCB", "SWEP"),
    "ADDITION": ("SECU", "MCOP", "OTHR"),
    "GAIN_LOSS": ("SECU", "MCOP", "OTHR"),
}
_DEBIT_CODES: Final = {
    "ACH_DEBIT": ("PMNT", "ICDT", "ACDT"),
    "WIRE_OUT": ("PMNT", "ICDT", "DMCT"),
    "ON_US_OUT": ("PMNT", "ICDT", "BOOK"),
    "CARD": ("PMNT", "CCRD", "POSD"),
    "BANK_FEE": ("ACMT", "MDOP", "FEES"),
    "SWEEP_OUT": ("CAMT", "ACCB", "SWEP"),
    "SUBTRACTION": ("SECU", "MDOP", "OTHR"),
    "GAIN_LOSS": ("SECU", "MDOP", "OTHR"),
    "MANAGEMENT_FEE": ("SECU", "MDOP", "FEES"),
}
_NO_CODE: Final = ("XTND", "NTAV", "NTAV")
PROPRIETARY_CODES: Final = frozenset(_CREDIT_CODES) | frozenset(_DEBIT_CODES)
"""Every proprietary code that a statement may show."""


def render(facts: StatementFacts, *, version: str, message_id: str, created_at: datetime) -> bytes:
    """The document of one pocket and day, valid against the ISO schema of `version` ("02" or "08").

    `message_id` has at most 35 characters; `created_at` is aware. A corrupt statement is the same document
    cut off at about two thirds. Raises ValueError for another version and KeyError for an unknown activity
    code.
    """
    if version not in VERSIONS:
        raise ValueError(f"statements are written in version 02 or 08, not {version}")
    statement_id = f"{facts.kind}-{facts.day:%Y%m%d}-{facts.pocket.id.replace('-', '')[:12]}"
    created = instant_text(created_at)
    text = "".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">\n<BkToCstmrStmt>\n',
            f"<GrpHdr><MsgId>{message_id}</MsgId><CreDtTm>{created}</CreDtTm>",
            "<MsgPgntn><PgNb>1</PgNb><LastPgInd>true</LastPgInd></MsgPgntn></GrpHdr>\n<Stmt>\n",
            f"<Id>{statement_id}</Id><ElctrncSeqNb>{facts.sequence_number}</ElctrncSeqNb>",
            f"<CreDtTm>{created}</CreDtTm>{_period(facts.day)}\n",
            _account(facts.kind, facts.pocket, version),
            _balance("OPBD", facts.opening_cents, facts.previous_day),
            _balance("CLBD", facts.closing_cents, facts.day),
            _summary(facts.lines, version),
            *(_entry(line, facts.pocket, version) for line in facts.lines),
            "</Stmt>\n</BkToCstmrStmt>\n</Document>\n",
        )
    )
    body = text.encode()
    return body[: len(body) * 2 // 3] if facts.corrupt else body


def domain_code(line: StatementLine) -> tuple[str, str, str]:
    """The ISO 20022 bank transaction code of a line: domain, family, sub-family.

    A line booked against its direction keeps the code of its kind; what ISO 20022 has no word for is XTND.
    """
    own, other = (_CREDIT_CODES, _DEBIT_CODES) if line.credit else (_DEBIT_CODES, _CREDIT_CODES)
    return own.get(line.code) or other.get(line.code) or _NO_CODE


def _period(day: date) -> str:
    first = datetime.combine(day, time(0), tzinfo=NEW_YORK).isoformat()
    last = datetime.combine(day, time(23, 59, 59), tzinfo=NEW_YORK).isoformat()
    return f"<FrToDt><FrDtTm>{first}</FrDtTm><ToDtTm>{last}</ToDtTm></FrToDt>"


def _account(kind: str, pocket: Pocket, version: str) -> str:
    tag = "BIC" if version == "02" else "BICFI"
    kind_of_account = "<Cd>CACC</Cd>" if kind == "BANK" else "<Prtry>BROKERAGE</Prtry>"
    name = escape(pocket.name[:70])
    return (
        f"<Acct><Id><Othr><Id>{pocket.id.replace('-', '')}</Id></Othr></Id><Tp>{kind_of_account}</Tp>"
        f"<Ccy>USD</Ccy><Nm>{name}</Nm><Svcr><FinInstnId><{tag}>JIKOUS33</{tag}>"
        "<Nm>JIKO BANK (SIMULATED)</Nm></FinInstnId></Svcr></Acct>\n"
    )


def _balance(code: str, cents: int, day: date) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="USD">{money_text(abs(cents))}</Amt>'
        f"<CdtDbtInd>{_side(cents >= 0)}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>\n"
    )


def _summary(lines: Sequence[StatementLine], version: str) -> str:
    credits = [line.amount_cents for line in lines if line.credit]
    debits = [line.amount_cents for line in lines if not line.credit]
    net = sum(credits) - sum(debits)
    net_amount, side = money_text(abs(net)), _side(net >= 0)
    total = (
        f"<TtlNetNtryAmt>{net_amount}</TtlNetNtryAmt><CdtDbtInd>{side}</CdtDbtInd>"
        if version == "02"
        else f"<TtlNetNtry><Amt>{net_amount}</Amt><CdtDbtInd>{side}</CdtDbtInd></TtlNetNtry>"
    )
    return (
        f"<TxsSummry><TtlNtries>{_count_and_sum([*credits, *debits])}{total}</TtlNtries>"
        f"<TtlCdtNtries>{_count_and_sum(credits)}</TtlCdtNtries>"
        f"<TtlDbtNtries>{_count_and_sum(debits)}</TtlDbtNtries></TxsSummry>\n"
    )


def _count_and_sum(amounts: Sequence[int]) -> str:
    return f"<NbOfNtries>{len(amounts)}</NbOfNtries><Sum>{money_text(sum(amounts))}</Sum>"


def _entry(line: StatementLine, pocket: Pocket, version: str) -> str:
    amount = f'<Amt Ccy="USD">{money_text(line.amount_cents)}</Amt>'
    side = _side(line.credit)
    if version == "02":
        status = "BOOK"
        detail_amount = f"<AmtDtls><TxAmt>{amount}</TxAmt></AmtDtls>"
    else:
        status = "<Cd>BOOK</Cd>"
        detail_amount = f"{amount}<CdtDbtInd>{side}</CdtDbtInd>"
    domain, family, sub_family = domain_code(line)
    end_to_end_id = line.end_to_end_id.replace("-", "") if len(line.end_to_end_id) > 35 else line.end_to_end_id
    remittance = "".join(
        f"<Ustrd>{escape(line.remittance[start : start + 140])}</Ustrd>"
        for start in range(0, len(line.remittance), 140)
    )
    return (
        f"<Ntry>{amount}<CdtDbtInd>{side}</CdtDbtInd><Sts>{status}</Sts>"
        f"<BookgDt><Dt>{line.booking_date}</Dt></BookgDt><ValDt><Dt>{line.value_date}</Dt></ValDt>"
        f"<AcctSvcrRef>{escape(line.reference)}</AcctSvcrRef>"
        f"<BkTxCd><Domn><Cd>{domain}</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>{sub_family}</SubFmlyCd></Fmly></Domn>"
        f"<Prtry><Cd>{line.code}</Cd><Issr>JIKO</Issr></Prtry></BkTxCd>"
        f"<NtryDtls><TxDtls><Refs><EndToEndId>{escape(end_to_end_id)}</EndToEndId></Refs>{detail_amount}"
        f"{_parties(line, pocket, version)}"
        f"{f'<RmtInf>{remittance}</RmtInf>' if remittance else ''}</TxDtls></NtryDtls></Ntry>\n"
    )


def _parties(line: StatementLine, pocket: Pocket, version: str) -> str:
    if not line.counterparty:
        return ""
    us, them = escape(pocket.name[:140]), escape(line.counterparty[:140])
    debtor, creditor = (them, us) if line.credit else (us, them)
    before, after = ("", "") if version == "02" else ("<Pty>", "</Pty>")
    return (
        f"<RltdPties><Dbtr>{before}<Nm>{debtor}</Nm>{after}</Dbtr>"
        f"<Cdtr>{before}<Nm>{creditor}</Nm>{after}</Cdtr></RltdPties>"
    )


def _side(credit: bool) -> str:
    return "CRDT" if credit else "DBIT"
