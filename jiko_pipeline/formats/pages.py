"""The API's JSON listings: all pages of one listing to one frame.

Belongs here: the shape of a page and of each kind of item, money in minor units, what to make of an item that
stands on two pages. Does not belong here: following cursors (`bank`), CSV of the same rows (`delimited`).

Numbers with a point are read as decimals, never as floats; an object that names a key twice is refused, for
the last one would win without a word. Fields nobody knows are kept. Download links are not.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, StrictBool, StrictInt, StrictStr, ValidationError

from jiko_pipeline.formats.columns import typed_frame
from jiko_pipeline.formats.delimited.contracts import BOOKING_STATUSES, TRADE_ACTIVITIES, TRANSACTION_TYPES
from jiko_pipeline.formats.echo import refuse_other_days, refuse_other_pockets
from jiko_pipeline.formats.exact import day_of, decimal_of, fits, instant_of
from jiko_pipeline.formats.frames import API_TRADE, API_TRANSACTION, MONTHLY_STATEMENT, POCKET, FrameSpec
from jiko_pipeline.formats.reading import (
    Expectation,
    Finding,
    Reading,
    RefusedDocumentError,
    RejectedRow,
    Severity,
)
from jiko_pipeline.tbill import is_valid_cusip

MOST_BYTES_A_PAGE: Final = 8 * 1024 * 1024
_LINKS: Final = ("pdf_download_url", "download_url", "url")
_LONGEST_KEPT_ITEM: Final = 2_000
_CENT: Final = Decimal("0.01")
_FORMATTED: Final = re.compile(r"[-(]?\$?-?([0-9]{1,3}(?:,[0-9]{3})*|[0-9]+)\.([0-9]{2})\)?", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_PERIOD: Final = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2]))?", re.ASCII)
_POCKET_STATUSES: Final = frozenset({"PENDING", "OPEN", "FROZEN", "CLOSED"})
_STATEMENT_TYPES: Final = frozenset({"BANK", "BROKERAGE", "1099INT", "1099B"})


class _Item(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)


class Money(_Item):
    """An amount in minor units; `formatted` is for display and only compared."""

    value: StrictInt
    currency: StrictStr
    formatted: StrictStr | None = None


class Transaction(_Item):
    """An item of GET /api/v2/transactions/."""

    id: StrictStr
    transaction_id: StrictStr
    pocket_id: StrictStr
    type: StrictStr
    status: StrictStr
    direction: StrictStr
    amount: Money
    time_booked: StrictStr
    time_settled: StrictStr | None = None
    title: StrictStr | None = None
    description: StrictStr | None = None


class _AnyTrade(_Item):
    id: StrictStr
    activity: StrictStr
    cusip: StrictStr | None = None
    quantity: StrictInt | None = None
    price: StrictStr | None = None
    notional: Money | None = None
    trade_datetime: StrictStr
    book_date: StrictStr | None = None
    settled_date: StrictStr | None = None
    maturity_date: StrictStr | None = None
    yield_to_maturity: StrictStr | None = None
    tradable_id: StrictStr | None = None
    description: StrictStr | None = None


class TradeV1(_AnyTrade):
    """An item of GET /api/v1/trades/."""

    jiko_account_id: StrictStr
    is_settled: StrictBool


class TradeV2(_AnyTrade):
    """An item of GET /api/v2/trades/."""

    pocket_id: StrictStr
    status: StrictStr


class Pocket(_Item):
    """An item of GET /api/v2/pockets/."""

    id: StrictStr
    pocket_name: StrictStr
    status: StrictStr
    deposit_strategy_id: StrictStr | None = None
    reinvestment_strategy_id: StrictStr | None = None


class MonthlyStatement(_Item):
    """An item of GET /api/v1/statements/, without its link."""

    id: StrictStr
    jiko_account_id: StrictStr
    type: StrictStr
    key: StrictStr
    time_created: StrictStr


class _UnfitError(Exception):
    """An item that cannot be a row: a code and the end of a sentence that begins with its place."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code


