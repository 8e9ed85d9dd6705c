"""The listings of the API, page by page, as the bytes that came.

Belongs here: naming a listing, following its pages. Does not belong here: where and how each is asked for
(`listing_routes`), reading the items (`jiko_pipeline.formats`), keeping the pages (`jiko_pipeline.archive`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from jiko_pipeline.bank.api import ApiClient, json_object
from jiko_pipeline.bank.contract import Contract
from jiko_pipeline.bank.cursors import follow, row_keys
from jiko_pipeline.bank.cursors import next_cursor as next_cursor
from jiko_pipeline.bank.errors import ContractBrokenError
from jiko_pipeline.bank.exchange import Answer
from jiko_pipeline.bank.listing_routes import Listing as Listing
from jiko_pipeline.bank.listing_routes import ListingKind as ListingKind
from jiko_pipeline.bank.listing_routes import Paging, Route, bounds, route
from jiko_pipeline.bank.operations import path_of
from jiko_pipeline.bank.readings import PageRead, pages_until_settled
from jiko_pipeline.calendars import new_york_date


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


def portals() -> Listing:
    """All portals (account numbers) of the customer's pockets, as they are now."""
    return Listing(ListingKind.PORTALS)


def trading_strategies() -> Listing:
    """The strategies a pocket can follow, as they are now."""
    return Listing(ListingKind.TRADING_STRATEGIES)


def counterparties() -> Listing:
    """All counterparties of the customer, as they are now."""
    return Listing(ListingKind.COUNTERPARTIES)


def reviewers() -> Listing:
    """The people who may approve transfers, as they are now."""
    return Listing(ListingKind.REVIEWERS)


def subscriptions() -> Listing:
    """The customer's subscriptions to events, as they are now; their secrets are never told."""
    return Listing(ListingKind.SUBSCRIPTIONS)


def user() -> Listing:
    """Whom the credentials belong to."""
    return Listing(ListingKind.USER)


def memberships() -> Listing:
    """The teams that the owner of the credentials is in."""
    return Listing(ListingKind.MEMBERSHIPS)


def team() -> Listing:
    """The customer's team, as it is now."""
    return Listing(ListingKind.TEAM)


def customer() -> Listing:
    """The customer, as the bank knows it now."""
    return Listing(ListingKind.CUSTOMER)


def beneficial_owners() -> Listing:
    """The customer's beneficial owners, as they are now."""
    return Listing(ListingKind.BENEFICIAL_OWNERS)


def agreements() -> Listing:
    """The agreements in force, with links to their documents."""
    return Listing(ListingKind.AGREEMENTS)


def transfer_requests(first: date, last: date) -> Listing:
    """Transfer requests made on the New York days `first` to `last`.

    The bank cannot be told the days: pages may hold requests of others, and walking ends where only those follow.
    """
    return Listing(ListingKind.TRANSFER_REQUESTS, first, last)


def notifications(first: date, last: date) -> Listing:
    """Notifications of the New York days `first` to `last`; pages may hold those of others (`transfer_requests`)."""
    return Listing(ListingKind.NOTIFICATIONS, first, last)


def events(first: date, last: date) -> Listing:
    """Events of the New York days `first` to `last`; pages may hold later ones (`transfer_requests`)."""
    return Listing(ListingKind.EVENTS, first, last)


def report_requests(first: date, last: date) -> Listing:
    """Report requests made on the New York days `first` to `last`, and on the day after them."""
    return Listing(ListingKind.REPORT_REQUESTS, first, last)


def audit_logs(first: date, last: date) -> Listing:
    """Entries of the team's audit log of the New York days `first` to `last`."""
    return Listing(ListingKind.AUDIT_LOGS, first, last)


def audit_logs_csv(first: date, last: date) -> Listing:
    """The same entries as one CSV document."""
    return Listing(ListingKind.AUDIT_LOGS_CSV, first, last)


def earnings(pocket_id: str, first: date, last: date) -> Listing:
    """What a pocket earned from `first` to `last`, both included: one figure."""
    return Listing(ListingKind.EARNINGS, first, last, pocket_id=pocket_id)


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


def walk(api: ApiClient, contract: Contract, listing: Listing, page_limit: int) -> Iterator[Page]:
    """The pages of `listing` in order; a document that has no pages is one page.

    One of several pages is read until it is at rest; its later readings add the pages with rows that the first one
    missed (`readings`). Raises ContractBrokenError when a cursor comes back, never ends or is not a token,
    UnavailableError when the listing does not come to rest, and whatever `ApiClient.call` raises.
    """
    yield from api.log.pieces(_walk(api, contract, listing, page_limit))


