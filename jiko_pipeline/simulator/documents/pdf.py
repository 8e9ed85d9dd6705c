"""A PDF of plain text (ISO 32000, PDF 1.4): what every PDF of the simulated bank is written with.

Belongs here: lines of text to bytes, always the same for the same lines. Does not belong here: what a document
says.
"""

from collections.abc import Iterable, Sequence
from typing import Final

MEDIA_TYPE: Final = "application/pdf"
_FONT: Final = 5
_LINES_OF_PAGE: Final = 36


def one_page(lines: Iterable[str]) -> bytes:
    """The document with one line of text under another; what Latin-1 cannot spell is shown as `?`."""
    return _document([list(lines)])


def pages(lines: Sequence[str]) -> bytes:
    """`one_page` over as many pages as the lines need."""
    return _document([lines[first : first + _LINES_OF_PAGE] for first in range(0, len(lines), _LINES_OF_PAGE)])


def _document(texts: Sequence[Sequence[str]]) -> bytes:
    kids = " ".join(f"{_page_number(place)} 0 R" for place in range(len(texts)))
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(texts)} >>".encode(),
        _FONT: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    }
    for place, text in enumerate(texts):
        page = _page_number(place)
        shown = "".join(f"({_escaped(line)}) Tj 0 -18 Td " for line in text)
        content = f"BT /F1 12 Tf 72 720 Td {shown}ET".encode("latin-1", "replace")
        objects[page] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F1 %d 0 R >> >> >>" % (page + 1, _FONT)
        )
        objects[page + 1] = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)
    body = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, item in sorted(objects.items()):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    body += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(body)


def _page_number(place: int) -> int:
    """The object of a page, its content follows: those of the first page stand before the font."""
    return 3 if place == 0 else 4 + 2 * place


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
