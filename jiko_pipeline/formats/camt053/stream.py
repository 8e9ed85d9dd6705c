"""Walking a document once, in memory bounded by the size of one entry.

Belongs here: the parser's settings, the order of events, dropping what has been read, the caps that need a
parser. Does not belong here: where a value stands (`elements`), what values mean together (`checks`), and
what is decided before parsing (`gate`).
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from io import BytesIO
from typing import Final

from lxml import etree

from jiko_pipeline.formats.camt053 import checks, elements
from jiko_pipeline.formats.camt053.access import Scope
from jiko_pipeline.formats.camt053.findings import Findings
from jiko_pipeline.formats.camt053.gate import admit
from jiko_pipeline.formats.camt053.records import (
    Detail,
    Document,
    Entry,
    GroupHeader,
    Pagination,
    Statement,
    Totals,
)
from jiko_pipeline.formats.reading import RefusedDocumentError, Severity

MOST_BYTES_HELD: Final = 4 * 1024 * 1024
"""So much XML may pass without one statement, entry or transaction coming to its end."""
MOST_SIBLINGS: Final = 10_000
"""Children of one element that may stand in memory at once."""

_ROOTS: Final = ("BkToCstmrStmt", "BkToCstmrStmtV01")
_ASIDE: Final = "SplmtryData"
_VERSION: Final = re.compile(r"camt.*?053.*?\b001\.([0-9]{2})(?![0-9])", re.IGNORECASE)
_OTHER_MESSAGES: Final = {
    "BkToCstmrAcctRpt": "camt.052, an account report",
    "BkToCstmrDbtCdtNtfctn": "camt.054, a debit or credit notification",
}

Sink = Callable[[Entry, Sequence[Detail]], None]
"""Takes each entry with its transactions, in order."""


class _MeteredBytes(BytesIO):
    """The body as a file that stops when too much of it goes by without anything being finished."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.held = 0

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self.held += len(piece)
        if self.held > MOST_BYTES_HELD:
            raise RefusedDocumentError(
                "OVERSIZED_ELEMENT", f"One element takes more than {MOST_BYTES_HELD:,} bytes without an end."
            )
        return piece


