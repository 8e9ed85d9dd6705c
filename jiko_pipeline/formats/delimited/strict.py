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
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jiko_pipeline.formats.reading import RefusedDocumentError

if TYPE_CHECKING:
    import _csv

MOST_BYTES: Final = 256 * 1024 * 1024
MOST_COLUMNS: Final = 1_000
LONGEST_LINE: Final = 1024 * 1024
_SHOWN: Final = 60
_LONE_RETURN: Final = re.compile(r"\r(?!\n)")
_ROWS: Final = re.compile(r'(?:[^"\r]++|"[^"]*+"|\r\n)*+')


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
                    raise self._field_count(line, fields)
                yield line, fields
                line = reader.line_num + 1
        except csv.Error as error:
            raise RefusedDocumentError(
                "MALFORMED_LINE", f"Line {line} is malformed: {error}.", f"line {line}"
            ) from None

    def _field_count(self, line: int, fields: Sequence[str]) -> RefusedDocumentError:
        """The refusal of a row that is too long or too short, with the column where it leaves the header."""
        width, found = len(self.header), len(fields)
        if not found:
            where = "it is empty"
        elif found > width:
            where = f"{fields[width][:_SHOWN]!r} stands after column {self.header[-1][:_SHOWN]!r}, the last one"
        else:
            where = f"column {self.header[found][:_SHOWN]!r} is the first without a value"
        counts = f"Line {line} has {found} fields, the header has {width}"
        return RefusedDocumentError("FIELD_COUNT", f"{counts}: {where}.", f"line {line}")


def open_table(body: bytes, separator: str) -> Table:
    """The header and rows of a body, or RefusedDocumentError naming what it is instead."""
    text = text_of(body)
    reader = _reader(text, separator)
    try:
        header = tuple(next(reader))
    except (StopIteration, csv.Error):
        raise RefusedDocumentError("MALFORMED_LINE", "The header line cannot be read.", "line 1") from None
    if len(header) > MOST_COLUMNS:
        message = f"The header names {len(header):,} columns; no report has more than {MOST_COLUMNS:,}."
        raise RefusedDocumentError("HEADER", message, "line 1")
    return Table(header, text, separator)


def text_of(body: bytes) -> str:
    """The body as text with its own line ends, or RefusedDocumentError.

    Rows end with `\\n` or `\\r\\n`, mixed as they come; what stands between quotes is text, line ends included.
    """
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
    if not text.endswith("\n"):
        line = text.count("\n") + 1
        raise RefusedDocumentError("CUT_OFF", f"Line {line} has no end: the document is cut off.", f"line {line}")
    _refuse_long_line(text)
    _refuse_lone_return(text)
    return text


def _refuse_lone_return(text: str) -> None:
    """A carriage return outside quotes ends a line for some readers and none for others, so it is refused."""
    if _LONE_RETURN.search(text) is None:
        return
    rows = _ROWS.match(text)
    at = rows.end() if rows else 0
    if text[at : at + 1] == "\r":
        line = text.count("\n", 0, at) + 1
        place = at - text.rfind("\n", 0, at)
        message = f"Line {line} holds a carriage return that ends no line, at character {place}."
        raise RefusedDocumentError("LINE_END", message, f"line {line}")


def _refuse_long_line(text: str) -> None:
    at = 0
    while at < len(text):
        end = text.rfind("\n", at, at + LONGEST_LINE)
        if end < 0:
            line = text.count("\n", 0, at) + 1
            message = f"Line {line} has more than {LONGEST_LINE:,} characters."
            raise RefusedDocumentError("OVERSIZED_LINE", message, f"line {line}")
        at = end + 1


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
        (b"\xd0\xcf\x11\xe0", "an old spreadsheet or mail file"),
        (b"\x1f\x8b", "a gzip file"),
        (b"bzh", "a bzip2 file"),
        (b"\xfd7zxz", "an xz file"),
        (b"\x28\xb5\x2f\xfd", "a zstandard file"),
    ):
        if head.startswith(start):
            return name
    return None


def positions(header: Sequence[str], wanted: Sequence[str]) -> tuple[dict[str, int], tuple[str, ...]]:
    """(place of each wanted column, unknown columns); RefusedDocumentError names what is missing."""
    repeated = sorted(name for name, count in Counter(header).items() if count > 1)
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
    return csv.reader(io.StringIO(text, newline="\n"), delimiter=separator, strict=True)


def _at(body: bytes, offset: int, code: str, what: str) -> RefusedDocumentError:
    line = body.count(b"\n", 0, offset) + 1
    place = offset - body.rfind(b"\n", 0, offset)
    return RefusedDocumentError(code, f"Line {line} {what} at byte {place} of the line.", f"line {line}")
