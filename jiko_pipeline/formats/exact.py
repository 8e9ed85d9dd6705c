"""Text to exact values: decimals, days, instants; nothing is rounded and nothing is guessed.

Belongs here: the grammar of one value. Does not belong here: which column a value stands in, or what happens
to the row when the grammar is broken.

Python's own constructors are wider than any bank's file may be (`Decimal` takes NaN, underscores and digits
of other scripts; `date.fromisoformat` takes weeks), so each value is matched against an ASCII pattern first.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})", re.ASCII)
_DAY: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2}|T[0-9:.]+(?:Z|[+-][0-9:]+)?)?", re.ASCII
)
_INSTANT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


def decimal_of(text: str) -> Decimal | None:
    """The number that `text` writes in digits with at most one point (XML Schema's decimal), or None.

    Surrounding blanks and leading zeros are no matter; exponents, grouping, commas, NaN are not numbers here.
    """
    stripped = text.strip()
    return Decimal(stripped) if _DECIMAL.fullmatch(stripped) else None


def fits(value: Decimal, precision: int, scale: int) -> bool:
    """True when DECIMAL(precision, scale) holds `value` without loss; zeros at the end do not count."""
    digits, exponent = value.as_tuple().digits, value.as_tuple().exponent
    if not isinstance(exponent, int):
        return False
    if not value:
        return True
    kept = list(digits)
    while exponent < -scale and kept and kept[-1] == 0:
        kept.pop()
        exponent += 1
    return exponent >= -scale and value.adjusted() < precision - scale


def day_of(text: str) -> date | None:
    """The calendar day as written in a date or date-time, whatever zone and time; else None."""
    match = _DAY.fullmatch(text.strip())
    if match is None:
        return None
    try:
        return date.fromisoformat(match[1])
    except ValueError:
        return None


def instant_of(text: str) -> datetime | None:
    """An instant as UTC without a zone; None unless `text` states a zone, and microseconds at most."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    fraction = (fraction or "").ljust(9, "0")
    if fraction[6:] != "000":
        return None
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}.{fraction[:6]}{'+00:00' if zone == 'Z' else zone}")
        return moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
