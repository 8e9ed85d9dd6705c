"""Walking a document once, in memory bounded by the size of one entry.

Belongs here: the parser's settings, the order of events, dropping what has been read, the caps that need a
parser. Does not belong here: where a value stands (`elements`), what values mean together (`checks`), and
what is decided before parsing (`gate`).
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Final

from lxml import etree

from jiko_pipeline.formats.camt053 import checks, elements, layouts, skeleton
from jiko_pipeline.formats.camt053.access import Scope
from jiko_pipeline.formats.camt053.findings import Findings
from jiko_pipeline.formats.camt053.gate import MOST_BYTES, admit
from jiko_pipeline.formats.camt053.paths import Begun, Row, fill
from jiko_pipeline.formats.camt053.pieces import Gathering
from jiko_pipeline.formats.camt053.records import Document, GroupHeader, Pagination, Piece, Statement
from jiko_pipeline.formats.camt053.skeleton import MARK, Skeleton, check_well_formed, has_plain_entries
from jiko_pipeline.formats.reading import RefusedDocumentError, Severity

MOST_BYTES_HELD: Final = 4 * 1024 * 1024
"""So much XML may pass without one statement, entry or transaction coming to its end."""
MOST_SIBLINGS: Final = 10_000
"""Children of one element that may stand in memory at once."""

_ROOTS: Final = ("BkToCstmrStmt", "BkToCstmrStmtV01")
_ASIDE: Final = "SplmtryData"
_ENTRY_OR_MARK: Final = ("}Ntry", f"}}{MARK}")
_VERSION: Final = re.compile(r"camt.*?053.*?\b001\.([0-9]{2})(?![0-9])", re.IGNORECASE)
_OTHER_MESSAGES: Final = {
    "BkToCstmrAcctRpt": "camt.052, an account report",
    "BkToCstmrDbtCdtNtfctn": "camt.054, a debit or credit notification",
}

Sink = Callable[[Piece], None]
"""Takes the entries with everything below them, some thousands at a time and in order."""


class _Metered:
    """The body as a file that stops when too much of it goes by without anything being finished."""

    def __init__(self, body: bytes, skeleton: Skeleton | None) -> None:
        self.skeleton = skeleton
        self._file = BytesIO(body)
        self.held = 0

    def read(self, size: int) -> bytes:
        """The next bytes, about so many; none at the end."""
        piece = self._file.read(size) if self.skeleton is None else self.skeleton.read()
        self.held += len(piece)
        if self.held > MOST_BYTES_HELD:
            raise RefusedDocumentError(
                "OVERSIZED_ELEMENT", f"One element takes more than {MOST_BYTES_HELD:,} bytes without an end."
            )
        return piece


def parse(body: bytes, sink: Sink | None = None, *, most_bytes: int = MOST_BYTES, matched: bool = True) -> Document:
    """Read one document; entries go to `sink` in pieces as soon as they are complete.

    `matched` lets the entries of a long document be matched by their shape (`skeleton`); the result is the same.

    Raises RefusedDocumentError for what is no readable camt.053: refused by the gate, not well formed,
    another message, or without a statement. Everything else that is wrong is a finding.
    """
    admitted = admit(body, most_bytes)
    if len(admitted.body) >= skeleton.LEAST_BYTES:
        # Damage at the end of a long document is found before much is made of what stands before it.
        with _refusing():
            check_well_formed(admitted.body)
    if matched and has_plain_entries(admitted.body):
        source = _Metered(b"", Skeleton(admitted.body))
    else:
        source = _Metered(admitted.body, None)
    walk = _Walk(source, sink)
    events = etree.iterparse(
        source,
        events=("end",),
        tag=[f"{{*}}{name}" for name in (*_ROOTS, *_OTHER_MESSAGES, "Stmt", "Ntry", "TxDtls", MARK, _ASIDE)],
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,
    )
    with _refusing():
        for _, element in events:
            walk.take(element)
    document = walk.document()
    return Document(document.version, document.statements, (*admitted.findings, *document.findings))


@contextmanager
def _refusing() -> Iterator[None]:
    """What the parser does not take is refused with its line and column."""
    try:
        yield
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise RefusedDocumentError(
            "NOT_WELL_FORMED",
            f"The document is cut off or not well formed at line {line}, column {column}: {error.msg}.",
            f"line {line}, column {column}",
        ) from None


class _Walk:
    """The state of one pass over one document."""

    def __init__(self, source: _Metered, sink: Sink | None) -> None:
        self._source = source
        self._sink = sink
        self._scope = Scope()
        self._entry_tags = layouts.ENTRY.tags()
        self._detail_tags = layouts.DETAIL.tags()
        self._began = False
        self._document_findings = Findings()
        self._version: str | None = None
        self._other: str | None = None
        self._statements: list[Statement] = []
        self._group = GroupHeader(None, None)
        self._message: etree._Element | None = None
        self._statement: etree._Element | None = None
        self._block: etree._Element | None = None
        self._block_number = 0
        self._in_block = 0
        self._details: list[Row] = []
        self._positions: list[tuple[int, int]] = []
        self._below: list[Begun] = []
        self._start_statement()

    def _start_statement(self) -> None:
        self._gathering = Gathering(len(self._statements) + 1, self._scope.findings, self._scope.days)
        self._tally = checks.Tally()

    def take(self, element: etree._Element) -> None:
        """One element that matters has come to its end."""
        local = self._scope.names[element.tag]
        parent = element.getparent()
        if local == "TxDtls":
            if parent is None or not self._is_block(parent):
                return
            self._end_detail(element)
        elif local == "Ntry":
            if parent is None or not self._is_statement(parent):
                return
            self._end_entry(element)
        elif local == MARK:
            self._end_run(parent)
        elif local == "Stmt":
            if not self._is_statement(element):
                return
            self._end_statement(element)
        elif local == _ASIDE:
            self._tell_aside(element)
            return
        else:
            self._end_message(element, local)
            return
        self._source.held = 0
        element.clear()
        _drop_before(element)

    def document(self) -> Document:
        """The result, once the last element was taken."""
        if not self._began:
            found = _OTHER_MESSAGES.get(self._other or "")
            message = f"The document is {found}." if found else "The document holds no camt.053 message."
            raise RefusedDocumentError("NOT_A_STATEMENT", message)
        if not self._statements:
            raise RefusedDocumentError("NO_STATEMENT", "The document is a camt.053 message without a statement.")
        checks.check_document(self._document_findings, self._statements)
        return Document(self._version, tuple(self._statements), self._document_findings.drain())

    def _is_block(self, element: etree._Element) -> bool:
        """True for an element of the present statement that holds transactions; counts blocks as they begin."""
        if element is self._block:
            return True
        above = element.getparent()
        names = self._scope.names
        directly = names[element.tag] == "Ntry"
        if not directly and names[element.tag] != "NtryDtls":
            return False
        entry = element if directly else above
        if entry is None or names[entry.tag] != "Ntry":
            return False
        statement = entry.getparent()
        if statement is None or not self._is_statement(statement):
            return False
        self._block = element
        self._in_block = 0
        self._block_number = 0 if directly else _number_of(element)
        return True

    def _is_statement(self, element: etree._Element) -> bool:
        """True for a statement of the message itself, not of supplementary data that looks like one."""
        if element is self._statement:
            return True
        names = self._scope.names
        message = element.getparent()
        if names[element.tag] != "Stmt" or message is None or names[message.tag] not in _ROOTS:
            return False
        if not self._is_own(message):
            return False
        self._begin(message)
        self._statement = element
        return True

    def _is_own(self, message: etree._Element) -> bool:
        return all(self._scope.names[ancestor.tag] != _ASIDE for ancestor in message.iterancestors())

    def _tell_aside(self, element: etree._Element) -> None:
        """Supplementary data is not read; that it is there, and where, is told once for each place."""
        ancestors = [self._scope.names[ancestor.tag] for ancestor in element.iterancestors()]
        if _ASIDE in ancestors:
            return
        message = "Supplementary data stands here and is not read."
        if "Stmt" not in ancestors:
            self._document_findings.add("SUPPLEMENTARY_DATA", Severity.INFO, message)
            return
        place = f"Stmt[{len(self._statements) + 1}]"
        if "Ntry" in ancestors:
            place += f"/Ntry[{self._gathering.next_entry_seq}]"
        if "TxDtls" in ancestors:
            block = next(element.iterancestors("{*}NtryDtls"), None)
            if block is not None:
                place += f"/NtryDtls[{_number_of(block)}]"
            place += f"/TxDtls[{self._in_block + 1 if block is self._block else 1}]"
        self._scope.findings.add("SUPPLEMENTARY_DATA", Severity.INFO, message, place)

    def _end_message(self, element: etree._Element, local: str) -> None:
        if local in _OTHER_MESSAGES:
            self._other = local
        elif self._is_own(element):
            self._begin(element)
            self._message = None

    def _begin(self, message: etree._Element) -> None:
        if message is self._message:
            return
        self._message = message
        self._began = True
        self._group = GroupHeader(None, None)
        self._version = _version_of(message)
        if self._version not in checks.KNOWN_VERSIONS:
            text = f"The version of the message is {self._version or 'not stated'}; it was read all the same."
            self._document_findings.add("UNKNOWN_VERSION", Severity.WARNING, text)
        parent = message.getparent()
        if parent is None or parent.getparent() is not None or not parent.tag.endswith("Document"):
            text = "The message does not stand in a Document at the top; it was found inside an envelope."
            self._document_findings.add("ENVELOPE", Severity.INFO, text)

    def _end_detail(self, element: etree._Element) -> None:
        self._in_block += 1
        row: Row = {}
        begun: Begun = []
        fill(element, self._detail_tags, row, begun)
        self._details.append(row)
        self._positions.append((self._block_number, self._in_block))
        self._below.append(begun)

    def _end_entry(self, element: etree._Element) -> None:
        row: Row = {}
        begun: Begun = []
        fill(element, self._entry_tags, row, begun)
        gathering = self._gathering
        gathering.add(row, begun, self._details, self._positions, self._below)
        if self._details:
            self._details.clear()
            self._positions.clear()
            self._below.clear()
        self._block = None
        if gathering.is_full:
            self._hand_over()

    def _end_run(self, parent: etree._Element | None) -> None:
        """Entries that stood here and were matched; outside of a statement they are none."""
        if self._source.skeleton is None:
            return
        run = self._source.skeleton.next_run()
        if parent is None or not self._is_statement(parent):
            return
        gathering = self._gathering
        for shape, groups in run:
            gathering.add_matched(shape, groups)
            if gathering.is_full:
                self._hand_over()

    def _hand_over(self) -> None:
        piece = self._gathering.piece()
        if piece is None:
            return
        checks.check_piece(self._scope.findings, piece)
        self._tally.add(piece)
        if self._sink is not None:
            self._sink(piece)

    def _end_statement(self, element: etree._Element) -> None:
        scope = self._scope
        self._hand_over()
        seq = len(self._statements) + 1
        parent = element.getparent()
        above = None if parent is None else scope.child(parent, "GrpHdr")
        if above is not None:
            self._group = elements.group_header(scope, above)
        header = elements.statement_header(scope, element, seq)
        totals = self._tally.totals()
        opening, closing = checks.opening_and_closing(header.balances)
        pagination = header.pagination or self._group.pagination or Pagination(None, None)
        checks.check_statement(scope.findings, f"Stmt[{seq}]", header, pagination, totals, opening, closing)
        footing = checks.foots(opening, closing, totals)
        lines = elements.lines(scope, element, seq)
        self._statements.append(
            Statement(seq, header, self._group, totals, opening, closing, footing, lines, scope.findings.drain())
        )
        self._start_statement()


def _number_of(block: etree._Element) -> int:
    """The position of a block of details in its entry."""
    return 1 + sum(1 for _ in block.itersiblings("{*}NtryDtls", preceding=True))


def _drop_before(element: etree._Element) -> None:
    """Remove the finished element of the same name before this one.

    The element itself stays, emptied, for the parser may still hold it; the next one removes it.
    """
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    if before is not None and (before.tag == element.tag or before.tag.endswith(_ENTRY_OR_MARK)):
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