ItemType = TypeVar("ItemType", bound=_Item)


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
        raise RefusedDocumentError(
            "TOO_LARGE", f"Page {page} has {len(body):,} bytes, more than a page has.", where
        )
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
    except _UnfitError as error:
        raise RefusedDocumentError(error.code, f"Page {page} {error}.", where) from None
    except json.JSONDecodeError as error:
        message = f"Page {page} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        raise RefusedDocumentError("NOT_JSON", message, where) from None
    except (RecursionError, ValueError):
        raise RefusedDocumentError(
            "NOT_JSON", f"Page {page} is nested or numbered beyond reason.", where
        ) from None
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise RefusedDocumentError("NOT_A_LISTING", f"Page {page} is JSON, but no list of items.", where)
    items: list[dict[str, Any]] = document["items"]
    for position, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            message = f"Page {page}, item {position} is no object."
            raise RefusedDocumentError("NOT_A_LISTING", message, f"page {page} item {position}")
    return items


def _refuse_constant(name: str) -> None:
    raise _UnfitError("NOT_JSON", f"holds {name}, which is no JSON")


def _without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise _UnfitError("REPEATED_KEY", f"names the key '{repeated[:40]}' twice in one object")
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
        except _UnfitError as error:
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
    return Reading(
        {listing.frame.name: frame}, tuple(findings), tuple(rejected), frame.height + len(rejected)
    )


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
    shown = {name: value for name, value in item.items() if name not in _LINKS}
    text = json.dumps(shown, default=str, ensure_ascii=False, sort_keys=True)[:_LONGEST_KEPT_ITEM]
    return RejectedRow(locator, code, f"{locator.capitalize()}: {what}.", text)


def _transaction_row(item: Transaction) -> tuple[Any, ...]:
    amount = _amount(item.amount, "amount", unsigned=False)
    if item.direction not in ("CREDIT", "DEBIT"):
        raise _UnfitError("BAD_DIRECTION", "direction is neither CREDIT nor DEBIT")
    if amount < 0 and item.direction == "CREDIT":
        raise _UnfitError("BAD_AMOUNT", "amount is negative though the direction is CREDIT")
    return (
        _filled(item.id, "id"),
        _filled(item.transaction_id, "transaction_id"),
        _filled(item.pocket_id, "pocket_id"),
        _filled(item.type, "type"),
        _filled(item.status, "status"),
        item.direction,
        -abs(amount) if item.direction == "DEBIT" else amount,
        item.amount.currency,
        _instant(item.time_booked, "time_booked"),
        _instant(item.time_settled, "time_settled") if item.time_settled is not None else None,
        item.title or None,
        item.description or None,
        _details(item),
    )


def _trade_row(item: _AnyTrade, pocket_id: str, status: str) -> tuple[Any, ...]:
    if item.cusip and not is_valid_cusip(item.cusip):
        raise _UnfitError("BAD_CUSIP", f"'{item.cusip[:20]}' is not a CUSIP with a right check digit")
    if item.quantity is not None and not 0 < item.quantity < 10**15:
        raise _UnfitError("NOT_POSITIVE", "quantity is not a number of bills")
    price = _decimal(item.price, "price", (12, 6))
    if price is not None and not 0 < price <= 100:
        raise _UnfitError("BAD_PRICE", "price is not above 0 and at most 100, as the price of a bill is")
    return (
        _filled(item.id, "id"),
        _filled(pocket_id, "pocket id"),
        _filled(item.activity, "activity"),
        item.cusip or None,
        item.quantity,
        price,
        _amount(item.notional, "notional", unsigned=True) if item.notional is not None else None,
        item.notional.currency if item.notional is not None else None,
        _instant(item.trade_datetime, "trade_datetime"),
        _day(item.book_date, "book_date"),
        _day(item.settled_date, "settled_date"),
        status or None,
        _day(item.maturity_date, "maturity_date"),
        _decimal(item.yield_to_maturity, "yield_to_maturity", (18, 9)),
        item.tradable_id or None,
        item.description or None,
    )


def _trade_v1_row(item: TradeV1) -> tuple[Any, ...]:
    return _trade_row(item, item.jiko_account_id, "SETTLED" if item.is_settled else "BOOKED")


def _trade_v2_row(item: TradeV2) -> tuple[Any, ...]:
    return _trade_row(item, item.pocket_id, item.status)


