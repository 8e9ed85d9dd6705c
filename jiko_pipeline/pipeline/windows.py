"""Windows: the only place where a range of days is cut into pieces that Jiko accepts for one report.

`sync`, `demo`, schedules and backfills all go through here; Dagster cuts a backfill itself, by a policy with
the same length.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from jiko_pipeline import calendars
from jiko_pipeline.errors import ExitCode, JikoPipelineError
from jiko_pipeline.settings import REPORT_WINDOW_DAYS, Settings


class DateRangeError(JikoPipelineError):
    """A range of dates that cannot be asked for."""

    exit_code = ExitCode.USAGE
    remedy = "Give dates as YYYY-MM-DD, the first not after the last, none before JIKO_START_DATE or in the future."


@dataclass(frozen=True, slots=True)
class Window:
    """Calendar days in New York, both ends included, at most `REPORT_WINDOW_DAYS` of them."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise DateRangeError(f"The range from {self.first} to {self.last} ends before it begins.")
        if (self.last - self.first).days >= REPORT_WINDOW_DAYS:
            raise DateRangeError(
                f"The range from {self.first} to {self.last} is longer than the {REPORT_WINDOW_DAYS} days "
                "that one report may cover.",
                remedy="Let `jiko sync --from --to` or a backfill cut it.",
            )

    @property
    def days(self) -> list[date]:
        """Every day of the window."""
        return calendars.days(self.first, self.last)

    @property
    def business_days(self) -> list[date]:
        """The Fed business days of the window."""
        return calendars.fed_business_days(self.first, self.last)

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


def cut(first: date, last: date) -> list[Window]:
    """The windows that cover `first` to `last`, counted from `first`; the last one may be shorter."""
    if last < first:
        raise DateRangeError(f"The range from {first} to {last} ends before it begins.")
    windows = []
    while first <= last:
        end = min(last, first + timedelta(days=REPORT_WINDOW_DAYS - 1))
        windows.append(Window(first, end))
        first = end + timedelta(days=1)
    return windows


def take_on(settings: Settings, window: Window) -> Window | None:
    """What is taken on before the data begins: the last business day before `JIKO_START_DATE` and the days up to it.

    A pocket that is older than the data starts from its statement, positions and cash of that day, so that its
    first day can be proved. None for every window but the first.
    """
    if window.first != settings.start_date:
        return None
    return Window(calendars.previous_fed_business_day(window.first), window.first - timedelta(days=1))


def first_day_reached(settings: Settings, window: Window) -> date:
    """The first day whose documents belong to the work of a window: its own first day, or that of the take-on."""
    before = take_on(settings, window)
    return window.first if before is None else before.first


def requested(settings: Settings, first: date, last: date, now: datetime) -> list[Window]:
    """The windows of a request by a person: refused before `JIKO_START_DATE` and after today."""
    today = calendars.new_york_date(now)
    if first < settings.start_date:
        raise DateRangeError(f"{first} lies before {settings.start_date}, the first day of the data (JIKO_START_DATE).")
    if last > today:
        raise DateRangeError(f"{last} lies in the future; today is {today} in New York.")
    return cut(first, last)


def trailing(settings: Settings, now: datetime) -> Window | None:
    """The business days that are read again each morning: the last `JIKO_CONFIRM_BUSINESS_DAYS` before today.

    None when none of them is on or after `JIKO_START_DATE`.
    """
    last = calendars.previous_fed_business_day(calendars.new_york_date(now))
    first = last
    for _ in range(settings.confirm_business_days - 1):
        first = calendars.previous_fed_business_day(first)
    first = max(first, settings.start_date)
    return Window(first, last) if settings.confirm_business_days and first <= last else None
