"""Rows of text to typed columns, many rows at a time; what cannot be typed becomes a finding, never a guess.

Belongs here: one conversion for each kind of field, and positions. Does not belong here: where the text stood
(`paths`), what values mean together (`checks`).
"""

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final

import polars as pl

from jiko_pipeline.formats.camt053.fields import Field, Kind
from jiko_pipeline.formats.camt053.findings import Findings
from jiko_pipeline.formats.camt053.paths import BLANKS, REPEATED, Layout
from jiko_pipeline.formats.camt053.shapes import MatchedRow
from jiko_pipeline.formats.exact import day_of, decimal_of, fits
from jiko_pipeline.formats.reading import Severity

AMOUNT: Final = pl.Decimal(38, 9)
"""Amounts while they are worked with: finer than any currency, so that nothing is rounded before it is told."""
AMOUNT_DIGITS: Final = (29, 9)
NUMBER: Final = pl.Decimal(38, 12)
NUMBER_DIGITS: Final = (38, 12)

_CENTS: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,2})?")
_PLAIN: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}

Locate = Callable[[int], str]
"""Index of a row -> its place in the document."""


class Days(dict[str, date | None]):
    """Text -> the calendar day as written, or None for text that is no date."""

    def __missing__(self, text: str) -> date | None:
        self[text] = day = day_of(text)
        return day


class Columns:
    """The typed columns of some rows of one layout, each made when it is asked for.

    `locate` gives the place of a row for findings. Columns that no row has text for are null. Most statements
    are small, so a column is made of Python's values at once: an operation of polars costs as much as a
    thousand of them.
    """

    def __init__(
        self, layout: Layout, rows: Sequence[MatchedRow], findings: Findings, days: Days, locate: Locate
    ) -> None:
        self._layout = layout
        self._height = len(rows)
        self._findings = findings
        self._known_days = days
        self._locate = locate
        self._by_slot = _by_slot(rows)
        for index, name in enumerate(self._by_slot.pop(REPEATED, ())):
            if name is not None:
                message = f"{name} stands here more than once, where a row has room for one: the first is kept."
                findings.add("REPEATED_ELEMENT", Severity.INFO, message, locate(index))

    def texts(self, name: str) -> Sequence[str | None]:
        """The stripped text of the first path that has any, for each row."""
        found: Sequence[str | None] | None = None
        for slot in self._layout.slots[name]:
            values = self._by_slot.get(slot)
            if values is not None:
                if found is None:
                    found = values
                elif None in found:
                    found = [one or other for one, other in zip(found, values, strict=True)]
        return (None,) * self._height if found is None else found

    def of(self, field: Field) -> pl.Series:
        """The column of a field, typed by its kind and named after it."""
        if self._by_slot.keys().isdisjoint(self._layout.slots[field.name]):
            return null_column(field.name, TYPES[field.kind], self._height)
        texts = self.texts(field.name)
        match field.kind:
            case Kind.TEXT | Kind.CURRENCY | Kind.LINES:
                return pl.Series(field.name, texts, dtype=pl.String)
            case Kind.DAY:
                return pl.Series(field.name, self._days_of(texts), dtype=pl.Date)
            case Kind.FLAG:
                return pl.Series(field.name, [_FLAGS.get(text or "") for text in texts], dtype=pl.Boolean)
            case Kind.COUNT:
                return self._typed(field, texts, _count, "COUNT_UNREADABLE", "a count")
            case Kind.EXACT:
                return self._typed(field, texts, _number, "NUMBER_UNREADABLE", "a number")
            case Kind.MONEY:
                return self._typed(field, texts, _money, "AMOUNT_UNREADABLE", "an amount")

    def _days_of(self, texts: Sequence[str | None]) -> list[date | None]:
        days = self._known_days
        values = [None if text is None else days[text] for text in texts]
        if values.count(None) != texts.count(None):
            for index, (text, value) in enumerate(zip(texts, values, strict=True)):
                if value is None and text is not None:
                    message = f"'{text[:40]}' is not a date."
                    self._findings.add("ODD_DATE", Severity.WARNING, message, self._locate(index))
        return values

    def _typed(
        self,
        field: Field,
        texts: Sequence[str | None],
        value_of: Callable[[str], str | None],
        code: str,
        what: str,
    ) -> pl.Series:
        values = [text if text is None or _PLAIN.fullmatch(text) else value_of(text) for text in texts]
        if values.count(None) != texts.count(None):
            for index, (text, value) in enumerate(zip(texts, values, strict=True)):
                if value is None and text is not None:
                    message = f"'{text[:40]}' is not {what}; it is left out."
                    self._findings.add(code, Severity.WARNING, message, self._locate(index))
        return pl.Series(field.name, values, dtype=pl.String).cast(TYPES[field.kind])


