"""The monthly statement as a PDF of one page.

Belongs here: a cover page that names the pocket and the month. Does not belong here: figures, which the daily
camt.053 documents carry.
"""

from typing import Final

from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.model import MonthlyStatement, Pocket

MEDIA_TYPE: Final = "application/pdf"


def render(statement: MonthlyStatement, pocket: Pocket) -> bytes:
    """The document (ISO 32000, PDF 1.4, one page of text)."""
    lines = (
        "JIKO (SIMULATED)",
        f"{statement.type} statement {statement.key}",
        f"Pocket {pocket.name}, {pocket.id}",
        f"Account ending {pocket.account_number[-4:]}",
        f"Made {instant_text(statement.created_at)}",
    )
    shown = "".join(f"({_escaped(line)}) Tj 0 -18 Td " for line in lines)
    content = f"BT /F1 12 Tf 72 720 Td {shown}ET".encode("latin-1", "replace")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    body = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, item in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    body += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(body)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
