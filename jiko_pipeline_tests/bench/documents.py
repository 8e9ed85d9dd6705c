"""Documents large enough to measure reading, grown from documents that the simulated bank wrote.

Belongs here: making the bytes. Does not belong here: reading them.
"""

import copy
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from lxml import etree

STATEMENT_ENTRIES: Final = 20_000
TRADE_ROWS: Final = 50_000


def large_statement(bodies: Sequence[bytes]) -> bytes:
    """A camt.053 statement of many entries that foots: the first entry of one of `bodies`, repeated."""
    body = next(body for body in bodies if b"<Ntry>" in body)
    root = etree.fromstring(body)
    namespace = {"c": etree.QName(root).namespace}
    (statement,) = root.findall(".//c:Stmt", namespace)
    first, *others = statement.findall("c:Ntry", namespace)
    for summary in statement.findall("c:TxsSummry", namespace):
        statement.remove(summary)
    for entry in others:
        statement.remove(entry)
    amount = Decimal(first.findtext("c:Amt", namespaces=namespace))
    sign = 1 if first.findtext("c:CdtDbtInd", namespaces=namespace) == "CRDT" else -1
    balances = {
        balance.findtext(".//c:CdOrPrtry/c:Cd", namespaces=namespace): balance
        for balance in statement.findall("c:Bal", namespace)
    }
    closing = _signed(balances["OPBD"], namespace) + sign * amount * STATEMENT_ENTRIES
    balances["CLBD"].find("c:Amt", namespace).text = str(abs(closing))
    balances["CLBD"].find("c:CdtDbtInd", namespace).text = "CRDT" if closing >= 0 else "DBIT"
    place = statement.index(first)
    statement.remove(first)
    for number in range(STATEMENT_ENTRIES):
        entry = copy.deepcopy(first)
        for reference in (
            *entry.iterfind(".//c:AcctSvcrRef", namespace),
            *entry.iterfind(".//c:EndToEndId", namespace),
        ):
            reference.text = f"R{number:08d}"
        statement.insert(place + number, entry)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written


def _signed(balance: "etree._Element", namespace: dict[str | None, str]) -> Decimal:
    amount = Decimal(balance.findtext("c:Amt", namespaces=namespace))
    return amount if balance.findtext("c:CdtDbtInd", namespaces=namespace) == "CRDT" else -amount


def large_trade_report(bodies: Sequence[bytes]) -> bytes:
    """A TRADE_REPORT in CSV of many rows: the first row of one of `bodies` under ever new references."""
    body = next(body for body in bodies if body.count(b"\n") > 1)
    header, row, *_ = body.decode().splitlines()
    place = header.split(",").index("Trade Reference")
    fields = row.split(",")
    lines = [header]
    for number in range(TRADE_ROWS):
        fields[place] = f"00000000-0000-4000-8000-{number:012d}"
        lines.append(",".join(fields))
    return ("\n".join(lines) + "\n").encode()


def write_statement(entries: int, path: Path) -> None:
    """A camt.053.001.08 of many entries of one shape, some 1,270 bytes each, written as it is made."""
    with path.open("w") as file:
        file.write(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId>'
            "<CreDtTm>2024-07-17T21:00:00Z</CreDtTm></GrpHdr><Stmt><Id>S</Id><Acct><Id><IBAN>DE89370400440532013000"
            "</IBAN></Id><Ccy>USD</Ccy></Acct>"
        )
        for code, amount in (("OPBD", "0.00"), ("CLBD", f"{entries}.00")):
            file.write(
                f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="USD">{amount}</Amt>'
                "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2024-07-17</Dt></Dt></Bal>"
            )
        for number in range(entries):
            file.write(_ENTRY.replace("{n}", f"{number:09d}"))
        file.write("\n</Stmt></BkToCstmrStmt></Document>\n")


_ENTRY: Final = """
<Ntry>
 <NtryRef>REF{n}</NtryRef>
 <Amt Ccy="USD">1.00</Amt>
 <CdtDbtInd>CRDT</CdtDbtInd>
 <RvslInd>false</RvslInd>
 <Sts><Cd>BOOK</Cd></Sts>
 <BookgDt><Dt>2024-07-17</Dt></BookgDt>
 <ValDt><Dt>2024-07-17</Dt></ValDt>
 <AcctSvcrRef>ASR{n}</AcctSvcrRef>
 <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn>\
<Prtry><Cd>NTRF+166</Cd><Issr>DK</Issr></Prtry></BkTxCd>
 <NtryDtls><TxDtls>
  <Refs><MsgId>MSG{n}</MsgId><InstrId>INS{n}</InstrId><EndToEndId>E2E{n}</EndToEndId>\
<UETR>8a562c67-ca16-48ba-b074-000{n}</UETR></Refs>
  <Amt Ccy="USD">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
  <RltdPties><Dbtr><Pty><Nm>Debtor {n}</Nm></Pty></Dbtr><DbtrAcct><Id><IBAN>DE89370400440{n}</IBAN></Id></DbtrAcct>\
<Cdtr><Pty><Nm>Creditor</Nm></Pty></Cdtr><CdtrAcct><Id><IBAN>GB29NWBK60160{n}</IBAN></Id></CdtrAcct></RltdPties>
  <RltdAgts><DbtrAgt><FinInstnId><BICFI>DEUTDEFF</BICFI></FinInstnId></DbtrAgt></RltdAgts>
  <Purp><Cd>SALA</Cd></Purp>
  <RmtInf><Ustrd>Invoice {n} of July</Ustrd><Strd><CdtrRefInf><Ref>RF{n}</Ref></CdtrRefInf></Strd></RmtInf>
 </TxDtls></NtryDtls>
 <AddtlNtryInf>Transfer {n}</AddtlNtryInf>
</Ntry>"""
