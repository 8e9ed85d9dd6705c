"""Where things stand, from the published file and the order book; no network."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from jiko_pipeline import calendars
from jiko_pipeline.bank.order_book import OrderBook
from jiko_pipeline.errors import ExitCode, most_serious
from jiko_pipeline.reporting.verdict import query
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.publish import published


@dataclass(frozen=True, slots=True)
class PendingReport:
    """A report that was ordered and has not been delivered."""

    title: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """What `jiko status` tells. Days are New York business dates."""

    environment: str
    data_dir: Path
    published_file: Path
    published_at: datetime
    first_date: date | None
    last_date: date | None
    last_good_date: date | None
    next_date: date
    days_behind: int
    missing_dates: tuple[date, ...]
    not_ready: int
    open_breaks: int
    breaks_by_severity: dict[str, int]
    breaks_by_age: dict[str, int]
    quarantined: int
    documents_missing: int
    pending: tuple[PendingReport, ...]

    @property
    def exit_code(self) -> ExitCode:
        """OK, breaks open, reports pending, something quarantined or not proved: the most serious."""
        return most_serious(
            ExitCode.BREAKS_OPEN if self.open_breaks else ExitCode.OK,
            ExitCode.TRY_LATER if self.pending else ExitCode.OK,
            ExitCode.NOT_PROVED if self.quarantined or self.documents_missing else ExitCode.OK,
        )


AGE_BUCKETS = ((0, "0"), (1, "1"), (5, "2-5"), (10, "6-10"), (30, "11-30"))


def age_bucket(age_business_days: int) -> str:
    """The bucket of an age in Fed business days: 0, 1, 2-5, 6-10, 11-30, >30."""
    return next((name for most, name in AGE_BUCKETS if age_business_days <= most), ">30")


def pending_reports(settings: Settings) -> tuple[PendingReport, ...]:
    """Reports that were ordered and not delivered, oldest first."""
    file = settings.order_book_file
    if not file.exists():
        return ()
    with OrderBook(file) as book:
        return tuple(PendingReport(entry.pull.title, entry.claimed_at) for entry in book.open_pulls())


def days_closed(settings: Settings) -> list[date]:
    """Business dates that the published file has a close for, in order. Raises StorageError without the file."""
    with published(settings) as con:
        return _days_closed(con, settings.profile)


def _days_closed(con: duckdb.DuckDBPyConnection, customer_id: str) -> list[date]:
    return [day for (day,) in con.execute(query("days_closed"), [customer_id]).fetchall()]


def status(settings: Settings, now: datetime) -> Status:
    """Where things stand at `now`. Raises StorageError when nothing has been published yet."""
    customer = settings.profile
    yesterday = calendars.previous_fed_business_day(calendars.new_york_date(now))
    with published(settings) as con:
        landed = _days_closed(con, customer)
        good = con.execute(query("last_good_date"), [customer]).fetchall()[0][0]
        not_ready = con.execute(query("count_not_ready"), [customer]).fetchall()[0][0]
        breaks = con.execute(query("open_breaks_by_age"), [customer]).fetchall()
        quarantined = con.execute(query("count_quarantined"), [customer]).fetchall()[0][0]
        lacking = con.execute(query("count_documents_missing"), [customer]).fetchall()[0][0]
    by_severity: dict[str, int] = {}
    by_age: dict[str, int] = {}
    for severity, age, number in breaks:
        by_severity[severity] = by_severity.get(severity, 0) + number
        bucket = age_bucket(age)
        by_age[bucket] = by_age.get(bucket, 0) + number
    missing: tuple[date, ...] = ()
    if landed:
        known = set(landed)
        missing = tuple(day for day in calendars.fed_business_days(landed[0], landed[-1]) if day not in known)
    reached = landed[-1] if landed else calendars.previous_fed_business_day(settings.start_date)
    return Status(
        environment=settings.environment.value,
        data_dir=settings.data_dir,
        published_file=settings.published_file,
        published_at=datetime.fromtimestamp(settings.published_file.stat().st_mtime, tz=now.tzinfo),
        first_date=landed[0] if landed else None,
        last_date=landed[-1] if landed else None,
        last_good_date=good,
        next_date=calendars.next_fed_business_day(reached),
        days_behind=len(calendars.fed_business_days(reached + timedelta(days=1), yesterday)),
        missing_dates=missing,
        not_ready=not_ready,
        open_breaks=sum(by_severity.values()),
        breaks_by_severity=by_severity,
        breaks_by_age=by_age,
        quarantined=quarantined,
        documents_missing=lacking,
        pending=pending_reports(settings),
    )
