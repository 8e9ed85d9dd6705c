"""Fields of JSON items to columns, by a table: which field fills which column, and what it must be.

Belongs here: taking one value, and a row from a table of fields. Does not belong here: the tables themselves
(`parties`, `messages`), items with rules between their fields (`items`).

Fields nobody knows go into `details`; download links and shared secrets go nowhere.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from jiko_pipeline.formats.exact import day_of, decimal_of, fits, instant_of
from jiko_pipeline.formats.frame_spec import FrameSpec
from jiko_pipeline.formats.items import LINKS, Item, UnfitError

Take = Callable[[Any, str], Any]
"""(value that is not null, name of the field) -> value of the column. Raises UnfitError."""

SECRETS: Final = ("shared_secret", "client_secret", "secret")
_LEFT_OUT: Final = frozenset({*LINKS, *SECRETS, "object_type"})
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Field:
    """Where a column comes from: names that lead to the value in the item, and how it is taken."""

    at: tuple[str, ...]
    take: Take


def text(value: Any, name: str) -> str | None:
    """A text; an empty one is null."""
    if not isinstance(value, str):
        raise UnfitError("BAD_TEXT", f"{name} is not a text")
    return value or None


def words(value: Any, name: str) -> str | None:
    """A list of texts, sorted, with commas between them; an empty one is null."""
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise UnfitError("BAD_LIST", f"{name} is not a list of texts")
    return ",".join(sorted(value)) or None


def ids(value: Any, name: str) -> str | None:
    """A list of objects or texts as their ids, sorted, with commas between them."""
    if not isinstance(value, list):
        raise UnfitError("BAD_LIST", f"{name} is not a list")
    return words([_id_of(item, name) for item in value], name)


def _id_of(item: Any, name: str) -> Any:
    found = item.get("user_id", item.get("id")) if isinstance(item, dict) else item
    if not isinstance(found, str):
        raise UnfitError("BAD_LIST", f"{name} holds something without an id")
    return found


def structure(value: Any, name: str) -> str | None:
    """Anything as JSON with sorted keys, without links and secrets; null when nothing is left."""
    kept = without_links(value)
    return canonical(kept) if kept not in ({}, [], "") else None


def canonical(value: Any) -> str:
    """JSON with sorted keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def without_links(value: Any) -> Any:
    """`value` without nulls, links and secrets, at any depth."""
    if isinstance(value, dict):
        return {key: without_links(inner) for key, inner in value.items() if key not in _LEFT_OUT and inner is not None}
    return [without_links(inner) for inner in value] if isinstance(value, list) else value


def instant(value: Any, name: str) -> Any:
    """A time with a zone, as UTC without one."""
    moment = instant_of(value) if isinstance(value, str) else None
    if moment is None:
        raise UnfitError("BAD_TIME", f"{name} is not a time with a zone")
    return moment


def day(value: Any, name: str) -> Any:
    """A date of the form YYYY-MM-DD; an empty one is null."""
    if value == "":
        return None
    found = day_of(value) if isinstance(value, str) and len(value) == 10 else None
    if found is None:
        raise UnfitError("BAD_DATE", f"{name} is not a date of the form YYYY-MM-DD")
    return found


def integer(value: Any, name: str) -> int:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 10**15:
        raise UnfitError("BAD_INTEGER", f"{name} is not a whole number")
    return value


def flag(value: Any, name: str) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise UnfitError("BAD_FLAG", f"{name} is neither true nor false")
    return value


def cents(value: Any, name: str) -> Decimal:
    """A whole number of cents as dollars."""
    return integer(value, name) * _CENT


def decimal(precision: int, scale: int) -> Take:
    """A taker of decimal numbers, written as text or as a number, that DECIMAL(precision, scale) holds exactly."""

    def take(value: Any, name: str) -> Decimal | None:
        if value == "":
            return None
        number = value if isinstance(value, Decimal) else None
        if isinstance(value, int) and not isinstance(value, bool):
            number = Decimal(value)
        elif isinstance(value, str):
            number = decimal_of(value)
        if number is None or not number.is_finite():
            raise UnfitError("BAD_NUMBER", f"{name} is not a plain decimal number")
        if not fits(number, precision, scale):
            raise UnfitError("EXCESS_DIGITS", f"{name} has more digits than DECIMAL({precision},{scale}) holds")
        return number

    return take


def address_only(value: Any, name: str) -> str | None:
    """An address without query, fragment and credentials: those may hold a secret."""
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None:
        raise UnfitError("BAD_TEXT", f"{name} is not a text")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")) or None


def person_name(value: Any, name: str) -> str | None:
    """A name as text, or as an object in the order first, middle, last."""
    if isinstance(value, dict):
        value = " ".join(
            part for key in ("first_name", "middle_name", "last_name") if isinstance(part := value.get(key), str)
        )
    return text(value, name)


def row_of(
    spec: FrameSpec, fields: Mapping[str, Field], *, elsewhere: tuple[str, ...] = ()
) -> Callable[[Item], tuple[Any, ...]]:
    """The function that makes a row of `spec`, less its locator, from an item.

    A column without a field is `details`; what is read `elsewhere` does not go there. Raises UnfitError for what
    does not fit and for a required column without a value.
    """
    claimed = frozenset((*(field.at[0] for field in fields.values()), *elsewhere))

    def row(item: Item) -> tuple[Any, ...]:
        document = item.model_extra or {}
        values = []
        for column in spec.columns[:-1]:
            field = fields.get(column.name)
            if field is None:
                rest = {name: value for name, value in document.items() if name not in claimed}
                values.append(structure(rest, column.name))
                continue
            name = ".".join(field.at)
            value: Any = document
            for step in field.at:
                value = value.get(step) if isinstance(value, dict) else None
            taken = None if value is None else field.take(value, name)
            if taken is None and column.required:
                raise UnfitError("MISSING", f"{name} is missing")
            values.append(taken)
        return tuple(values)

    return row
