"""A trade confirmation: the `Name: value` lines of its PDF as the fields of the trade.

Belongs here: reading the text and comparing the fields that a trade and its confirmation share. Does not belong
here: fetching a confirmation and what becomes of the result (`pipeline.confirmations`).

How Jiko lays a confirmation out is not documented; the names of the lines are an assumption (`FIELDS`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, Final

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from jiko_pipeline.formats.exact import day_of, decimal_of, instant_of
from jiko_pipeline.formats.reading import RefusedDocumentError

FIELDS: Final[Mapping[str, str]] = {
    "trade_id": "Trade ID",
    "pocket_id": "Account ID",
    "activity": "Activity",
    "cusip": "CUSIP",
    "quantity": "Quantity",
    "price": "Price",
    "notional": "Amount",
    "traded_at_utc": "Trade Datetime",
    "settlement_date": "Settlement Date",
    "book_date": "Book Date",
    "maturity_date": "Maturity Date",
    "yield_to_maturity": "Yield To Maturity",
}
"""Column of core.trade -> name of the line that states it."""

_MOST_PAGES: Final = 20
_DAMAGE: Final = (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, OSError, RecursionError)
"""What reading a damaged PDF raises: the library does not promise its own types alone."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A trade against its confirmation: names of the columns that differ or are missing, and how many were compared."""

    differing: tuple[str, ...]
    compared: int


def lines_of(body: bytes) -> dict[str, str]:
    """The `Name: value` lines of a PDF; the first of a name counts. Raises RefusedDocumentError (NOT_A_PDF)."""
    try:
        reader = PdfReader(BytesIO(body), strict=False)
        texts = [page.extract_text() for page in reader.pages[:_MOST_PAGES]]
    except _DAMAGE as error:
        raise RefusedDocumentError(
            "NOT_A_PDF", f"The confirmation is no readable PDF ({type(error).__name__})."
        ) from None
    found: dict[str, str] = {}
    for line in "\n".join(texts).splitlines():
        name, separator, value = line.partition(":")
        if separator:
            found.setdefault(name.strip(), value.strip())
    if not found:
        raise RefusedDocumentError("NO_FIELDS", "The confirmation states no field.")
    return found


def compare(trade: Mapping[str, Any], lines: Mapping[str, str]) -> Comparison:
    """The fields of `trade` (columns of core.trade) against the lines of its confirmation, by value.

    A field that the trade leaves empty is passed over; one that only the confirmation lacks differs.
    """
    differing = []
    compared = 0
    for column, name in FIELDS.items():
        stated = trade.get(column)
        if stated is None:
            continue
        compared += 1
        if _as(type(stated), lines.get(name, "")) != stated:
            differing.append(column)
    return Comparison(tuple(differing), compared)


def _as(kind: type, text: str) -> Any:
    if kind is str:
        return text
    if kind is int:
        return int(text) if text.isascii() and text.isdigit() else None
    if kind is Decimal:
        return decimal_of(text.replace(",", ""))
    if kind is datetime:
        return instant_of(text)
    return day_of(text)
