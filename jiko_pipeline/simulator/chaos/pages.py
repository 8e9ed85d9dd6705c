"""Faults of cursor lists: lists that move while they are read, and cursors that lead astray.

Belongs here: what is remembered of a walk from page to page, tokens of our own and where they lead. Does not
belong here: the bank's own cursors.
"""

import copy
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from jiko_pipeline.simulator.chaos.answer import Answer
from jiko_pipeline.simulator.chaos.switch import Firing, Seen

Item = dict[str, Any]
_REMEMBERED: Final = 5_000
_TOKEN_PREFIX: Final = "wandering-"


@dataclass(frozen=True, slots=True)
class _Way:
    """Where a token of ours leads: to a page of the bank (its cursor), to an empty page, or on and on."""

    cursor: str | None
    ends: bool = False
    empty_left: int | None = 0


@dataclass(slots=True)
class _Course:
    """What one reading of a list has shown so far, by the token of its next page."""

    first: Item | None
    last: Item | None
    tokens: tuple[str, ...]


class Walks:
    """The walks through all lists since the switch was reset."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._ways: dict[str, _Way] = {}
        self._courses: OrderedDict[str, _Course] = OrderedDict()
        self._due: dict[str, dict[str, list[Item]]] = {}
        self._gone: set[tuple[str, str]] = set()
        self._moved: set[tuple[str, str]] = set()

    def lead(self, seen: Seen) -> tuple[str | None, Answer | None]:
        """For a request with a token of ours: (the bank's cursor to ask for instead, or None; our own answer)."""
        way = self._ways.get(_cursor(seen))
        if way is None:
            return None, None
        if way.cursor is not None:
            return way.cursor, None
        token: str | None = None
        if not way.ends:
            left = None if way.empty_left is None else way.empty_left - 1
            token = self._token(_Way(None, ends=left == 1, empty_left=left))
        page: dict[str, object] = {"prev_page": None, "next_page": token, "items": [], "object_type": "CursorList"}
        return None, Answer.of_json(200, page)

    def follow(self, seen: Seen, answer: Answer) -> None:
        """Bring a page into line with what happened on earlier ones, and remember it. Before any fault of its own."""
        document = answer.document()
        if document is None or not isinstance(document.get("items"), list):
            return
        items: list[Item] = document["items"]
        kept = [item for item in items if (seen.path, _identity(item)) not in self._gone]
        if not _cursor(seen):
            # A new reading begins; what the one before was still to get is in its place again.
            self._due.pop(_list_of(seen), None)
        due = self._due.get(_list_of(seen), {}).get(_cursor(seen), [])
        if due or len(kept) != len(items):
            document["items"] = [*due, *kept]
            answer.write(document)

    def remember(self, seen: Seen, asked: str, answer: Answer) -> None:
        """Note the page as the reader gets it; `asked` is the cursor that the reader sent."""
        document = answer.document()
        if document is None or not isinstance(document.get("items"), list):
            return
        token = document.get("next_page")
        if isinstance(token, str) and token not in self._courses:
            items = document["items"]
            before = self._courses.get(asked)
            tokens = (*(before.tokens if before is not None else ()), token)
            self._courses[token] = _Course(items[0] if items else None, items[-1] if items else None, tokens)
        while len(self._courses) > _REMEMBERED:
            self._courses.popitem(last=False)

    def change(self, firing: Firing, asked: str, answer: Answer, evil_origin: str, own_origin: str) -> bool:
        """Make one of the page faults; False when this page gives no occasion for it."""
        document = answer.document()
        if document is None or not isinstance(document.get("items"), list):
            return False
        changed = _Page(self, firing, asked, document, evil_origin, own_origin).change()
        if changed:
            answer.write(document)
        return changed

    def _token(self, way: _Way) -> str:
        number = len(self._ways)
        digest = hashlib.blake2b(f"{self._seed}|{number}".encode(), digest_size=12).hexdigest()
        token = f"{_TOKEN_PREFIX}{digest}"
        self._ways[token] = way
        return token

    def way_to(self, cursor: str) -> str:
        """A token of ours that leads to a page of the bank."""
        return self._token(_Way(cursor))

    def way_to_nothing(self, pages: int) -> str:
        """A token of ours that leads to so many empty pages, the last without a token; 0 means for ever."""
        return self._token(_Way(None, ends=pages == 1, empty_left=pages or None))

    def is_ours(self, cursor: str) -> bool:
        """True for a token that this class has made."""
        return cursor in self._ways

    def course(self, cursor: str) -> _Course | None:
        """What the reader of that token has seen before."""
        return self._courses.get(cursor)

    def expect(self, seen: Seen, token: str, items: list[Item]) -> None:
        """Rows to come first on the page of `token`, however often it is asked for in this reading."""
        self._due.setdefault(_list_of(seen), {})[token] = items

    def moves_once(self, firing: Firing, item: Item) -> bool:
        """True the first time that a rule moves a row: a row is late or doubled for one reader, not for ever."""
        mark = (firing.rule.id, _identity(item))
        if mark in self._moved:
            return False
        self._moved.add(mark)
        return True

    def take_away(self, path: str, item: Item) -> None:
        """A row that no list of that path shows any more."""
        self._gone.add((path, _identity(item)))


@dataclass(slots=True)
class _Page:
    """One page and one fault."""

    walks: Walks
    firing: Firing
    asked: str
    document: dict[str, Any]
    evil_origin: str
    own_origin: str

    @property
    def items(self) -> list[Item]:
        items: list[Item] = self.document["items"]
        return items

    @property
    def next(self) -> str | None:
        token = self.document.get("next_page")
        return token if isinstance(token, str) else None

    def change(self) -> bool:
        match self.firing.fault:
            case "drift":
                return self._drift()
            case "repeat_token":
                return self._name_next(self.asked if self.asked and self.next is not None else None)
            case "token_cycle":
                return self._cycle()
            case "endless_tokens":
                return self._name_next(self.walks.way_to_nothing(int(self.firing.arguments["pages"])))
            case "empty_page":
                return self._empty()
            case "trailing_empty_page":
                return self._name_next(self.walks.way_to_nothing(1)) if self.next is None else False
            case "unsorted":
                return self._mix()
            case "next_absolute":
                return self._name_next(self._address(self.evil_origin)) if self.next is not None else False
            case "total_count":
                self.document["total_count"] = len(self.items) + int(self.firing.arguments["by"])
                return True
            case _:
                return self._form()

    def _name_next(self, token: str | None) -> bool:
        if token is None:
            return False
        self.document["next_page"] = token
        return True

    def _address(self, origin: str) -> str:
        return f"{origin}{self.firing.seen.path}?cursor={quote(self.next or 'end')}"

    def _cycle(self) -> bool:
        course = self.walks.course(self.asked)
        if course is None or self.next is None or len(course.tokens) < int(self.firing.arguments["length"]):
            return False
        return self._name_next(course.tokens[0])

    def _empty(self) -> bool:
        if not self.asked or self.walks.is_ours(self.asked) or not self.items:
            return False
        self.document["items"] = []
        return self._name_next(self.walks.way_to(self.asked))

    def _mix(self) -> bool:
        items, draws = self.items, self.firing.draws
        before = list(items)
        if self.firing.arguments["across"] and self.next is not None and len(items) > 1:
            self.walks.expect(self.firing.seen, self.next, [items.pop()])
        for place in range(len(items) - 1, 0, -1):
            other = draws.below(place + 1)
            items[place], items[other] = items[other], items[place]
        return items != before

    def _form(self) -> bool:
        if self.next is not None:
            return False
        form = self.firing.arguments["form"]
        if form == "absent":
            return self.document.pop("next_page", self) is not self
        self.document["next_page"] = {"empty": "", "blank": "  ", "null": None, "url": self._address(self.own_origin)}[
            form
        ]
        return True

    def _drift(self) -> bool:
        match self.firing.arguments["change"]:
            case "insert":
                return self._insert()
            case "change":
                return self._change_last()
            case "repeat":
                return self._repeat()
            case moved:
                return self._move_up(removed=moved == "remove")

    def _insert(self) -> bool:
        index = int(self.firing.arguments["index"])
        if self.asked or not 0 <= index < len(self.items):
            return False
        if not self.walks.moves_once(self.firing, self.items[index]):
            return False
        del self.items[index]
        return True

    def _move_up(self, *, removed: bool) -> bool:
        course = self.walks.course(self.asked)
        if course is None or course.first is None or not self.items:
            return False
        if not self.walks.moves_once(self.firing, self.items[0]):
            return False
        if removed:
            self.walks.take_away(self.firing.seen.path, course.first)
        del self.items[0]
        return True

    def _repeat(self) -> bool:
        course = self.walks.course(self.asked)
        if course is None or course.last is None or not self.walks.moves_once(self.firing, course.last):
            return False
        self.items.insert(0, course.last)
        return True

    def _change_last(self) -> bool:
        if self.next is None or not self.items:
            return False
        original = self.items[-1]
        shown = copy.deepcopy(original)
        shown.update({name: value for name, value in self.firing.arguments["set"].items() if name in shown})
        if shown == original or not self.walks.moves_once(self.firing, original):
            return False
        self.items[-1] = shown
        self.walks.expect(self.firing.seen, self.next, [original])
        return True


def asked_cursor(seen: Seen) -> str:
    """The cursor that a request carries; empty without."""
    return _cursor(seen)


def _cursor(seen: Seen) -> str:
    return next(iter(seen.query.get("cursor", ())), "")


def _list_of(seen: Seen) -> str:
    """The list that is read, whatever page of it."""
    return repr(
        (seen.path, sorted((name, *seen.query[name]) for name in seen.query if name not in ("cursor", "limit")))
    )


def _identity(item: object) -> str:
    if not isinstance(item, dict):
        return repr(item)
    return str(item.get("id") or item.get("event_id") or item)
