"""Cursor lists: opaque signed cursors over a stable order.

Belongs here: cutting one page out of an ordered walk, and the cursors to its neighbours. A cursor names the
last item seen, so rows that appear meanwhile never shift a page; it is bound to the listing and its filters.
Does not belong here: where the items come from.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from jiko_pipeline.simulator.server.answers import Json, invalid

Item = TypeVar("Item")
Key = tuple[str, str]
Walk = Callable[[bool, Key | None], Iterable[Item]]
"""(descending, from key) -> items in that order, beginning at or before the key; may be lazy."""


@dataclass(frozen=True, slots=True)
class Cursors:
    """Makes and reads the cursors of one listing under one set of filters."""

    secret: str
    listing: str
    filters: Mapping[str, Any]

    def write(self, key: Key, *, backward: bool) -> str:
        """The cursor of the page that follows `key`, or that comes before it."""
        body = json.dumps([int(backward), *key], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._tag(body) + body).decode().rstrip("=")

    def read(self, cursor: str) -> tuple[bool, Key]:
        """(backward, key). Raises RefusedError(422) for a cursor that this listing did not make."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raw = b""
        tag, body = raw[:12], raw[12:]
        if not body or not hmac.compare_digest(tag, self._tag(body)):
            raise invalid("query", "cursor", "Value error, invalid cursor", "value_error", cursor)
        backward, time, identifier = json.loads(body)
        return bool(backward), (time, identifier)

    def _tag(self, body: bytes) -> bytes:
        scope = json.dumps([self.listing, self.filters], sort_keys=True, default=str).encode()
        return hmac.digest(self.secret.encode(), scope + b"\0" + body, hashlib.sha256)[:12]


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """The items of one page and the cursors to its neighbours."""

    items: tuple[Item, ...]
    previous: str | None
    next: str | None

    def as_cursor_list(self, show: Callable[[Item], Json]) -> Json:
        """The page as Jiko's CursorList."""
        return {
            "prev_page": self.previous,
            "next_page": self.next,
            "items": [show(item) for item in self.items],
            "object_type": "CursorList",
        }


def cut(
    walk: Walk[Item],
    key_of: Callable[[Item], Key],
    *,
    cursors: Cursors,
    cursor: str | None,
    limit: int,
    descending: bool,
) -> Page[Item]:
    """One page of a walk. `key_of` gives (time, id), whose order is the order of the list.

    Raises RefusedError(422) for a cursor that does not belong to this listing and its filters.
    """
    backward, start = cursors.read(cursor) if cursor else (False, None)
    falling = descending != backward
    items: list[Item] = []
    more = False
    for item in walk(falling, start):
        key = key_of(item)
        if start is not None and (key >= start if falling else key <= start):
            continue
        if len(items) == limit:
            more = True
            break
        items.append(item)
    if backward:
        items.reverse()
    has_next = bool(items) if backward else more
    has_previous = more if backward else start is not None and bool(items)
    return Page(
        tuple(items),
        cursors.write(key_of(items[0]), backward=True) if has_previous else None,
        cursors.write(key_of(items[-1]), backward=False) if has_next else None,
    )
