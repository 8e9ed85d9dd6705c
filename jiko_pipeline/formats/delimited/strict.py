"""A CSV body to rows of text, or a refusal: a damaged file must not look like a short one.

Belongs here: encoding, line ends, header, field counts, what the body is when it is no CSV. Does not belong
here: what a value means (`values`), or which columns a document has (`contracts`).

Readers made for exploration accept a last line cut in half, short rows, an HTML page as a header, and
repeated column names. Here each is refused, with its line. A file cut exactly at the end of a line cannot be
told from a shorter one by looking at it: control totals find that, not this module.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jiko_pipeline.formats.reading import RefusedDocumentError

if TYPE_CHECKING:
    import _csv

MOST_BYTES: Final = 256 * 1024 * 1024
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Table:
    """A body whose text is sound: header names, and rows still to be taken one by one."""

    header: tuple[str, ...]
    _text: str
    _separator: str

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line of the file, fields) of each row; RefusedDocumentError at another field count."""
        reader = _reader(self._text, self._separator)
        width = len(self.header)
        line = 1
        try:
            next(reader)
            line = reader.line_num + 1
            for fields in reader:
                if len(fields) != width:
                    raise RefusedDocumentError(
                        "FIELD_COUNT",
                        f"Line {line} has {len(fields)} fields, the header has {width}.",
                        f"line {line}",
                    )
                yield line, fields
                line = reader.line_num + 1
        except csv.Error as error:
            raise RefusedDocumentError(
                "MALFORMED_LINE", f"Line {line} is malformed: {error}.", f"line {line}"
            ) from None


def open_table(body: bytes, separator: str) -> Table:
    """The header and rows of a body, or RefusedDocumentError naming what it is instead."""
    text = text_of(body)
    reader = _reader(text, separator)
    try:
        header = tuple(next(reader))
    except (StopIteration, csv.Error):
        raise RefusedDocumentError("MALFORMED_LINE", "The header line cannot be read.", "line 1") from None
    return Table(header, text, separator)


def text_of(body: bytes) -> str:
    """The body as text with `\\n` line ends, or RefusedDocumentError."""
    if not body:
        raise RefusedDocumentError("EMPTY_DOCUMENT", "The document is empty; even without rows it has a header.")
    if len(body) > MOST_BYTES:
        raise RefusedDocumentError("TOO_LARGE", f"The document has {len(body):,} bytes, more than any report has.")
    if (what := other_than_csv(body)) is not None:
        raise RefusedDocumentError("NOT_CSV", f"The document is {what}, not CSV.", "line 1")
    body = body.removeprefix(codecs.BOM_UTF8)
    if (at := body.find(b"\x00")) >= 0:
        raise _at(body, at, "NUL_BYTE", "holds a NUL byte")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _at(body, error.start, "ENCODING_REFUSED", "is not UTF-8") from None
    text = text.replace("\r\n", "\n")
    if (at := text.find("\r")) >= 0:
        line = text.count("\n", 0, at) + 1
        raise RefusedDocumentError(
            "LINE_END", f"Line {line} holds a carriage return that ends no line.", f"line {line}"
        )
    if not text.endswith("\n"):
        line = text.count("\n") + 1
        raise RefusedDocumentError("CUT_OFF", f"Line {line} has no end: the document is cut off.", f"line {line}")
    return text


def other_than_csv(body: bytes) -> str | None:
    """What a body is when it is plainly no CSV: a name for a person, or None."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "text in UTF-16"
    head = body.removeprefix(codecs.BOM_UTF8)[:512].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    for start, name in (
        (b"<", "XML or HTML"),
        (b"{", "JSON"),
        (b"[", "JSON"),
        (b"%pdf-", "a PDF"),
        (b"pk\x03\x04", "a zip or spreadsheet file"),
        (b"\x1f\x8b", "a gzip file"),
    ):
        if head.startswith(start):
            return name
    return None


def positions(header: Sequence[str], wanted: Sequence[str]) -> tuple[dict[str, int], tuple[str, ...]]:
    """(place of each wanted column, unknown columns); RefusedDocumentError names what is missing."""
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise RefusedDocumentError("HEADER", f"The header names {_listed(repeated)} more than once.", "line 1")
    missing = [name for name in wanted if name not in header]
    unknown = tuple(name for name in header if name not in wanted)
    if missing:
        found = f"; it has {_listed(unknown)} instead" if unknown else ""
        raise RefusedDocumentError("HEADER", f"The header lacks {_listed(missing)}{found}.", "line 1")
    return {name: header.index(name) for name in wanted}, unknown


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name[:_SHOWN]) for name in names[:10])


def _reader(text: str, separator: str) -> "_csv.Reader":
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)


def _at(body: bytes, offset: int, code: str, what: str) -> RefusedDocumentError:
    line = body.count(b"\n", 0, offset) + 1
    return RefusedDocumentError(code, f"Line {line} {what}.", f"line {line}")
