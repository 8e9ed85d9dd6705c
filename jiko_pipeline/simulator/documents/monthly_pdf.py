"""The monthly statement and the yearly tax document as a PDF of one page.

Belongs here: a cover page that names the pocket and the period. Does not belong here: figures, which the daily
camt.053 documents carry.
"""

from typing import Final

from jiko_pipeline.simulator.documents import pdf
from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.model import MonthlyStatement, Pocket

MEDIA_TYPE = pdf.MEDIA_TYPE
_WORDS: Final = {len("YYYY-MM"): "statement", len("YYYY"): "tax document"}


def render(statement: MonthlyStatement, pocket: Pocket) -> bytes:
    """The document."""
    lines = (
        "JIKO (SIMULATED)",
        f"{statement.type} {_WORDS[len(statement.key)]} {statement.key}",
        f"Pocket {pocket.name}, {pocket.id}",
        f"Account ending {pocket.account_number[-4:]}",
        f"Made {instant_text(statement.created_at)}",
    )
    return pdf.one_page(lines)
