"""The API's JSON listings: all pages of one listing to one frame.

Belongs here: the shape of a page, which items make which frame, what to make of an item that
stands on two pages. Does not belong here: following cursors (`bank`), CSV of the same rows (`delimited`),
what stands in an item (`items`).

Numbers with a point are read as decimals, never as floats; an object that names a key twice is refused, for
the last one would win without a word.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError

from jiko_pipeline.formats.columns import typed_frame
from jiko_pipeline.formats.delimited.contracts import BOOKING_STATUSES, TRADE_ACTIVITIES, TRANSACTION_TYPES
from jiko_pipeline.formats.echo import refuse_other_days, refuse_other_pockets
from jiko_pipeline.formats.frames import API_TRADE, API_TRANSACTION, MONTHLY_STATEMENT, POCKET, FrameSpec
from jiko_pipeline.formats.items import (
    LINKS,
    Item,
    MonthlyStatement,
    Pocket,
    TradeV1,
    TradeV2,
    Transaction,
    UnfitError,
    monthly_statement_row,
    pocket_row,
    trade_v1_row,
    trade_v2_row,
    transaction_row,
)
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
_POCKET_STATUSES: Final = frozenset({"PENDING", "OPEN", "FROZEN", "CLOSED"})
_STATEMENT_TYPES: Final = frozenset({"BANK", "BROKERAGE", "1099INT", "1099B"})


ItemType = TypeVar("ItemType", bound=Item)


@dataclass(frozen=True, slots=True)
class _Listing(Generic[ItemType]):
    """One kind of listing: its items' model, how one becomes a row less its locator, what to compare."""

    frame: FrameSpec
    model: type[ItemType]
    row: Callable[[ItemType], tuple[Any, ...]]
    words: dict[str, frozenset[str]] = field(default_factory=dict)
    day: str | None = None
    pocket: str | None = None


def read_transactions(parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """GET /api/v2/transactions/, all pages: frame api_transaction."""
    return _read(_TRANSACTIONS, parts, expectation)


def read_trades_v1(parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """GET /api/v1/trades/, all pages: frame api_trade."""
    return _read(_TRADES_V1, parts, expectation)


def read_trades_v2(parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """GET /api/v2/trades/, all pages: frame api_trade."""
    return _read(_TRADES_V2, parts, expectation)


def read_pockets(parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """GET /api/v2/pockets/, all pages: frame pocket. Live valuations are left out."""
    return _read(_POCKETS, parts, expectation)


def read_monthly_statements(parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """GET /api/v1/statements/, all pages: frame monthly_statement."""
    return _read(_MONTHLY_STATEMENTS, parts, expectation)


def items_of(body: bytes, page: int = 1) -> list[dict[str, Any]]:
    """The items of one page. Raises RefusedDocumentError when the body is no cursor list."""
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
    except UnicodeDecodeError:
        raise RefusedDocumentError("ENCODING_REFUSED", f"Page {page} is not UTF-8.", where) from None
    except UnfitError as error:
        raise RefusedDocumentError(error.code, f"Page {page} {error}.", where) from None
    except json.JSONDecodeError as error:
        message = f"Page {page} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        raise RefusedDocumentError("NOT_JSON", message, where) from None
    except (RecursionError, ValueError):
        raise RefusedDocumentError("NOT_JSON", f"Page {page} is nested or numbered beyond reason.", where) from None
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise RefusedDocumentError("NOT_A_LISTING", f"Page {page} is JSON, but no list of items.", where)
    items: list[dict[str, Any]] = document["items"]
    for position, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            message = f"Page {page}, item {position} is no object."
            raise RefusedDocumentError("NOT_A_LISTING", message, f"page {page} item {position}")
    return items


def _refuse_constant(name: str) -> None:
    raise UnfitError("NOT_JSON", f"holds {name}, which is no JSON")


def _without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise UnfitError("REPEATED_KEY", f"names the key '{repeated[:40]}' twice in one object")
    return result


def _read(listing: _Listing[Any], parts: Sequence[bytes], expectation: Expectation | None) -> Reading:
    rows: dict[str, tuple[Any, ...]] = {}
    rejected: list[RejectedRow] = []
    findings: list[Finding] = []
    for locator, item in _distinct(parts, findings):
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
    frame = listing.frame.empty()
    if rows:
        frame = typed_frame(listing.frame, zip(*rows.values(), strict=True))
    for name, known in listing.words.items():
        for word in sorted(set(frame[name].drop_nulls().unique()) - known):
            message = f"'{word[:40]}' in {name} is not a known word; the rows are kept."
            findings.append(Finding("UNKNOWN_WORD", Severity.WARNING, message))
    if expectation is not None:
        refuse_other_days(expectation, frame, listing.day)
        refuse_other_pockets(expectation, frame, listing.pocket)
    return Reading({listing.frame.name: frame}, tuple(findings), tuple(rejected), frame.height + len(rejected))


def _distinct(parts: Sequence[bytes], findings: list[Finding]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(locator, item), each id once: equal copies collapse, of others the later stays, with a finding."""
    kept: dict[str, tuple[str, dict[str, Any]]] = {}
    for page, body in enumerate(parts, start=1):
        for position, item in enumerate(items_of(body, page), start=1):
            locator = f"page {page} item {position}"
            key = item.get("id")
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


_TRANSACTIONS: Final = _Listing(
    API_TRANSACTION,
    Transaction,
    transaction_row,
    {"transaction_type": TRANSACTION_TYPES, "transaction_status": BOOKING_STATUSES},
    "booked_at_utc",
    "pocket_id",
)
_TRADE_WORDS: Final = {"activity": TRADE_ACTIVITIES, "trade_status": BOOKING_STATUSES}
_TRADES_V1: Final = _Listing(API_TRADE, TradeV1, trade_v1_row, _TRADE_WORDS, "traded_at_utc", "pocket_id")
_TRADES_V2: Final = _Listing(API_TRADE, TradeV2, trade_v2_row, _TRADE_WORDS, "traded_at_utc", "pocket_id")
_POCKETS: Final = _Listing(POCKET, Pocket, pocket_row, {"pocket_status": _POCKET_STATUSES}, None, "pocket_id")
_MONTHLY_STATEMENTS: Final = _Listing(
    MONTHLY_STATEMENT,
    MonthlyStatement,
    monthly_statement_row,
    {"statement_type": _STATEMENT_TYPES},
    None,
    "pocket_id",
)
