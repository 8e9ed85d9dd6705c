"""People, requests and messages of a simulated bank as the rows of their listings.

Belongs here: which listings a world has beside its money; their bodies come from the bank's own handlers and go
through the package's own readers. Does not belong here: documents about money (`documents`).
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from jiko_pipeline import calendars
from jiko_pipeline.formats.readers import READERS
from jiko_pipeline.formats.reading import Expectation
from jiko_pipeline.selftest.documents import deliver
from jiko_pipeline.selftest.facts import Facts, Row
from jiko_pipeline.simulator.server.asking import Desk, desk
from jiko_pipeline.simulator.world import World
from jiko_pipeline.warehouse.kinds import SNAPSHOT_DATE, Span, kind_of

_LOOK_BACK_DAYS: Final = 7
_DECISION_DAYS: Final = 31
_WHOLE: Final = {
    "PORTALS": "list_portals",
    "REVIEWERS": "list_transfer_request_reviewers",
    "CUSTOMER": "get_customer",
    "BENEFICIAL_OWNERS": "list_beneficial_owners",
    "TEAM": "get_team",
    "USER": "get_user",
    "MEMBERSHIPS": "list_memberships",
    "AGREEMENTS": "list_agreements",
}
_PAGED: Final = {"COUNTERPARTIES": "list_counterparties", "SUBSCRIPTIONS": "list_subscriptions"}


def enter_messages(facts: Facts, world: World, first: date, last: date, at: datetime) -> None:
    """Enters what the bank lists at `at` (aware) of people, paper, and the messages of the days `first` to `last`.

    As a sync does, requests and messages reach some days further back; the earnings and the monthly statements are
    those of the months that were over before `last`.
    """
    with desk(world, at) as bank:
        for kind, operation in _WHOLE.items():
            _enter(facts, kind, [bank.ask(operation)])
        for kind, operation in _PAGED.items():
            _enter(facts, kind, bank.pages(operation))
        _enter(facts, "TRADING_STRATEGIES", bank.offset_pages("list_trading_strategies"))
        _enter_messages(facts, bank, first, last)
        _enter_months(facts, bank, world, first, last)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _enter_messages(facts: Facts, bank: Desk, first: date, last: date) -> None:
    decided = calendars.days(first - timedelta(days=_DECISION_DAYS), last)
    back = calendars.days(first - timedelta(days=_LOOK_BACK_DAYS), last)
    _enter(facts, "TRANSFER_REQUESTS", bank.pages("list_transfer_requests"), days=decided)
    before = calendars.day_bounds(back[0])[0] - timedelta(microseconds=1)
    _enter(facts, "EVENTS", bank.pages("list_events", after=_instant(before)), days=back)
    _enter(facts, "NOTIFICATIONS", bank.pages("list_notifications"), days=back)
    bounds = {
        "timestamp_from": _instant(calendars.day_bounds(back[0])[0]),
        "timestamp_to": _instant(calendars.day_bounds(last)[1] - timedelta(microseconds=1)),
    }
    _enter(facts, "AUDIT_LOGS", bank.pages("list_audit_logs", **bounds), days=back)
    _enter(facts, "AUDIT_LOGS_CSV", [bank.ask("export_audit_logs", query=bounds)], days=back)
    _enter(facts, "REPORT_REQUESTS", bank.pages("list_report_requests"), days=back)


def _months(first: date, last: date) -> list[date]:
    """The first days of the months that have days from `first` on and were over before `last`."""
    found = []
    month = first.replace(day=1)
    while (after := (month + timedelta(days=31)).replace(day=1)) <= last:
        found.append(month)
        month = after
    return found


def _enter_months(facts: Facts, bank: Desk, world: World, first: date, last: date) -> None:
    for month in _months(first, last):
        month_last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        listed = bank.pages("list_statements", key=f"{month:%Y-%m}")
        _enter(facts, "MONTHLY_STATEMENTS", listed, days=[month])
        for pocket in world.pockets(last):
            closed_on = world.drawn_end(pocket.id)
            if pocket.opened_on > month_last or (closed_on is not None and closed_on < month):
                continue
            earned = bank.ask(
                "get_pocket_earnings",
                {"pocket_id": pocket.id},
                {
                    "period": "range",
                    "date_from": max(month, pocket.opened_on).isoformat(),
                    "date_to": month_last.isoformat(),
                },
            )
            _enter(facts, "EARNINGS", [earned], pocket_id=pocket.id, days=[month])


def _enter(facts: Facts, kind: str, bodies: Sequence[bytes], *, pocket_id: str = "", days: Sequence[date] = ()) -> None:
    declared = kind_of(kind)
    bounds = (days[0], days[-1]) if days else (None, None)
    expectation = Expectation(frozenset({pocket_id}) if pocket_id else None, *bounds)
    reading = READERS[kind](bodies, expectation)
    document = deliver(facts, kind, pocket_id, days)
    for frame in declared.frames:
        for row in reading.frames[frame].iter_rows(named=True):
            scope: Row = {
                "document_kind": kind,
                "scope_pocket_id": pocket_id,
                "scope_date": _day(declared.span, declared.day_column, row, days),
                "document_id": document["document_id"],
            }
            facts.put(f"staging.{frame}", {**scope, **row})


def _day(span: Span, column: str, row: dict[str, Any], days: Sequence[date]) -> date:
    if span is Span.INSTANT_COLUMN:
        return calendars.new_york_date(row[column].replace(tzinfo=UTC))
    return days[0] if days else SNAPSHOT_DATE
