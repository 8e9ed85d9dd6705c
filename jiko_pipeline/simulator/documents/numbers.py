"""How the simulated bank spells money, prices and times in its files.

Belongs here: exact text of integers in cents and millionths, and of instants. Does not belong here: layouts.
"""

from datetime import UTC, datetime


def money_text(cents: int) -> str:
    """Cents as dollars with two decimals, without grouping: 123456 is `1234.56`."""
    sign = "-" if cents < 0 else ""
    dollars, rest = divmod(abs(cents), 100)
    return f"{sign}{dollars}.{rest:02d}"


def price_text(micros: int) -> str:
    """Millionths as a number with six decimals: 99512345 is `99.512345`."""
    whole, rest = divmod(micros, 1_000_000)
    return f"{whole}.{rest:06d}"


def instant_text(at: datetime) -> str:
    """An aware instant as ISO 8601 in UTC with microseconds and Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