def _walk(api: ApiClient, contract: Contract, listing: Listing, page_limit: int) -> Iterator[Page]:
    way = route(listing, contract)
    if way.paging in (Paging.WHOLE, Paging.WHOLE_OBJECT):
        answer = api.call(
            way.operation,
            way.path,
            query=way.query,
            cap_bytes=way.cap_bytes,
            expect_json=way.paging is Paging.WHOLE_OBJECT,
        )
        yield _page(1, way, way.query, answer, is_last=True)
    elif way.paging is Paging.OFFSET:
        yield from _walk_offsets(api, contract, way, page_limit)
    else:
        yield from _walk_cursors(api, contract, listing, way, page_limit)


def _page(number: int, way: Route, query: tuple[tuple[str, str], ...], answer: Answer, *, is_last: bool) -> Page:
    return Page(
        number=number,
        body=answer.body,
        url_path=way.path,
        query=query,
        fetched_at=answer.fetched_at,
        status=answer.status,
        media_type=answer.media_type,
        is_last=is_last,
    )


def _walk_cursors(api: ApiClient, contract: Contract, listing: Listing, way: Route, page_limit: int) -> Iterator[Page]:
    def ends(items: list[Any]) -> bool:
        return way.first_row_only or bool(way.instant_at and _only_others_follow(items, listing, way))

    settled = pages_until_settled(
        lambda limit: follow(api, contract, way, limit, ends),
        contract,
        limit=1 if way.first_row_only else page_limit,
        where=way.path,
        # Where a reading ends depends on its pages; another length would show others than those asked for.
        same_pages=bool(way.instant_at),
    )
    yield from _numbered(way, settled)


def _numbered(way: Route, pages: Iterator[tuple[PageRead, bool]]) -> Iterator[Page]:
    for number, (page, is_last) in enumerate(pages, start=1):
        yield _page(number, way, page.query, page.answer, is_last=is_last)


def _only_others_follow(items: Sequence[Any], listing: Listing, way: Route) -> bool:
    """True when a page in order of time, rising or falling, ends beyond the days asked for on the far side.

    A page whose times do not rise or fall throughout, or are no times, proves nothing.
    """
    instants = []
    for item in items:
        for name in way.instant_at:
            item = item.get(name) if isinstance(item, dict) else None
        try:
            instants.append(aware_instant(item, way.path))
        except ContractBrokenError:
            return False
    start, end = bounds(listing)
    if len(instants) < 2 or instants[0] == instants[-1]:
        return False
    if instants == sorted(instants):
        return instants[-1] > end
    return instants == sorted(instants, reverse=True) and instants[-1] < start


def _walk_offsets(api: ApiClient, contract: Contract, way: Route, page_limit: int) -> Iterator[Page]:
    settled = pages_until_settled(
        lambda limit: _follow_offsets(api, contract, way, limit), contract, limit=page_limit, where=way.path
    )
    yield from _numbered(way, settled)


def _follow_offsets(api: ApiClient, contract: Contract, way: Route, page_limit: int) -> Iterator[PageRead]:
    """Pages by offset, until one is empty: whether `count` counts the page or the listing is not known."""
    offset = 0
    before: list[Any] = []
    for _ in range(contract.page_cap):
        query = (*way.query, (contract.limit, str(page_limit)), (contract.offset, str(offset)))
        answer = api.call(way.operation, way.path, query=query, cap_bytes=way.cap_bytes)
        document = json_object(answer.body, way.path)
        items = document.get(contract.items)
        if not isinstance(items, list):
            raise ContractBrokenError(f"{way.path} answered a page without a list of items.")
        if items and (items == before or document.get(contract.offset, offset) != offset):
            raise ContractBrokenError(f"{way.path} answered another page than the one asked for.")
        before = items
        offset += len(items)
        yield PageRead(query, answer, row_keys(items))
        if not items:
            return
    raise ContractBrokenError(f"{way.path} did not end after {contract.page_cap} pages.")


def first_and_last_activity(api: ApiClient, contract: Contract, pocket_id: str) -> tuple[date | None, date | None]:
    """New York days of the first and the last bank-side movement of a pocket; None, None without any."""
    with api.log.course():
        first, last = (
            _day_of_first_item(page.body, contract, pocket_id)
            for listing in (first_activity(pocket_id), last_activity(pocket_id))
            for page in walk(api, contract, listing, 1)
        )
    return first, last


def _day_of_first_item(body: bytes, contract: Contract, pocket_id: str) -> date | None:
    where = path_of("transactions.list", contract)
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
