"""Is yesterday there? By the business calendar, and by the days of the published file, not by when a run ended.

Belongs here: which business day is due at an instant, and whether it and those before it are closed. Does not belong
here: telling people (`jiko_pipeline.notifying`), the check that Dagster shows (`jiko_pipeline.orchestration`).
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from jiko_pipeline import calendars
from jiko_pipeline.errors import StorageError
from jiko_pipeline.reporting.status import days_closed
from jiko_pipeline.settings import Settings

DUE_BY: Final = time(9, 0)
"""New York time by which the business day before has to be there."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """The business day that is `due` (None before the first one), the last one closed, and the days that lack."""

    due: date | None
    last_closed: date | None
    missing: tuple[date, ...]

    @property
    def is_fresh(self) -> bool:
        """True when the day that is due is closed; what lacks before it is another question."""
        return self.due is None or self.due not in self.missing

    def __str__(self) -> str:
        if self.due is None:
            return "No business day is due yet."
        there = "is there" if self.is_fresh else "is not there"
        last = "nothing is closed" if self.last_closed is None else f"the last day closed is {self.last_closed}"
        others = len(self.missing) - (0 if self.is_fresh else 1)
        lacking = f"; {others} {'day' if others == 1 else 'days'} before it lack" if others else ""
        return f"{self.due} {there}, due by {DUE_BY:%H:%M} in New York; {last}{lacking}."


def due_day(now: datetime) -> date:
    """The last Fed business day that has to be there at `now`: yesterday's from 09:00 in New York on."""
    today = calendars.new_york_date(now)
    before = calendars.previous_fed_business_day(today)
    if now >= calendars.new_york_instant(today, DUE_BY):
        return before
    return calendars.previous_fed_business_day(before)


def freshness(settings: Settings, now: datetime) -> Freshness:
    """Whether the day that is due at `now` is closed in the published file, and which days of the data lack."""
    due = due_day(now)
    if due < settings.start_date:
        return Freshness(None, None, ())
    try:
        closed = set(days_closed(settings))
    except StorageError:
        # Nothing was published yet, so every day lacks.
        closed = set()
    lacking = tuple(day for day in calendars.fed_business_days(settings.start_date, due) if day not in closed)
    return Freshness(due, max(closed, default=None), lacking)