def parse(body: bytes, sink: Sink | None = None) -> Document:
    """Read one document; each entry goes to `sink` with its transactions as soon as it is complete.

    Raises RefusedDocumentError for what is no readable camt.053: refused by the gate, not well formed,
    another message, or without a statement. Everything else that is wrong is a finding.
    """
    admitted = admit(body)
    source = _MeteredBytes(admitted.body)
    walk = _Walk(source, sink)
    events = etree.iterparse(
        source,
        events=("start", "end"),
        tag=[f"{{*}}{name}" for name in (*_ROOTS, *_OTHER_MESSAGES, "Stmt", "Ntry", "NtryDtls", "TxDtls", _ASIDE)],
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        for event, element in events:
            walk.take(event, element)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise RefusedDocumentError(
            "NOT_WELL_FORMED",
            f"The document is cut off or not well formed at line {line}, column {column}: {error.msg}.",
            f"line {line}, column {column}",
        ) from None
    document = walk.document()
    return Document(document.version, document.statements, (*admitted.findings, *document.findings))


class _Walk:
    """The state of one pass over one document."""

    def __init__(self, source: _MeteredBytes, sink: Sink | None) -> None:
        self._source = source
        self._sink = sink
        self._scope = Scope()
        self._began = False
        self._aside = 0
        self._document_findings = Findings()
        self._version: str | None = None
        self._other: str | None = None
        self._statements: list[Statement] = []
        self._group = GroupHeader(None, None)
        self._details: list[tuple[Detail, bool]] = []
        self._blocks = 0
        self._in_block = 0
        self._reset()

    def _reset(self) -> None:
        self._entries = self._detail_count = self._unreadable = self._without_status = 0
        self._net_all = self._net_booked = Decimal(0)
        self._currencies: dict[str, None] = {}

    def take(self, event: str, element: etree._Element) -> None:
        """One start or end of an element that matters."""
        scope = self._scope
        local = scope.names[element.tag]
        if local == _ASIDE:
            self._aside += 1 if event == "start" else -1
        if self._aside:
            return
        if event == "start":
            if local in _ROOTS:
                self._begin(element)
            elif local in _OTHER_MESSAGES:
                self._other = local
            return
        parent = element.getparent()
        above = "" if parent is None else scope.names[parent.tag]
        if local == "TxDtls" and above in ("NtryDtls", "Ntry"):
            self._end_detail(scope, element, directly=above == "Ntry")
        elif local == "NtryDtls" and above == "Ntry":
            self._blocks += 1
            self._in_block = 0
        elif local == "Ntry" and above == "Stmt":
            self._end_entry(scope, element)
        elif local == "Stmt" and above in _ROOTS:
            self._end_statement(scope, element)
        else:
            return
        self._source.held = 0
        element.clear()
        _drop_before(element)

    def document(self) -> Document:
        """The result, once the last event was taken."""
        if not self._began:
            found = _OTHER_MESSAGES.get(self._other or "")
            message = f"The document is {found}." if found else "The document holds no camt.053 message."
            raise RefusedDocumentError("NOT_A_STATEMENT", message)
        if not self._statements:
            raise RefusedDocumentError("NO_STATEMENT", "The document is a camt.053 message without a statement.")
        return Document(self._version, tuple(self._statements), self._document_findings.drain())

    def _begin(self, element: etree._Element) -> None:
        self._began = True
        self._group = GroupHeader(None, None)
        self._version = _version_of(element)
        if self._version not in checks.KNOWN_VERSIONS:
            message = f"The version of the message is {self._version or 'not stated'}; it was read all the same."
            self._document_findings.add("UNKNOWN_VERSION", Severity.WARNING, message)
        parent = element.getparent()
        if parent is None or parent.getparent() is not None or not parent.tag.endswith("Document"):
            message = "The message does not stand in a Document at the top; it was found inside an envelope."
            self._document_findings.add("ENVELOPE", Severity.INFO, message)

    def _end_detail(self, scope: Scope, element: etree._Element, *, directly: bool) -> None:
        self._in_block += 1
        statement, entry = len(self._statements) + 1, self._entries + 1
        block = "" if directly else f"/NtryDtls[{self._blocks + 1}]"
        locator = f"Stmt[{statement}]/Ntry[{entry}]{block}/TxDtls[{self._in_block}]"
        position = (statement, entry, len(self._details) + 1)
        self._details.append(elements.detail(scope, element, position, locator))

    def _end_entry(self, scope: Scope, element: etree._Element) -> None:
        self._entries += 1
        entry = elements.entry(scope, element, len(self._statements) + 1, self._entries, len(self._details))
        negative = entry.signed_amount is not None and scope.text(element, "CdtDbtInd") == "DBIT"
        details = [
            detail._replace(signed_amount=-detail.signed_amount)
            if negative and not own_sign and detail.signed_amount is not None
            else detail
            for detail, own_sign in self._details
        ]
        checks.check_entry(scope.findings, entry, details)
        self._detail_count += len(details)
        if entry.entry_status is None:
            self._without_status += 1
        if entry.signed_amount is None:
            self._unreadable += 1
        else:
            self._net_all += entry.signed_amount
            if entry.is_booked:
                self._net_booked += entry.signed_amount
        if entry.currency is not None:
            self._currencies[entry.currency] = None
        if self._sink is not None:
            self._sink(entry, details)
        self._details.clear()
        self._blocks = self._in_block = 0

    def _end_statement(self, scope: Scope, element: etree._Element) -> None:
        seq = len(self._statements) + 1
        parent = element.getparent()
        above = None if parent is None else scope.child(parent, "GrpHdr")
        if above is not None:
            self._group = elements.group_header(scope, above)
        header = elements.statement_header(scope, element, seq)
        totals = Totals(
            self._entries,
            self._detail_count,
            self._net_all,
            self._net_booked,
            self._unreadable,
            self._without_status,
            tuple(self._currencies),
        )
        opening, closing = checks.opening_and_closing(header.balances)
        pagination = header.pagination or self._group.pagination or Pagination(None, None)
        checks.check_statement(scope.findings, f"Stmt[{seq}]", header, pagination, totals, opening, closing)
        footing = checks.foots(opening, closing, totals)
        self._statements.append(
            Statement(seq, header, self._group, totals, opening, closing, footing, scope.findings.drain())
        )
        self._reset()


def _drop_before(element: etree._Element) -> None:
    """Remove the finished element of the same name before this one.

    The element itself stays, emptied, for the parser may still hold it; the next one removes it.
    """
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    if before is not None and before.tag == element.tag:
        parent.remove(before)
    if len(parent) > MOST_SIBLINGS:
        raise RefusedDocumentError(
            "TOO_MANY_ELEMENTS",
            f"An element has more than {MOST_SIBLINGS:,} children in the place of entries.",
        )


def _version_of(element: etree._Element) -> str | None:
    if element.tag.endswith("V01"):
        return "01"
    ancestor: etree._Element | None = element
    while ancestor is not None:
        if match := _VERSION.search(ancestor.tag):
            return match[1]
        ancestor = ancestor.getparent()
    for definition in element.getroottree().getroot().iter("{*}MsgDefIdr"):
        if match := _VERSION.search(definition.text or ""):
            return match[1]
    return None
