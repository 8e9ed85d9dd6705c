"""A long document for the parser, less the entries that need none: they are matched by their shape.

Belongs here: cutting entries out of the bytes, learning shapes, and the check that makes it safe. Does not
belong here: what a shape is (`shapes`), what becomes of an entry (`stream`).

The whole document is first found well formed by libxml2. Then a run of entries that match a known shape is
replaced by one empty element, and the parser reads what is left: the walk meets the mark where the entries
stood, in order and below the right parent, or below supplementary data, where it is passed over. An entry
that matches no shape stays, and is parsed like any entry of a short document.
"""

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Final

from lxml import etree

from jiko_pipeline.formats.camt053.shapes import Groups, Shape, Signature, resolved, signature_of

MARK: Final = "PlainEntries"
"""The element that stands for a run of entries."""
LEAST_BYTES: Final = 512 * 1024
"""Below this a pattern costs more than it saves."""
WINDOW: Final = 256 * 1024
MOST_SHAPES: Final = 24
SEEN_BEFORE: Final = 6
"""So many entries of a shape are parsed before a pattern is made of it."""
MOST_SIGHTINGS: Final = 4096
"""So many entries without a pattern are looked at for their shape."""

_FIRST_ENTRY: Final = re.compile(rb"<((?:[A-Za-z_][A-Za-z0-9._-]*:)?Ntry)>")
_DECLARATION: Final = 100
"""The declaration of a document ends before this."""

Run = Sequence[tuple[Shape, Groups]]


def has_plain_entries(body: bytes) -> bool:
    """Whether it is worth while and safe to match entries: long, and without comments and the like.

    Safe only in a document of LEAST_BYTES that `check_well_formed` took.
    """
    return (
        len(body) >= LEAST_BYTES
        and _FIRST_ENTRY.search(body) is not None
        and (b"!" not in body or b"<!" not in body)
        and (body.find(b"?", _DECLARATION) < 0 or body.find(b"<?", 2) < 0)
        and body.find(MARK.encode()) < 0
    )


def check_well_formed(body: bytes) -> None:
    """Have libxml2 read all of it and keep nothing; raises lxml's XMLSyntaxError.

    The document is pulled, not fed: only so does libxml2 look at the depth. What is wrong with a namespace it notes
    and reads on, as long as no tree is made, so its notes are looked at.
    """
    parser = etree.XMLParser(
        target=_Nothing(),  # type: ignore[arg-type]  # a target may leave out the events that it does not want
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    etree.parse(_Watched(body, parser), parser)
    _raise_noted(parser)


class _Watched(BytesIO):
    """The body as a file that stops at the first note of an error, before there are many."""

    def __init__(self, body: bytes, parser: etree.XMLParser) -> None:
        super().__init__(body)
        self._parser = parser

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes, about so many; none at the end."""
        _raise_noted(self._parser)
        return super().read(size)


def _raise_noted(parser: etree.XMLParser) -> None:
    for note in parser.error_log:
        if note.level >= etree.ErrorLevels.ERROR:
            place = (note.type, note.line, note.column)
            raise etree.XMLSyntaxError(note.message, *place)  # type: ignore[call-arg]  # lxml's own takes a place


class _Nothing:
    """A parser's target that wants nothing."""

    def close(self) -> None:
        """There is no result."""


class Skeleton:
    """The bytes that the parser gets, and the runs of entries that it does not, in the order of their marks."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        first = _FIRST_ENTRY.search(body)
        name = first[1].decode("ascii") if first else "Ntry"
        self._open, self._close = f"<{name}>", f"</{name}>"
        self._end_of_entry = self._close.encode("ascii")
        self._shapes: list[Shape] = []
        self._seen: Counter[Signature] = Counter()
        self._sightings = 0
        self._runs: deque[Run] = deque()
        self._pieces = self._cut()

    def read(self) -> bytes:
        """The next bytes for the parser; empty at the end."""
        return next(self._pieces, b"")

    def next_run(self) -> Run:
        """The entries that the mark just met stands for."""
        return self._runs.popleft()

    def _cut(self) -> Iterator[bytes]:
        body, place, size = self._body, 0, len(self._body)
        while place < size:
            end = body.rfind(self._end_of_entry, place, place + WINDOW)
            if end < 0:
                # No entry ends here: these bytes are not looked at, which is always right.
                yield body[place : place + WINDOW]
                place += WINDOW
            else:
                end += len(self._end_of_entry)
                yield self._without_plain_entries(body[place:end])
                place = end

    def _without_plain_entries(self, window: bytes) -> bytes:
        try:
            text = window.decode("utf-8")
        except UnicodeDecodeError:
            # The window before ended within a character.
            return window
        kept: list[str] = []
        run: list[tuple[Shape, Groups]] = []
        place, referring = 0, "&" in text
        while (start := text.find(self._open, place)) >= 0:
            if start > place and (between := text[place:start]).strip():
                self._end_run(run, kept)
                run = []
                kept.append(between)
            found = self._matched(text, start, referring)
            if found is None:
                self._end_run(run, kept)
                run = []
                place = text.index(self._close, start) + len(self._close)
                kept.append(text[start:place])
                self._learn(kept[-1])
            else:
                shape, groups, place = found
                run.append((shape, groups))
        self._end_run(run, kept)
        kept.append(text[place:])
        return "".join(kept).encode("utf-8")

    def _end_run(self, run: Run, kept: list[str]) -> None:
        if run:
            self._runs.append(run)
            kept.append(f"<{MARK}/>")

    def _matched(self, text: str, start: int, referring: bool) -> tuple[Shape, Groups, int] | None:
        for place, shape in enumerate(self._shapes):
            match = shape.match(text, start)
            if match is not None:
                if place:
                    # Shapes that are met often come to stand first.
                    self._shapes[place - 1 : place + 1] = shape, self._shapes[place - 1]
                groups: Groups | None = match.groups()
                if groups is not None and referring:
                    groups = resolved(groups)
                return None if groups is None else (shape, groups, match.end())
        return None

    def _learn(self, text: str) -> None:
        if self._sightings >= MOST_SIGHTINGS or len(self._shapes) >= MOST_SHAPES:
            return
        self._sightings += 1
        signature = signature_of(text)
        if signature is None:
            return
        self._seen[signature] += 1
        if self._seen[signature] == SEEN_BEFORE:
            shape = Shape(signature)
            if shape.is_lossless:
                self._shapes.append(shape)