def _pocket_row(item: Pocket) -> tuple[Any, ...]:
    return (
        _filled(item.id, "id"),
        item.pocket_name,
        _filled(item.status, "status"),
        item.deposit_strategy_id or None,
        item.reinvestment_strategy_id or None,
    )


def _monthly_statement_row(item: MonthlyStatement) -> tuple[Any, ...]:
    if not _PERIOD.fullmatch(item.key):
        raise _UnfitError("BAD_PERIOD", "key is neither YYYY nor YYYY-MM")
    return (
        _filled(item.id, "id"),
        _filled(item.jiko_account_id, "jiko_account_id"),
        _filled(item.type, "type"),
        item.key,
        _instant(item.time_created, "time_created"),
    )


def _amount(money: Money, name: str, *, unsigned: bool) -> Decimal:
    if not _CURRENCY.fullmatch(money.currency):
        raise _UnfitError("BAD_CURRENCY", f"{name} has no currency code")
    if abs(money.value) >= 10**17 or (unsigned and money.value < 0):
        raise _UnfitError("BAD_AMOUNT", f"{name} is out of range")
    amount = money.value * _CENT
    shown = _FORMATTED.fullmatch(money.formatted.strip()) if money.formatted else None
    if shown and Decimal(f"{shown[1].replace(',', '')}.{shown[2]}") != abs(amount):
        raise _UnfitError("AMOUNTS_DISAGREE", f"{name} is {amount} as a value and {shown[0][:40]} as shown")
    return amount


def _decimal(text: str | None, name: str, digits: tuple[int, int]) -> Decimal | None:
    if text is None or text == "":
        return None
    value = decimal_of(text) if text == text.strip() else None
    if value is None:
        raise _UnfitError("BAD_NUMBER", f"{name} is not a plain decimal number")
    if not fits(value, *digits):
        raise _UnfitError(
            "EXCESS_DIGITS", f"{name} has more digits than DECIMAL({digits[0]},{digits[1]}) holds"
        )
    return value


def _instant(text: str, name: str) -> Any:
    moment = instant_of(text)
    if moment is None:
        raise _UnfitError("BAD_TIME", f"{name} is not a time with a zone")
    return moment


def _day(text: str | None, name: str) -> Any:
    if text is None or text == "":
        return None
    day = day_of(text) if len(text) == 10 else None
    if day is None:
        raise _UnfitError("BAD_DATE", f"{name} is not a date of the form YYYY-MM-DD")
    return day


def _filled(text: str, name: str) -> str:
    if not text:
        raise _UnfitError("MISSING", f"{name} is empty")
    return text


def _details(item: _Item) -> str | None:
    """Fields of the type and unknown ones as JSON with sorted keys; nulls and links are left out."""
    extra = {
        name: value
        for name, value in (item.model_extra or {}).items()
        if value is not None and name not in _LINKS
    }
    return json.dumps(extra, sort_keys=True, ensure_ascii=False, default=str) if extra else None


_TRANSACTIONS: Final = _Listing(
    API_TRANSACTION,
    Transaction,
    _transaction_row,
    {"transaction_type": TRANSACTION_TYPES, "transaction_status": BOOKING_STATUSES},
    "booked_at_utc",
    "pocket_id",
)
_TRADE_WORDS: Final = {"activity": TRADE_ACTIVITIES, "trade_status": BOOKING_STATUSES}
_TRADES_V1: Final = _Listing(API_TRADE, TradeV1, _trade_v1_row, _TRADE_WORDS, "traded_at_utc", "pocket_id")
_TRADES_V2: Final = _Listing(API_TRADE, TradeV2, _trade_v2_row, _TRADE_WORDS, "traded_at_utc", "pocket_id")
_POCKETS: Final = _Listing(
    POCKET, Pocket, _pocket_row, {"pocket_status": _POCKET_STATUSES}, None, "pocket_id"
)
_MONTHLY_STATEMENTS: Final = _Listing(
    MONTHLY_STATEMENT,
    MonthlyStatement,
    _monthly_statement_row,
    {"statement_type": _STATEMENT_TYPES},
    None,
    "pocket_id",
)
