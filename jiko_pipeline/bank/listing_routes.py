"""Which listing is asked for where: operation, path, filters, and how its pages follow each other.

Belongs here: what can be listed, and how each listing is put to the bank. Does not belong here: asking and
following pages (`listings`), reading the items (`jiko_pipeline.formats`).

Days are New York days. The bounds of Jiko's date-time filters are taken as included, so a range ends one
microsecond before the day after its last.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from jiko_pipeline.bank.contract import Contract
from jiko_pipeline.bank.operations import OPERATIONS, Operation, path_of
from jiko_pipeline.calendars import day_bounds

Query = tuple[tuple[str, str], ...]


class ListingKind(StrEnum):
    """What can be listed; the value is the operation's name in counters and provenance."""

    POCKETS = "list_pockets"
    TRANSACTIONS = "list_transactions"
    TRANSACTIONS_CSV = "transactions_csv"
    TRADES_V1 = "list_trades_v1"
    TRADES_V2 = "list_trades_v2"
    TRADES_CSV = "trades_csv"
    MONTHLY_STATEMENTS = "list_monthly_statements"
    REFERENCE_LIST = "reference_list"
    FIRST_ACTIVITY = "first_activity"
    LAST_ACTIVITY = "last_activity"
    PORTALS = "list_portals"
    TRADING_STRATEGIES = "list_trading_strategies"
    COUNTERPARTIES = "list_counterparties"
    TRANSFER_REQUESTS = "list_transfer_requests"
    REVIEWERS = "list_reviewers"
    SUBSCRIPTIONS = "list_subscriptions"
    EVENTS = "list_events"
    NOTIFICATIONS = "list_notifications"
    REPORT_REQUESTS = "list_report_requests_made"
    USER = "get_user"
    MEMBERSHIPS = "list_memberships"
    TEAM = "get_team"
    AUDIT_LOGS = "list_audit_logs"
    AUDIT_LOGS_CSV = "audit_logs_csv"
    CUSTOMER = "get_customer"
    BENEFICIAL_OWNERS = "list_beneficial_owners"
    AGREEMENTS = "list_agreements"
    EARNINGS = "get_earnings"


class Paging(StrEnum):
    """How the pages of a listing follow each other."""

    CURSOR = "cursor"
    OFFSET = "offset"
    WHOLE_OBJECT = "whole object"
    """One answer, a JSON object."""
    WHOLE = "whole"
    """One answer of any form."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is to be listed: `first` to `last` are New York days, `period` is YYYY or YYYY-MM.

    Construct with the functions of `listings`.
    """

    kind: ListingKind
    first: date | None = None
    last: date | None = None
    period: str | None = None
    pocket_id: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """How a listing is asked for.

    `instant_at` leads to the time of an item where the bank cannot be told the days asked for (or only one end
    of them): pages that lie wholly beyond them need not be walked.
    """

    operation: Operation
    path: str
    query: Query
    paging: Paging
    cap_bytes: int
    first_row_only: bool = False
    instant_at: tuple[str, ...] = ()


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def bounds(listing: Listing) -> tuple[datetime, datetime]:
    """The first and the last instant of the days asked for, both included, UTC."""
    if listing.first is None or listing.last is None or listing.last < listing.first:
        raise ValueError(f"{listing.kind} needs a range of days")
    start, _ = day_bounds(listing.first)
    _, end = day_bounds(listing.last)
    return start, end - timedelta(microseconds=1)


def _instants(names: tuple[str, str], listing: Listing) -> Query:
    start, end = bounds(listing)
    return (names[0], _instant(start)), (names[1], _instant(end))


def _no_query(contract: Contract, listing: Listing) -> Query:
    return ()


def _transactions(contract: Contract, listing: Listing) -> Query:
    return _instants((contract.transactions_from, contract.transactions_to), listing)


def _trades(contract: Contract, listing: Listing) -> Query:
    return _instants((contract.trades_from, contract.trades_to), listing)


def _audit_logs(contract: Contract, listing: Listing) -> Query:
    return _instants((contract.audits_from, contract.audits_to), listing)


def _statements(contract: Contract, listing: Listing) -> Query:
    return ((contract.statements_key, listing.period or ""),)


def _events(contract: Contract, listing: Listing) -> Query:
    # `after` is taken as excluding its instant.
    start, _ = bounds(listing)
    return ((contract.events_after, _instant(start - timedelta(microseconds=1))),)


def _report_requests(contract: Contract, listing: Listing) -> Query:
    # Whose days the filter counts is not known; a day of London may be that of New York or the one after it.
    first, last = (listing.first, listing.last) if listing.first and listing.last else (date.min, date.min)
    return (contract.requests_first, first.isoformat()), (
        contract.requests_last,
        (last + timedelta(days=1)).isoformat(),
    )


