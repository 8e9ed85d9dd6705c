"""The listings of the API, page by page, as the bytes that came.

Belongs here: which listings there are, their filters, following cursors. Does not belong here: reading the
items (`jiko_pipeline.formats`), keeping the pages (`jiko_pipeline.archive`).

Days are New York days. The bounds of Jiko's date-time filters are taken as included, so a range ends one
microsecond before the day after its last.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from jiko_pipeline.bank.api import ApiClient, json_object
from jiko_pipeline.bank.contract import Contract, Group
from jiko_pipeline.bank.errors import ContractBrokenError
from jiko_pipeline.bank.operations import Operation
from jiko_pipeline.calendars import day_bounds, new_york_date

_LONGEST_CURSOR = 8192


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


@dataclass(frozen=True, slots=True)
class Listing:
    """What is to be listed: `first` to `last` are New York days, `period` is YYYY or YYYY-MM.

    Construct with the functions below.
    """

    kind: ListingKind
    first: date | None = None
    last: date | None = None
    period: str | None = None
    pocket_id: str | None = None


def pockets() -> Listing:
    """All pockets of the customer, as they are now."""
    return Listing(ListingKind.POCKETS)


def transactions(first: date, last: date) -> Listing:
    """Bank-side movements booked on the New York days `first` to `last`."""
    return Listing(ListingKind.TRANSACTIONS, first, last)


def transactions_csv(first: date, last: date) -> Listing:
    """The same movements as one CSV document."""
    return Listing(ListingKind.TRANSACTIONS_CSV, first, last)


def trades_v1(first: date, last: date) -> Listing:
    """Purchases, sales and maturities traded on the New York days `first` to `last`."""
    return Listing(ListingKind.TRADES_V1, first, last)


def trades_v2(first: date, last: date) -> Listing:
    """The same and transfers of securities, in their newer form."""
    return Listing(ListingKind.TRADES_V2, first, last)


def trades_csv(first: date, last: date) -> Listing:
    """Trades as one CSV document."""
    return Listing(ListingKind.TRADES_CSV, first, last)


def monthly_statements(period: str) -> Listing:
    """Monthly and yearly documents of a period (YYYY or YYYY-MM)."""
    return Listing(ListingKind.MONTHLY_STATEMENTS, period=period)


def reference_list() -> Listing:
    """The simulated bank's list of the bills it made; no other bank has one."""
    return Listing(ListingKind.REFERENCE_LIST)


def first_activity(pocket_id: str) -> Listing:
    """The first bank-side movement of a pocket, alone: one page of at most one item."""
    return Listing(ListingKind.FIRST_ACTIVITY, pocket_id=pocket_id)


