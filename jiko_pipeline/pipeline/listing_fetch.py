"""Fetching listings: the movements and messages of a window, and the snapshots of what has no as-of date.

Belongs here: which listings a window and a snapshot ask for. Does not belong here: pockets, their lives and reports
(`fetching`), what becomes of the answers.

The day's close rests on `FACTS` alone. Any other listing that is refused (a scope that was not granted, an operation
that the bank no longer has) leaves a note; one that fails leaves a note and its exit code; the others are fetched.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from jiko_pipeline import calendars
from jiko_pipeline.archive import Archive
from jiko_pipeline.bank import listings
from jiko_pipeline.bank.contract_file import contract_of
from jiko_pipeline.bank.errors import (
    ConflictError,
    ContractBrokenError,
    NotFoundError,
    PermissionRefusedError,
    RateLimitedError,
    ScopeError,
    UnavailableError,
    ValidationRefusedError,
)
from jiko_pipeline.bank.listings import Listing
from jiko_pipeline.bank.report_requests import PullReason
from jiko_pipeline.errors import ExitCode, JikoPipelineError, most_serious
from jiko_pipeline.formats.lives import read_pocket_lives
from jiko_pipeline.formats.own_names import in_names_of_ours
from jiko_pipeline.formats.reading import Expectation, RefusedDocumentError
from jiko_pipeline.pipeline.expected import first_listed_day, statement_periods, utc_now
from jiko_pipeline.pipeline.fetching import Desk, fetch_pockets, fetch_reference_list, open_desk
from jiko_pipeline.pipeline.report import StepReport
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline.settings import Settings

LOOK_BACK_DAYS: Final = 7
"""Calendar days before a window whose requests and messages are listed again: their status may have changed."""

DECISION_DAYS: Final = 31
"""The same for transfer requests, which wait for another person."""

SNAPSHOTS: Final[Mapping[str, Callable[[], Listing]]] = {
    "PORTALS": listings.portals,
    "TRADING_STRATEGIES": listings.trading_strategies,
    "COUNTERPARTIES": listings.counterparties,
    "REVIEWERS": listings.reviewers,
    "SUBSCRIPTIONS": listings.subscriptions,
    "CUSTOMER": listings.customer,
    "BENEFICIAL_OWNERS": listings.beneficial_owners,
    "TEAM": listings.team,
    "USER": listings.user,
    "MEMBERSHIPS": listings.memberships,
    "AGREEMENTS": listings.agreements,
}
"""Kind of document -> listing of what has no as-of date, less the pockets."""

FACTS: Final[Mapping[str, Callable[[date, date], Listing]]] = {
    "API_TRANSACTIONS": listings.transactions,
    "API_TRADES": listings.trades_v2,
}
"""What the close rests on: never passed over."""

OTHER_FORMS: Final[Mapping[str, Callable[[date, date], Listing]]] = {
    "API_TRANSACTIONS_CSV": listings.transactions_csv,
    "API_TRADES_V1": listings.trades_v1,
    "API_TRADES_CSV": listings.trades_csv,
}
"""The same facts in their other forms, over the same days."""

MESSAGES: Final[Mapping[str, Callable[[date, date], Listing]]] = {
    "TRANSFER_REQUESTS": listings.transfer_requests,
    "EVENTS": listings.events,
    "NOTIFICATIONS": listings.notifications,
    "AUDIT_LOGS": listings.audit_logs,
    "AUDIT_LOGS_CSV": listings.audit_logs_csv,
    "REPORT_REQUESTS": listings.report_requests,
}
"""Requests and messages, with a look back."""

_FAILURES: Final = (
    ConflictError,
    ContractBrokenError,
    RateLimitedError,
    UnavailableError,
    ValidationRefusedError,
)
"""What can go wrong with one listing while the bank and our credentials are good."""


def fetch_window_activity(
    settings: Settings, window: Window, reason: PullReason = PullReason.DAILY, *, now: datetime | None = None
) -> StepReport:
    """Movements in all their forms, requests, messages, statements and earnings of a window, every page archived.

    A window that begins after days that are no business days lists those too: what moved on them is booked on
    its first business day. The earnings of a month that is over are asked for once, and again when confirming.
    """
    today = calendars.new_york_date(now or utc_now())
    first, last = first_listed_day(settings, window), min(window.last, today)
    if last < window.first:
        return StepReport("fetch activity", {day: {"documents": 0} for day in window.days})
    with open_desk(settings) as desk:
        for kind, listing in FACTS.items():
            desk.list(kind, listing(first, last), first=first, last=last)
        others = _Others(desk)
        if not _are_parties_on_file(desk.archive, settings):
            others = _list_parties(desk)
        for kind, listing in OTHER_FORMS.items():
            others.fetch(kind, listing(first, last), first=first, last=last)
        for kind, listing in MESSAGES.items():
            back = first - timedelta(days=DECISION_DAYS if kind == "TRANSFER_REQUESTS" else LOOK_BACK_DAYS)
            others.fetch(kind, listing(back, last), first=back, last=last)
        documents = len(FACTS) + others.documents
        for period in statement_periods(window):
            month = date.fromisoformat(f"{period}-01")
            listed = listings.monthly_statements(period)
            others.fetch("MONTHLY_STATEMENTS", listed, first=month, last=month, parameters={"period": period})
        _fetch_earnings(others, window, reason)
    per_day = {day: {"documents": documents if day <= last else 0} for day in window.days}
    return StepReport("fetch activity", per_day, tuple(others.notes), others.exit_code)


@dataclass(slots=True)
class _Others:
    """Listings that nothing waits for: what was archived of them, and what kept the rest from it."""

    desk: Desk
    documents: int = 0
    notes: list[str] = field(default_factory=list)
    exit_code: ExitCode = ExitCode.OK

    def fetch(
        self,
        kind: str,
        listing: Listing,
        *,
        pocket_id: str | None = None,
        first: date | None = None,
        last: date | None = None,
        parameters: Mapping[str, object] | None = None,
    ) -> JikoPipelineError | None:
        """Archives one listing; what kept it from that, None when nothing did."""
        try:
            self.desk.list(kind, listing, pocket_id=pocket_id, first=first, last=last, parameters=parameters)
        except (ScopeError, NotFoundError) as refusal:
            self.notes.append(f"{kind} is not landed: {refusal}")
            return refusal
        except _FAILURES as failure:
            self.notes.append(f"{kind} is not landed: {failure} {failure.remedy}")
            self.exit_code = most_serious(self.exit_code, failure.exit_code)
            return failure
        self.documents += 1
        return None


def _fetch_earnings(others: _Others, window: Window, reason: PullReason) -> None:
    """The earnings of each pocket for each month that is over, as `statement_periods` counts months."""
    desk = others.desk
    asked = {
        (document.pocket_id, document.first)
        for document in desk.archive.documents(kinds=("EARNINGS",))
        if document.customer_id == desk.settings.profile
    }
    lives = _lives_on_file(desk.archive, desk.settings)
    for period in statement_periods(window):
        month_first = date.fromisoformat(f"{period}-01")
        month_last = (month_first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        for pocket_id, opened_on, closed_on in lives:
            if opened_on is None or opened_on > month_last or (closed_on is not None and closed_on < month_first):
                continue
            if (pocket_id, month_first) in asked and reason is PullReason.DAILY:
                continue
            listing = listings.earnings(pocket_id, max(month_first, opened_on), month_last)
            trouble = others.fetch("EARNINGS", listing, pocket_id=pocket_id, first=month_first, last=month_first)
            if trouble is not None and not isinstance(trouble, (PermissionRefusedError, NotFoundError)):
                # What is not about this pocket alone would be the same for the next.
                return


def _are_parties_on_file(archive: Archive, settings: Settings) -> bool:
    """True when people, paper or other sides have been listed before; controls need them from the first window on."""
    return any(d.customer_id == settings.profile for d in archive.documents(kinds=SNAPSHOTS))


def _lives_on_file(archive: Archive, settings: Settings) -> list[tuple[str, date | None, date | None]]:
    """(pocket, first day, last day) of each pocket by the newest listing of their lives in the archive."""
    found = [d for d in archive.documents(kinds=("POCKET_LIVES",)) if d.customer_id == settings.profile]
    if not found:
        return []
    newest = max(found, key=lambda document: document.fetched_at)
    try:
        stored = [archive.open_blob(part.sha256) for part in newest.parts]
        bodies = in_names_of_ours(newest.kind, stored, contract_of(settings))
        lives = read_pocket_lives(bodies, Expectation())
    except RefusedDocumentError:
        # Loading it says so.
        return []
    columns = ("pocket_id", "first_activity_on", "last_activity_on")
    return sorted(lives.frames["pocket_life"].select(columns).iter_rows())


def fetch_parties(settings: Settings) -> StepReport:
    """People, paper and other sides: what has no as-of date, less the pockets."""
    with open_desk(settings) as desk:
        others = _list_parties(desk)
    return StepReport("fetch people and paper", notes=tuple(others.notes), exit_code=others.exit_code)


def fetch_snapshots(settings: Settings) -> StepReport:
    """Everything that has no as-of date: the pockets, the reference list, people, paper and other sides."""
    with open_desk(settings) as desk:
        fetch_pockets(desk)
        fetch_reference_list(desk)
        others = _list_parties(desk)
    return StepReport("fetch snapshots", notes=tuple(others.notes), exit_code=others.exit_code)


def _list_parties(desk: Desk) -> _Others:
    others = _Others(desk)
    for kind, listing in SNAPSHOTS.items():
        others.fetch(kind, listing())
    return others