def _earnings(contract: Contract, listing: Listing) -> Query:
    if listing.first is None or listing.last is None:
        raise ValueError(f"{listing.kind} needs a range of days")
    return (
        (contract.earnings_period, contract.earnings_range),
        (contract.earnings_from, listing.first.isoformat()),
        (contract.earnings_to, listing.last.isoformat()),
    )


def _edge(contract: Contract, listing: Listing) -> Query:
    order = contract.ascending if listing.kind is ListingKind.FIRST_ACTIVITY else contract.descending
    return (contract.transactions_pocket, listing.pocket_id or ""), (contract.order, order)


@dataclass(frozen=True, slots=True)
class _Plan:
    operation: str
    paging: Paging = Paging.CURSOR
    query: Callable[[Contract, Listing], Query] = _no_query
    instant_at: tuple[str, ...] = ()


_PLANS: Final[Mapping[ListingKind, _Plan]] = {
    ListingKind.POCKETS: _Plan("pockets.list"),
    ListingKind.TRANSACTIONS: _Plan("transactions.list", query=_transactions),
    ListingKind.TRANSACTIONS_CSV: _Plan("transactions.export", Paging.WHOLE, _transactions),
    ListingKind.TRADES_V1: _Plan("trades.list_v1", query=_trades),
    ListingKind.TRADES_V2: _Plan("trades.list", query=_trades),
    ListingKind.TRADES_CSV: _Plan("trades.export", Paging.WHOLE, _trades),
    ListingKind.MONTHLY_STATEMENTS: _Plan("statements.list", query=_statements),
    ListingKind.FIRST_ACTIVITY: _Plan("transactions.list", query=_edge),
    ListingKind.LAST_ACTIVITY: _Plan("transactions.list", query=_edge),
    ListingKind.PORTALS: _Plan("portals.list", Paging.WHOLE_OBJECT),
    ListingKind.TRADING_STRATEGIES: _Plan("trading_strategies.list", Paging.OFFSET),
    ListingKind.COUNTERPARTIES: _Plan("counterparties.list"),
    ListingKind.TRANSFER_REQUESTS: _Plan("transfer_requests.list", instant_at=("created_at",)),
    ListingKind.REVIEWERS: _Plan("transfer_requests.reviewers", Paging.WHOLE_OBJECT),
    ListingKind.SUBSCRIPTIONS: _Plan("subscriptions.list"),
    ListingKind.EVENTS: _Plan("events.list", query=_events, instant_at=("event", "timestamp")),
    ListingKind.NOTIFICATIONS: _Plan("notifications.list", instant_at=("created_at",)),
    ListingKind.REPORT_REQUESTS: _Plan("reports.list_requests", query=_report_requests),
    ListingKind.USER: _Plan("user.get", Paging.WHOLE_OBJECT),
    ListingKind.MEMBERSHIPS: _Plan("user.memberships", Paging.WHOLE),
    ListingKind.TEAM: _Plan("team.get", Paging.WHOLE_OBJECT),
    ListingKind.AUDIT_LOGS: _Plan("team_audits.list", query=_audit_logs),
    ListingKind.AUDIT_LOGS_CSV: _Plan("team_audits.export", Paging.WHOLE, _audit_logs),
    ListingKind.CUSTOMER: _Plan("customer.get", Paging.WHOLE_OBJECT),
    ListingKind.BENEFICIAL_OWNERS: _Plan("customer.beneficial_owners", Paging.WHOLE_OBJECT),
    ListingKind.AGREEMENTS: _Plan("agreements.list", Paging.WHOLE_OBJECT),
    ListingKind.EARNINGS: _Plan("pockets.earnings", Paging.WHOLE_OBJECT, _earnings),
}


def route(listing: Listing, contract: Contract) -> Route:
    """How `listing` is put to a bank of this contract. Raises ValueError when it lacks its days."""
    kind = listing.kind
    if kind is ListingKind.REFERENCE_LIST:
        public = Operation(kind.value, None, public=True)
        return Route(public, contract.simulated_reference_path, (), Paging.WHOLE, contract.csv_cap_bytes)
    plan = _PLANS[kind]
    declared = OPERATIONS[plan.operation]
    parameters = {} if listing.pocket_id is None else {"pocket_id": listing.pocket_id}
    return Route(
        Operation(kind.value, declared.group, scope=declared.scope),
        path_of(plan.operation, contract, **parameters),
        plan.query(contract, listing),
        plan.paging,
        contract.csv_cap_bytes if plan.paging is Paging.WHOLE else contract.json_cap_bytes,
        first_row_only=kind in (ListingKind.FIRST_ACTIVITY, ListingKind.LAST_ACTIVITY),
        instant_at=plan.instant_at,
    )
