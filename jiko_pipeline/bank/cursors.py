"""Following cursors to the end of a listing, and not believing the end at once.

Belongs here: which token leads on, when a listing is read again from its start. Does not belong here: what can
be listed (`listing_routes`), pages as they are kept (`listings`).

Rows may come, go and change while pages are read. Where a row went from a page that was read already, the next
page may begin one too late; so after a listing of several pages its first page is asked for once more, and when
other rows stand on it, or the bank states another number of rows than it gave, the listing is read again. All
pages of all readings count: a row on several of them is one row by its key, and the later copy stands.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from jiko_pipeline.bank.api import ApiClient, json_object
from jiko_pipeline.bank.contract import Contract
from jiko_pipeline.bank.errors import ContractBrokenError, ValidationRefusedError
from jiko_pipeline.bank.exchange import Answer
from jiko_pipeline.bank.listing_routes import Query, Route

_LONGEST_CURSOR: Final = 8192


def follow(
    api: ApiClient, contract: Contract, way: Route, limit: int, ends: Callable[[list[Any]], bool]
) -> Iterator[tuple[Query, Answer, bool]]:
    """Each page of the listing as (query, answer, is last); `ends` says of a page's items that none follow.

    A listing that keeps moving is taken as it is after `contract.listing_rereads` further readings: the windows of
    later runs reach back over it. Raises ContractBrokenError when a cursor comes back, never ends or is no token,
    when the number of rows stays another than the bank states, and whatever `ApiClient.call` raises.
    """
    for left in range(contract.listing_rereads, -1, -1):
        reading = _Reading(api, contract, way, limit)
        while True:
            try:
                query, answer, items, following = reading.next_page()
            except ValidationRefusedError:
                # A token that is refused after a while has expired; the first page has none that could.
                if reading.pages == 0 or left == 0:
                    raise
                break
            if following is not None and not ends(items):
                yield query, answer, False
                continue
            settled = following is not None or reading.is_settled(final=left == 0)
            yield query, answer, settled
            if settled:
                return
            break
    raise ContractBrokenError(f"{way.path} could not be read to its end.")


class _Reading:
    """One reading of a listing from its first page."""

    def __init__(self, api: ApiClient, contract: Contract, way: Route, limit: int) -> None:
        self._api = api
        self._contract = contract
        self._way = way
        self._limit = ((contract.limit, str(limit)),)
        self._cursor: str | None = None
        self._seen: set[str] = set()
        self._first: list[str] = []
        self._keys: set[str] = set()
        self._stated: int | None = None
        self.pages = 0

    def next_page(self) -> tuple[Query, Answer, list[Any], str | None]:
        """(query, answer, items, token of the page after it)."""
        way, contract = self._way, self._contract
        if self.pages >= contract.page_cap:
            raise ContractBrokenError(f"{way.path} did not end after {contract.page_cap} pages.")
        query, answer, document = self._ask(self._cursor)
        self._cursor = next_cursor(document, contract, self._seen, way.path)
        items: list[Any] = document[contract.items]
        keys = _keys(items)
        self._keys |= keys
        if self.pages == 0:
            self._first = sorted(keys)
        stated = document.get(contract.total_count)
        if isinstance(stated, int) and not isinstance(stated, bool):
            self._stated = stated
        self.pages += 1
        return query, answer, items, self._cursor

    def is_settled(self, *, final: bool) -> bool:
        """True when the listing was the same at the end of its reading as at the start, as far as can be seen.

        Raises ContractBrokenError for a `final` reading whose number of rows is not the stated one.
        """
        if self._stated is not None and self._stated != len(self._keys):
            if final:
                raise ContractBrokenError(
                    f"{self._way.path} states {self._stated} rows and gave {len(self._keys)} of them."
                )
            return False
        if final or self.pages == 1 or self._way.instant_at:
            return True
        _, _, document = self._ask(None)
        items = document.get(self._contract.items)
        return isinstance(items, list) and sorted(_keys(items)) == self._first

    def _ask(self, cursor: str | None) -> tuple[Query, Answer, dict[str, Any]]:
        way, contract = self._way, self._contract
        query = (*way.query, *self._limit, *(((contract.cursor, cursor),) if cursor is not None else ()))
        answer = self._api.call(way.operation, way.path, query=query, cap_bytes=way.cap_bytes)
        return query, answer, json_object(answer.body, way.path)


def _keys(items: Sequence[Any]) -> set[str]:
    """What tells the rows of a page apart: their ids, or all of a row that has none."""
    keys = set()
    for item in items:
        key = item.get("id") if isinstance(item, dict) else None
        keys.add(key if isinstance(key, str) else json.dumps(item, sort_keys=True))
    return keys


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
