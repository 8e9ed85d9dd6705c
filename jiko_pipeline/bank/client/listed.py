"""Lists of the API: item by item, page by page, or one page at a time.

Belongs here: following cursors and offsets with their guards. Does not belong here: what is listed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from jiko_pipeline.bank.client.calling import Caller, Query
from jiko_pipeline.bank.client.models.base import Model
from jiko_pipeline.bank.errors import ContractBrokenError, ValidationRefusedError
from jiko_pipeline.bank.listings import next_cursor

ItemT = TypeVar("ItemT", bound=Model)

_OFFSET_LIMIT: Final = 100


@dataclass(frozen=True, slots=True)
class CursorPage(Generic[ItemT]):
    """One page. `next_page` is the cursor of the page after it, None at the end."""

    items: tuple[ItemT, ...]
    next_page: str | None


class Listed(Generic[ItemT]):
    """A list of the API: iterate over it for all items, anew each time; nothing is asked for before.

    A list that turns in a circle, has no end, or names an address in place of a cursor raises
    ContractBrokenError; what came before stands, so take a list for whole only when it has ended.

    A cursor that the bank refuses has expired, as after a long pause: the list is then read once more from its start,
    and items that were given are not given again. `pages` does not begin anew.
    """

    def __init__(
        self, caller: Caller, operation: str, item: Any, query: Query, limit: int | None, **parameters: str | UUID
    ) -> None:
        self._caller = caller
        self._operation = operation
        self._item = item
        self._query = tuple(query)
        self._limit = limit
        self._parameters = parameters

    def __iter__(self) -> Iterator[ItemT]:
        given: set[str] = set()
        first_reading = True
        while True:
            began = False
            try:
                for page in self.pages():
                    began = True
                    for item in page.items:
                        key = _key(item)
                        if first_reading or key not in given:
                            given.add(key)
                            yield item
            except ValidationRefusedError:
                # The first page has no cursor that could have expired.
                if not began or not first_reading:
                    raise
                first_reading = False
            else:
                return

    def pages(self) -> Iterator[CursorPage[ItemT]]:
        """All pages, in order."""
        contract = self._caller.contract
        seen: set[str] = set()
        cursor: str | None = None
        for _ in range(contract.page_cap):
            page = self._page(cursor, seen)
            yield page
            cursor = page.next_page
            if cursor is None:
                return
        raise ContractBrokenError(f"{self._operation} did not end after {contract.page_cap} pages.")

    def page(self, cursor: str | None = None) -> CursorPage[ItemT]:
        """The first page, or the one of a cursor that an earlier page gave."""
        return self._page(cursor, set() if cursor is None else {cursor})

    def _page(self, cursor: str | None, seen: set[str]) -> CursorPage[ItemT]:
        contract = self._caller.contract
        query = list(self._query)
        if self._limit is not None:
            query.append((contract.limit, str(self._limit)))
        if cursor is not None:
            query.append((contract.cursor, cursor))
        document, where = self._caller.read_page(self._operation, query, **self._parameters)
        following = next_cursor(document, contract, seen, where)
        items = self._caller.models(self._item, document[contract.items], where)
        return CursorPage(items, following)


def _key(item: Model) -> str:
    """What tells the items of a list apart: their ids, or all of one that has none."""
    identifier = getattr(item, "id", None)
    return identifier if isinstance(identifier, str) else item.model_dump_json()


class OffsetListed(Generic[ItemT]):
    """A list that is walked by offsets. What `count` counts is not known, so an empty or a short page ends it."""

    def __init__(self, caller: Caller, operation: str, item: Any, query: Query, limit: int | None) -> None:
        self._caller = caller
        self._operation = operation
        self._item = item
        self._query = tuple(query)
        self._limit = _OFFSET_LIMIT if limit is None else limit

    def __iter__(self) -> Iterator[ItemT]:
        for page in self.pages():
            yield from page

    def pages(self) -> Iterator[tuple[ItemT, ...]]:
        """All pages, in order."""
        contract = self._caller.contract
        offset = 0
        before: object = None
        for _ in range(contract.page_cap):
            document = self._document(offset)
            items = document[contract.items]
            if items and items == before:
                raise ContractBrokenError(f"{self._operation} answered the same page twice: it turns in a circle.")
            yield self._caller.models(self._item, items, self._operation)
            offset += len(items)
            # A bank that gives more than was asked for does not mind the limit, and has given all there is.
            if len(items) != self._limit:
                return
            before = items
        raise ContractBrokenError(f"{self._operation} did not end after {contract.page_cap} pages.")

    def _document(self, offset: int) -> dict[str, Any]:
        contract = self._caller.contract
        query = (*self._query, (contract.limit, str(self._limit)), (contract.offset, str(offset)))
        document, where = self._caller.read_page(self._operation, query)
        if not isinstance(document.get(contract.items), list):
            raise ContractBrokenError(f"{where} answered a page without a list of items.")
        return document
