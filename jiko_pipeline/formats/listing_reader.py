"""All pages of one listing to one reading: strict JSON, each item a row or a rejected row.

Belongs here: the shape of a body, what to make of an item that stands on two pages. Does not belong here: which
listings there are (`pages`, `parties`, `messages`), what stands in an item, following cursors (`bank`).

Numbers with a point are read as decimals, never as floats; an object that names a key twice is refused, for
the last one would win without a word.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError

from jiko_pipeline.formats.columns import typed_frame
from jiko_pipeline.formats.echo import days_outside, refuse_other_days, refuse_other_pockets
from jiko_pipeline.formats.frame_spec import FrameSpec
from jiko_pipeline.formats.items import LINKS, Item, UnfitError
from jiko_pipeline.formats.reading import (
    Expectation,
    Finding,
    Reading,
    RefusedDocumentError,
    RejectedRow,
    Severity,
)

MOST_BYTES_A_PAGE: Final = 8 * 1024 * 1024
_LONGEST_KEPT_ITEM: Final = 2_000
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")
"""Half of a character beyond the first 65,536, as JSON may write it."""

ItemType = TypeVar("ItemType", bound=Item)
Body = dict[str, Any] | list[Any]


def _items_of_page(body: Body) -> Any:
    return body.get("items") if isinstance(body, dict) else None


@dataclass(frozen=True, slots=True)
class Listing(Generic[ItemType]):
    """One kind of listing: its items' model, how one becomes a row less its locator, what to compare.

    `items` finds the items of a body (None: the body is no such listing); `identity` leads to an item's id.
    With `holds_other_days` the bank could not be told the days asked for: rows of other days are left to the
    documents of their own days. With `is_one_item` the body is the item: one that is no row is no such answer, and is
    not taken for one that is gone.
    """

    frame: FrameSpec
    model: type[ItemType]
    row: Callable[[ItemType], tuple[Any, ...]]
    words: dict[str, frozenset[str]] = field(default_factory=dict)
    day: str | None = None
    pocket: str | None = None
    items: Callable[[Body], Any] = _items_of_page
    identity: tuple[str, ...] = ("id",)
    holds_other_days: bool = False
    is_one_item: bool = False


def items_of(body: bytes, page: int = 1, find: Callable[[Body], Any] = _items_of_page) -> list[dict[str, Any]]:
    """The items of one page. Raises RefusedDocumentError when the body is no such listing."""
    items = find(body_of(body, page))
    if not isinstance(items, list):
        where = f"page {page}"
        raise RefusedDocumentError("NOT_A_LISTING", f"Page {page} is JSON, but no list of items.", where)
    for position, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            message = f"Page {page}, item {position} is no object."
            raise RefusedDocumentError("NOT_A_LISTING", message, f"page {page} item {position}")
    return items


def body_of(body: bytes, page: int = 1) -> Body:
    """The JSON object or list in a body. Raises RefusedDocumentError."""
    where = f"page {page}"
    if len(body) > MOST_BYTES_A_PAGE:
        raise RefusedDocumentError("TOO_LARGE", f"Page {page} has {len(body):,} bytes, more than a page has.", where)
    if not body.strip():
        raise RefusedDocumentError("EMPTY_DOCUMENT", f"Page {page} is empty.", where)
    try:
        document = json.loads(
            body.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_repeated_keys,
        )
        if _HALF.search(body):
            # Two halves have become one character; one alone is none, and no text that can be kept.
            json.dumps(document, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise RefusedDocumentError("NOT_JSON", f"Page {page} holds half of a character.", where) from None
    except UnicodeDecodeError:
        raise RefusedDocumentError("ENCODING_REFUSED", f"Page {page} is not UTF-8.", where) from None
    except UnfitError as error:
        raise RefusedDocumentError(error.code, f"Page {page} {error}.", where) from None
    except json.JSONDecodeError as error:
        message = f"Page {page} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        raise RefusedDocumentError("NOT_JSON", message, where) from None
    except (RecursionError, ValueError):
        raise RefusedDocumentError("NOT_JSON", f"Page {page} is nested or numbered beyond reason.", where) from None
    if not isinstance(document, dict | list):
        raise RefusedDocumentError("NOT_A_LISTING", f"Page {page} is JSON, but no list of items.", where)
    return document


def _refuse_constant(name: str) -> None:
    raise UnfitError("NOT_JSON", f"holds {name}, which is no JSON")


def _without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        shown = repeated[:40].encode(errors="backslashreplace").decode()
        raise UnfitError("REPEATED_KEY", f"names the key '{shown}' twice in one object")
    return result


def read_listing(listing: Listing[Any], parts: Sequence[bytes], expectation: Expectation | None) -> Reading:
    """One reading of all pages of a listing. Raises RefusedDocumentError when the document is not what was asked."""
    rows: dict[str, tuple[Any, ...]] = {}
    rejected: list[RejectedRow] = []
    findings: list[Finding] = []
    for locator, item in distinct_items(listing, parts, findings):
        try:
            model = listing.model.model_validate(item)
            row = (*listing.row(model), locator)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            rejected.append(_rejected(locator, "BAD_ITEM", f"{where}: {first['msg']}", item))
        except UnfitError as error:
            rejected.append(_rejected(locator, error.code, str(error), item))
        else:
            rows[locator] = row
    if listing.is_one_item and rejected:
        raise RefusedDocumentError(rejected[0].code, rejected[0].message, rejected[0].locator)
    frame = listing.frame.empty()
    if rows:
        frame = typed_frame(listing.frame, zip(*rows.values(), strict=True))
    for name, known in listing.words.items():
        for word in sorted(set(frame[name].drop_nulls().unique()) - known):
            message = f"'{word[:40]}' in {name} is not a known word; the rows are kept."
            findings.append(Finding("UNKNOWN_WORD", Severity.WARNING, message))
    if expectation is not None:
        if listing.holds_other_days and listing.day is not None:
            frame = frame.filter(~days_outside(expectation, frame, listing.day))
        refuse_other_days(expectation, frame, listing.day)
        refuse_other_pockets(expectation, frame, listing.pocket)
    return Reading({listing.frame.name: frame}, tuple(findings), tuple(rejected), frame.height + len(rejected))


def distinct_items(
    listing: Listing[Any], parts: Sequence[bytes], findings: list[Finding]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(locator, item), each id once: equal copies collapse, of others the later stays, with a finding."""
    kept: dict[str, tuple[str, dict[str, Any]]] = {}
    for page, body in enumerate(parts, start=1):
        for position, item in enumerate(items_of(body, page, listing.items), start=1):
            locator = f"page {page} item {position}"
            key: Any = item
            for name in listing.identity:
                key = key.get(name) if isinstance(key, dict) else None
            key = key if isinstance(key, str) else f"\n{locator}"
            if key in kept and kept[key][1] != item:
                message = f"The item at {kept[key][0]} is another at {locator}; the later one is kept."
                findings.append(Finding("RESTATED_WHILE_READING", Severity.WARNING, message, locator))
            elif key in kept:
                continue
            kept[key] = (locator, item)
    yield from kept.values()


def _rejected(locator: str, code: str, what: str, item: dict[str, Any]) -> RejectedRow:
    shown = {name: value for name, value in item.items() if name not in LINKS}
    text = json.dumps(shown, default=str, ensure_ascii=False, sort_keys=True)[:_LONGEST_KEPT_ITEM]
    return RejectedRow(locator, code, f"{locator.capitalize()}: {what}.", text)
