"""Which documents a window needs, and which of them are still to be asked for.

Belongs here: the calendar of expected documents, finality of a document, and why it is asked for. Does not
belong here: asking (`fetching`) and judging what is missing (control K01).

A day is settled for a document kind once a document of that kind, made after the day's cut-off, is in the archive.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from jiko_pipeline import calendars
from jiko_pipeline.archive import Document
from jiko_pipeline.bank.contract import DateType, OutputFormat, ReportType
from jiko_pipeline.bank.report_requests import PullReason, ReportPull
from jiko_pipeline.pipeline.windows import Window, first_day_reached
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.kinds import Finality

KIND_OF_REPORT: Final[Mapping[tuple[ReportType, OutputFormat], str]] = {
    (ReportType.BANK_STATEMENT, OutputFormat.CAMT053): "BANK_STATEMENT",
    (ReportType.BROKERAGE_STATEMENT, OutputFormat.CAMT053): "BROKERAGE_STATEMENT",
    (ReportType.TRADE, OutputFormat.CSV): "TRADE_REPORT_CSV",
    (ReportType.TRADE, OutputFormat.KYRIBA_CSV): "TRADE_REPORT_KYRIBA_CSV",
    (ReportType.SECURITY_PRICE, OutputFormat.KYRIBA_CSV): "SECURITY_PRICE",
    (ReportType.POSITION_SUMMARY, OutputFormat.CSV): "POSITION",
}
"""(report type, output format) -> kind of document."""

_DAILY_REPORTS: Final = (
    (ReportType.BANK_STATEMENT, OutputFormat.CAMT053),
    (ReportType.BROKERAGE_STATEMENT, OutputFormat.CAMT053),
    (ReportType.POSITION_SUMMARY, OutputFormat.CSV),
)


@dataclass(frozen=True, slots=True)
class PocketLife:
    """The days on which a pocket can have documents; None means open at that end."""

    pocket_id: str
    opened_on: date | None
    closed_on: date | None

    def lives_on(self, day: date) -> bool:
        """True when the pocket exists on `day`."""
        return (self.opened_on is None or self.opened_on <= day) and (self.closed_on is None or day <= self.closed_on)


def cutoff(settings: Settings, day: date) -> datetime:
    """The instant from which a document about `day` is no longer provisional, UTC."""
    return calendars.new_york_instant(day, time(settings.cutoff_hour))


def finality(settings: Settings, made_at: datetime, day: date) -> Finality:
    """Whether a document made at `made_at` is final enough for the close of `day`."""
    return Finality.AFTER_CUTOFF if made_at >= cutoff(settings, day) else Finality.PROVISIONAL


def made_at(document: Document) -> datetime:
    """When the bank made the document; when it arrived, where the bank does not say."""
    return document.created_at_provider or document.fetched_at


class Coverage:
    """Which (kind, pocket, day) the archive holds: nothing, a provisional document, or one after the cut-off."""

    def __init__(self, settings: Settings, documents: Iterable[Document]) -> None:
        self._settings = settings
        self._latest: dict[tuple[str, str, date], datetime] = {}
        for document in documents:
            if document.first is None or document.last is None or document.customer_id != settings.profile:
                continue
            instant = made_at(document)
            for day in calendars.days(document.first, document.last):
                key = (document.kind, document.pocket_id or "", day)
                known = self._latest.get(key)
                if known is None or known < instant:
                    self._latest[key] = instant

    def finality(self, kind: str, pocket_id: str | None, day: date) -> Finality | None:
        """The best finality in the archive, None when there is nothing."""
        instant = self._latest.get((kind, pocket_id or "", day))
        return None if instant is None else finality(self._settings, instant, day)


def _reason(states: Sequence[Finality | None], reason: PullReason, today: date) -> tuple[PullReason, str] | None:
    """(reason, round) of a pull over days in these states; None when there is nothing to ask for."""
    if reason is not PullReason.DAILY:
        return reason, today.isoformat()
    if all(state is Finality.AFTER_CUTOFF for state in states):
        return None
    if any(state is not None for state in states):
        return PullReason.AFTER_CUTOFF, today.isoformat()
    return PullReason.DAILY, ""


def pulls_for(
    settings: Settings,
    window: Window,
    lives: Sequence[PocketLife],
    coverage: Coverage,
    reason: PullReason,
    now: datetime,
) -> list[ReportPull]:
    """The reports of a window that are to be asked for: all five types, one request a pocket.

    Statements and position summaries for each Fed business day of a pocket's life; trades for each pocket and
    prices once, over the window. Days after today have nothing yet. A provisional document is asked for again
    only once the cut-off of its day has passed.
    """
    today = calendars.new_york_date(now)
    last = min(window.last, today)
    pulls: list[ReportPull] = []
    span = calendars.days(window.first, last)
    if not any(life.lives_on(day) for life in lives for day in span):
        return pulls

    def states(kinds: Sequence[str], pocket_id: str | None, days: Sequence[date]) -> list[Finality | None]:
        found = []
        for day in days:
            for kind in kinds:
                state = coverage.finality(kind, pocket_id, day)
                if state is Finality.PROVISIONAL and now < cutoff(settings, day):
                    # Asking again before the cut-off could only give another provisional document.
                    state = Finality.AFTER_CUTOFF
                found.append(state)
        return found

    for life in lives:
        for day in calendars.fed_business_days(window.first, last):
            if not life.lives_on(day):
                continue
            for report_type, form in _DAILY_REPORTS:
                kind = KIND_OF_REPORT[report_type, form]
                why = _reason(states((kind,), life.pocket_id, (day,)), reason, today)
                if why:
                    pulls.append(
                        ReportPull(report_type, (form,), life.pocket_id, day, day, reason=why[0], round=why[1])
                    )
    trade_forms = (OutputFormat.CSV, OutputFormat.KYRIBA_CSV)
    trade_kinds = [KIND_OF_REPORT[ReportType.TRADE, form] for form in trade_forms]
    for life in lives:
        lived = [day for day in span if life.lives_on(day)]
        if not lived:
            continue
        why = _reason(states(trade_kinds, life.pocket_id, lived), reason, today)
        if why:
            pulls.append(
                ReportPull(
                    ReportType.TRADE,
                    trade_forms,
                    life.pocket_id,
                    lived[0],
                    lived[-1],
                    DateType.TRADE_DATE,
                    reason=why[0],
                    round=why[1],
                )
            )
    why = _reason(states(("SECURITY_PRICE",), None, span), reason, today)
    if why:
        pulls.append(
            ReportPull(
                ReportType.SECURITY_PRICE,
                (OutputFormat.KYRIBA_CSV,),
                None,
                window.first,
                last,
                reason=why[0],
                round=why[1],
            )
        )
    return pulls


def first_listed_day(settings: Settings, window: Window) -> date:
    """The first day whose movements a window has to list: the day after the business day before it.

    The first window lists the days of the take-on; no other one reaches before `JIKO_START_DATE`.
    """
    after_business_day = calendars.previous_fed_business_day(window.first) + timedelta(days=1)
    return min(first_day_reached(settings, window), max(settings.start_date, after_business_day))


def statement_periods(window: Window) -> list[str]:
    """The months (YYYY-MM) whose monthly statements may appear in the window: those over when it ends, from the
    month before the one in which it begins."""
    year, month = window.first.year, window.first.month
    year, month = (year - 1, 12) if month == 1 else (year, month - 1)
    periods = []
    while (year, month) < (window.last.year, window.last.month):
        periods.append(f"{year:04d}-{month:02d}")
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return periods


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)
