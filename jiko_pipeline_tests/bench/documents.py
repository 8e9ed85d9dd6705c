"""Documents large enough to measure reading, grown from documents that the simulated bank wrote.

Belongs here: making the bytes. Does not belong here: reading them.
"""

import copy
from collections.abc import Sequence
from decimal import Decimal
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