def _by_slot(rows: Sequence[MatchedRow]) -> dict[int, Sequence[str | None]]:
    """Slot -> the text of each row, stripped, None where there is none; only slots that were met."""
    first = rows[0] if rows else {}
    if not isinstance(first, dict) and all(not isinstance(row, dict) and row[0] is first[0] for row in rows):
        taken = tuple(zip(*(row[1] for row in rows), strict=True))
        columns = {slot: taken[group] for slot, group in first[0].slots.items()}
    else:
        columns = _of_any_rows(rows)
    for slot, values in columns.items():
        if "" in values:
            columns[slot] = tuple(text or None for text in values)
    return columns


def _of_any_rows(rows: Sequence[MatchedRow]) -> dict[int, Sequence[str | None]]:
    parsed = [row for row in rows if isinstance(row, dict)]
    met: set[int] = set().union(*parsed)
    if len(parsed) < len(rows):
        for plan in {row[0] for row in rows if not isinstance(row, dict)}:
            met.update(plan.slots)
    # A getter gives a sequence from two slots on.
    slots = tuple(met) + (_NO_SLOT,) * max(0, 2 - len(met))
    table = [
        [None if (text := row.get(slot)) is None else text.strip(BLANKS) for slot in slots]
        if isinstance(row, dict)
        else row[0].getter(slots)(row[1])
        for row in rows
    ]
    columns: dict[int, Sequence[str | None]] = dict(zip(slots, zip(*table, strict=True), strict=False))
    columns.pop(_NO_SLOT, None)
    return columns


_NO_SLOT: Final = -1


TYPES: Final[dict[Kind, pl.DataType]] = {
    Kind.TEXT: pl.String(),
    Kind.CURRENCY: pl.String(),
    Kind.LINES: pl.String(),
    Kind.DAY: pl.Date(),
    Kind.FLAG: pl.Boolean(),
    Kind.COUNT: pl.Int64(),
    Kind.EXACT: NUMBER,
    Kind.MONEY: AMOUNT,
}
"""The type of a column by the kind of its field."""


@lru_cache(maxsize=64)
def _nulls(kind: pl.DataType, height: int) -> pl.Series:
    return pl.Series("", [None], dtype=kind).new_from_index(0, height)


def null_column(name: str, kind: pl.DataType, height: int) -> pl.Series:
    """A column of nothing; all of one type and height share their memory."""
    return _nulls(kind, height).alias(name)


def _count(text: str) -> str | None:
    return text if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _number(text: str) -> str | None:
    value = decimal_of(text)
    return format(value, "f") if value is not None and fits(value, *NUMBER_DIGITS) else None


def _money(text: str) -> str | None:
    value = decimal_of(text)
    return format(value, "f") if value is not None and fits(value, *AMOUNT_DIGITS) else None


def signed_amounts(
    texts: Sequence[str | None],
    signs: Sequence[str | None],
    findings: Findings,
    locate: Locate,
    *,
    required: bool,
) -> list[Decimal | None]:
    """Amounts with the sign of CRDT or DBIT. What is no number or has no sign is null and an error.

    `required` makes an absent amount an error too; a negative one is told and turned by its sign all the same.
    """
    amounts: list[Decimal | None] = []
    plain = _CENTS.fullmatch
    for index, (text, sign) in enumerate(zip(texts, signs, strict=True)):
        if text is not None and plain(text):
            if sign == "CRDT":
                amounts.append(Decimal(text))
            else:
                amounts.append(Decimal("-" + text) if sign == "DBIT" else None)
        else:
            value = _readable(text, index, findings, locate, required)
            if value is not None and sign != "CRDT":
                value = -value if sign == "DBIT" else None
            amounts.append(value)
    return amounts


def _readable(text: str | None, index: int, findings: Findings, locate: Locate, required: bool) -> Decimal | None:
    if text is None:
        if required:
            findings.add("AMOUNT_UNREADABLE", Severity.ERROR, "The amount is missing or empty.", locate(index))
        return None
    value = decimal_of(text)
    if value is None:
        findings.add("AMOUNT_UNREADABLE", Severity.ERROR, f"'{text[:40]}' is not an amount.", locate(index))
        return None
    if not fits(value, 38, 2):
        message = f"{text[:60]} has more digits than money has here."
        findings.add("AMOUNT_EXCESS_DIGITS", Severity.ERROR, message, locate(index))
        if not fits(value, *AMOUNT_DIGITS):
            return None
    elif value < 0:
        message = f"{value} is negative; the direction belongs into CdtDbtInd."
        findings.add("NEGATIVE_AMOUNT", Severity.WARNING, message, locate(index))
    return value


def amount_column(name: str, amounts: Sequence[Decimal | None]) -> pl.Series:
    """Exact amounts as a column; they go by their text, so exactly. `str` would write very small ones otherwise."""
    return pl.Series(name, [None if each is None else f"{each:f}" for each in amounts], dtype=pl.String).cast(AMOUNT)
