"""Business days and business dates: the Federal Reserve's and SIFMA's calendars, New York time.

Belongs here: which day is a business day for cash (Fedwire) and for Treasury trading (SIFMA), the business
date of an instant, the day-end cut-off. Does not belong here: which document is expected on which day
(`jiko_pipeline.pipeline`), prices and maturities (`jiko_pipeline.tbill`).

Source: the `holidays` package (calendars XFED and XSIF) with the corrections in `OVERRIDES`, each with its
reason. The Fed does not move a Saturday holiday back to Friday; a Sunday holiday moves to Monday.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.metadata import version
from typing import Final, Literal
from zoneinfo import ZoneInfo

import holidays

NEW_YORK: Final = ZoneInfo("America/New_York")
CALENDAR_VERSION: Final = f"holidays-{version('holidays')}+1"
"""Names the tables a result was computed with; it is part of every run record."""

_INDEX_EPOCH: Final = date(2000, 1, 3)
_ONE_DAY: Final = timedelta(days=1)

OVERRIDES: Final[dict[tuple[Literal["FED", "SIFMA"], date], bool]] = {
    # Hurricane Sandy: SIFMA recommended a full close on Tuesday 2012-10-30; Fedwire ran.
    ("SIFMA", date(2012, 10, 30)): False,
}
"""(calendar, day) -> is it a business day. Closures that no rule foresees, with their source."""


@lru_cache(maxsize=256)
def _closures(calendar: Literal["XFED", "XSIF"], year: int) -> frozenset[date]:
    return frozenset(holidays.financial_holidays(calendar, years=year))


def is_fed_business_day(day: date) -> bool:
    """True when Fedwire moves money on `day` (Monday to Friday, no Federal Reserve holiday)."""
    known = OVERRIDES.get(("FED", day))
    if known is not None:
        return known
    return day.weekday() < 5 and day not in _closures("XFED", day.year)


def is_sifma_full_close(day: date) -> bool:
    """True on a weekday for which SIFMA recommends a full close of Treasury trading."""
    known = OVERRIDES.get(("SIFMA", day))
    if known is not None:
        return not known
    return day.weekday() < 5 and day in _closures("XSIF", day.year)


def is_trading_day(day: date) -> bool:
    """True when Treasury bills trade and settle on `day`: open at the Fed and not closed by SIFMA."""
    return is_fed_business_day(day) and not is_sifma_full_close(day)


def next_fed_business_day(day: date) -> date:
    """The first Fed business day strictly after `day`."""
    day += _ONE_DAY
    while not is_fed_business_day(day):
        day += _ONE_DAY
    return day


def previous_fed_business_day(day: date) -> date:
    """The last Fed business day strictly before `day`."""
    day -= _ONE_DAY
    while not is_fed_business_day(day):
        day -= _ONE_DAY
    return day


def on_or_after(day: date) -> date:
    """`day` itself when it is a Fed business day, else the next one (a maturity on a holiday moves so)."""
    return day if is_fed_business_day(day) else next_fed_business_day(day)


def next_trading_day(day: date) -> date:
    """The first trading day strictly after `day`."""
    day += _ONE_DAY
    while not is_trading_day(day):
        day += _ONE_DAY
    return day


def days(first: date, last: date) -> list[date]:
    """Every calendar day from `first` to `last`, both included; empty when `last` is before `first`."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def fed_business_days(first: date, last: date) -> list[date]:
    """The Fed business days from `first` to `last`, both included."""
    return [day for day in days(first, last) if is_fed_business_day(day)]


@lru_cache(maxsize=64)
def _business_days_before_year(year: int) -> int:
    if year == _INDEX_EPOCH.year:
        return 0
    return _business_days_before_year(year - 1) + len(fed_business_days(date(year - 1, 1, 1), date(year - 1, 12, 31)))


@lru_cache(maxsize=64)
def _business_days_of_year(year: int) -> tuple[date, ...]:
    return tuple(fed_business_days(date(year, 1, 1), date(year, 12, 31)))


def business_day_index(day: date) -> int:
    """Ordinal of a Fed business day since 2000-01-03 (which is 0).

    A day that is no business day has the index of the business day before it, so the difference of two
    indexes is the number of business days between two dates. Raises ValueError before 2000-01-03.
    """
    if day < _INDEX_EPOCH:
        raise ValueError(f"the business-day index starts on {_INDEX_EPOCH}, {day} lies before it")
    within = _business_days_of_year(day.year)
    low, high = 0, len(within)
    while low < high:
        middle = (low + high) // 2
        if within[middle] <= day:
            low = middle + 1
        else:
            high = middle
    return _business_days_before_year(day.year) + low - 1


def new_york_date(instant: datetime) -> date:
    """The calendar date in New York at an aware `instant`. Raises ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone; naive times are refused")
    return instant.astimezone(NEW_YORK).date()


def new_york_instant(day: date, at: time) -> datetime:
    """The UTC instant of a New York wall-clock time on `day`."""
    return datetime.combine(day, at, tzinfo=NEW_YORK).astimezone(UTC)


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """Half-open UTC interval [start, end) of a New York calendar day; 23 or 25 hours long at DST changes."""
    return new_york_instant(day, time(0)), new_york_instant(day + _ONE_DAY, time(0))


def business_date_of(instant: datetime, business_day_end: time) -> date:
    """The Fed business date on which cash that moved at `instant` is booked.

    An instant on a Fed business day before `business_day_end` (New York wall clock) belongs to that day;
    any other instant belongs to the next Fed business day.
    """
    local = instant.astimezone(NEW_YORK)
    if is_fed_business_day(local.date()) and local.time() < business_day_end:
        return local.date()
    return next_fed_business_day(local.date())