def last_activity(pocket_id: str) -> Listing:
    """The last bank-side movement of a pocket, alone: one page of at most one item."""
    return Listing(ListingKind.LAST_ACTIVITY, pocket_id=pocket_id)


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it came. `number` counts from 1, `query` is what was asked, `fetched_at` is UTC."""

    number: int
    body: bytes
    url_path: str
    query: tuple[tuple[str, str], ...]
    fetched_at: datetime
    status: int
    media_type: str
    is_last: bool


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _range(names: tuple[str, str], listing: Listing) -> tuple[tuple[str, str], ...]:
    if listing.first is None or listing.last is None or listing.last < listing.first:
        raise ValueError(f"{listing.kind} needs a range of days")
    start, _ = day_bounds(listing.first)
    _, end = day_bounds(listing.last)
    return (names[0], _instant(start)), (names[1], _instant(end - timedelta(microseconds=1)))


@dataclass(frozen=True, slots=True)
class _Route:
    operation: Operation
    path: str
    query: tuple[tuple[str, str], ...]
    paged: bool
    cap_bytes: int
    first_row_only: bool = False


def _route(listing: Listing, contract: Contract) -> _Route:
    kind = listing.kind
    json_cap, csv_cap = contract.json_cap_bytes, contract.csv_cap_bytes
    transactions_range = (contract.transactions_from, contract.transactions_to)
    trades_range = (contract.trades_from, contract.trades_to)

    def route(group: Group | None, path: str, query: tuple[tuple[str, str], ...] = (), *, paged: bool = True) -> _Route:
        operation = Operation(kind.value, group, public=group is None)
        return _Route(operation, path, query, paged, json_cap if paged else csv_cap)

    match kind:
        case ListingKind.POCKETS:
            return route(Group.POCKETS, contract.pockets_path)
        case ListingKind.TRANSACTIONS:
            return route(Group.TRANSACTIONS, contract.transactions_path, _range(transactions_range, listing))
        case ListingKind.TRANSACTIONS_CSV:
            query = _range(transactions_range, listing)
            return route(Group.TRANSACTIONS, contract.transactions_csv_path, query, paged=False)
        case ListingKind.TRADES_V1:
            return route(Group.TRADES, contract.trades_v1_path, _range(trades_range, listing))
        case ListingKind.TRADES_V2:
            return route(Group.TRADES, contract.trades_v2_path, _range(trades_range, listing))
        case ListingKind.TRADES_CSV:
            return route(Group.TRADES, contract.trades_csv_path, _range(trades_range, listing), paged=False)
        case ListingKind.MONTHLY_STATEMENTS:
            query = ((contract.statements_key, listing.period or ""),)
            return route(Group.STATEMENTS, contract.statements_path, query)
        case ListingKind.REFERENCE_LIST:
            return route(None, contract.simulated_reference_path, paged=False)
        case ListingKind.FIRST_ACTIVITY | ListingKind.LAST_ACTIVITY:
            order = contract.ascending if kind is ListingKind.FIRST_ACTIVITY else contract.descending
            query = ((contract.transactions_pocket, listing.pocket_id or ""), (contract.order, order))
            return replace(route(Group.TRANSACTIONS, contract.transactions_path, query), first_row_only=True)


def walk(api: ApiClient, contract: Contract, listing: Listing, page_limit: int) -> Iterator[Page]:
    """The pages of `listing` in order; a document that has no pages is one page.

    Raises ContractBrokenError when a cursor comes back, never ends or is not a token, and whatever
    `ApiClient.call` raises.
    """
    route = _route(listing, contract)
    rows = 1 if route.first_row_only else page_limit
    limit = ((contract.limit, str(rows)),) if route.paged else ()
    cursor: str | None = None
    seen: set[str] = set()
    for number in range(1, contract.page_cap + 1):
        query = route.query + limit + (((contract.cursor, cursor),) if cursor is not None else ())
        answer = api.call(route.operation, route.path, query=query, cap_bytes=route.cap_bytes, expect_json=route.paged)
        cursor = None
        if route.paged:
            following = next_cursor(json_object(answer.body, route.path), contract, seen, route.path)
            cursor = None if route.first_row_only else following
        yield Page(
            number=number,
            body=answer.body,
            url_path=route.path,
            query=query,
            fetched_at=answer.fetched_at,
            status=answer.status,
            media_type=answer.media_type,
            is_last=cursor is None,
        )
        if cursor is None:
            return
    raise ContractBrokenError(f"{route.path} did not end after {contract.page_cap} pages.")


def next_cursor(document: dict[str, object], contract: Contract, seen: set[str], where: str) -> str | None:
    """The token of the next page, entered in `seen`; None at the end of the listing.

    Null, absent, empty and blank all mean the end. Raises ContractBrokenError for a token that was given
    before (in whatever cycle), for an address in place of a token, and for a page without items.
    """
    if not isinstance(document.get(contract.items), list):
        raise ContractBrokenError(f"{where} answered a page without a list of items.")
    token = document.get(contract.next_page)
    if token is None:
        return None
    if not isinstance(token, str) or len(token) > _LONGEST_CURSOR:
        raise ContractBrokenError(f"{where} answered a next page that is not a token.")
    token = token.strip()
    if not token:
        return None
    if "://" in token:
        raise ContractBrokenError(
            f"{where} answered an address in place of a token for the next page; it is not followed."
        )
    if token in seen:
        raise ContractBrokenError(
            f"{where} answered a token for the next page that it had given before: it turns in a circle."
        )
    seen.add(token)
    return token


def first_and_last_activity(api: ApiClient, contract: Contract, pocket_id: str) -> tuple[date | None, date | None]:
    """New York days of the first and the last bank-side movement of a pocket; None, None without any."""
    first, last = (
        _day_of_first_item(page.body, contract, pocket_id)
        for listing in (first_activity(pocket_id), last_activity(pocket_id))
        for page in walk(api, contract, listing, 1)
    )
    return first, last


def _day_of_first_item(body: bytes, contract: Contract, pocket_id: str) -> date | None:
    where = contract.transactions_path
    items = json_object(body, where)[contract.items]
    if not items:
        return None
    item = items[0]
    if not isinstance(item, dict) or item.get(contract.pocket_id, pocket_id) != pocket_id:
        raise ContractBrokenError(f"{where} answered a movement of another pocket than the one asked for.")
    return new_york_date(aware_instant(item.get(contract.transaction_time), where))


def aware_instant(value: object, where: str) -> datetime:
    """An ISO 8601 time with a zone, as UTC. Raises ContractBrokenError for anything else."""
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ContractBrokenError(f"{where} answered a time that is not one, or has no zone.")
    return instant.astimezone(UTC)
