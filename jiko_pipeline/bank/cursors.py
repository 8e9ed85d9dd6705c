"""Following cursors to the end of a listing.

Belongs here: one reading of a listing, which token leads on. Does not belong here: whether a reading is believed
(`readings`), what can be listed (`listing_routes`), pages as they are kept (`listings`).
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from jiko_pipeline.bank.api import ApiClient, json_object
from jiko_pipeline.bank.contract import Contract
from jiko_pipeline.bank.errors import ContractBrokenError
from jiko_pipeline.bank.listing_routes import Route
from jiko_pipeline.bank.readings import PageRead

_LONGEST_CURSOR: Final = 8192
_HALF: Final = re.compile("[\ud800-\udfff]")
"""Half of a character, which no address can carry."""


def follow(
    api: ApiClient, contract: Contract, way: Route, limit: int, ends: Callable[[list[Any]], bool]
) -> Iterator[PageRead]:
    """Each page of one reading of the listing; `ends` says of a page's items that none follow.

    Raises ContractBrokenError when a cursor comes back, never ends or is no token, and whatever `ApiClient.call`
    raises.
    """
    seen: set[str] = set()
    cursor: str | None = None
    for _ in range(contract.page_cap):
        query = (*way.query, (contract.limit, str(limit)), *(((contract.cursor, cursor),) if cursor else ()))
        answer = api.call(way.operation, way.path, query=query, cap_bytes=way.cap_bytes)
        document = json_object(answer.body, way.path)
        cursor = next_cursor(document, contract, seen, way.path)
        items: list[Any] = document[contract.items]
        stated = document.get(contract.total_count)
        counted = stated if isinstance(stated, int) and not isinstance(stated, bool) else None
        yield PageRead(query, answer, row_keys(items), counted)
        if cursor is None or ends(items):
            return
    raise ContractBrokenError(f"{way.path} did not end after {contract.page_cap} pages.")


def row_keys(items: Sequence[Any]) -> list[str]:
    """What tells the rows of a page apart: their ids, or all of a row that has none."""
    keys = []
    for item in items:
        key = item.get("id") if isinstance(item, dict) else None
        keys.append(key if isinstance(key, str) else json.dumps(item, sort_keys=True))
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
    if not isinstance(token, str) or len(token) > _LONGEST_CURSOR or _HALF.search(token):
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
