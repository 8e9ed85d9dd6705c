"""The items of the API's listings: their shape, and how each becomes a row.

Belongs here: one model and one row function for each kind of item, money in minor units. Does not belong here:
pages, and what to make of an item that stands on two of them (`pages`).

Fields nobody knows are kept. Download links are not.
"""

import json
import re
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, StrictBool, StrictInt, StrictStr

from jiko_pipeline.formats.exact import day_of, decimal_of, fits, instant_of
from jiko_pipeline.tbill import is_valid_cusip

LINKS: Final = ("pdf_download_url", "download_url", "url")
"""Fields that hold a signed link."""

_CENT: Final = Decimal("0.01")
_FORMATTED: Final = re.compile(r"[-(]?\$?-?([0-9]{1,3}(?:,[0-9]{3})*|[0-9]+)\.([0-9]{2})\)?", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_PERIOD: Final = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2]))?", re.ASCII)


class Item(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)


class Money(Item):
    """An amount in minor units; `formatted` is for display and only compared."""

    value: StrictInt
    currency: StrictStr
    formatted: StrictStr | None = None


class Transaction(Item):
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


class _AnyTrade(Item):
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


class Pocket(Item):
    """An item of GET /api/v2/pockets/."""

    id: StrictStr
    pocket_name: StrictStr
    status: StrictStr
    deposit_strategy_id: StrictStr | None = None
    reinvestment_strategy_id: StrictStr | None = None


class MonthlyStatement(Item):
    """An item of GET /api/v1/statements/, without its link."""

    id: StrictStr
    jiko_account_id: StrictStr
    type: StrictStr
    key: StrictStr
    time_created: StrictStr


class UnfitError(Exception):
    """An item that cannot be a row: a code and the end of a sentence that begins with its place."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code


def transaction_row(item: Transaction) -> tuple[Any, ...]:
    amount = _amount(item.amount, "amount", unsigned=False)
    if item.direction not in ("CREDIT", "DEBIT"):
        raise UnfitError("BAD_DIRECTION", "direction is neither CREDIT nor DEBIT")
    if amount < 0 and item.direction == "CREDIT":
        raise UnfitError("BAD_AMOUNT", "amount is negative though the direction is CREDIT")
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
        raise UnfitError("BAD_CUSIP", f"'{item.cusip[:20]}' is not a CUSIP with a right check digit")
    if item.quantity is not None and not 0 < item.quantity < 10**15:
        raise UnfitError("NOT_POSITIVE", "quantity is not a number of bills")
    price = _decimal(item.price, "price", (12, 6))
    if price is not None and not 0 < price <= 100:
        raise UnfitError("BAD_PRICE", "price is not above 0 and at most 100, as the price of a bill is")
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


def trade_v1_row(item: TradeV1) -> tuple[Any, ...]:
    return _trade_row(item, item.jiko_account_id, "SETTLED" if item.is_settled else "BOOKED")


def trade_v2_row(item: TradeV2) -> tuple[Any, ...]:
    return _trade_row(item, item.pocket_id, item.status)


def pocket_row(item: Pocket) -> tuple[Any, ...]:
    return (
        _filled(item.id, "id"),
        item.pocket_name,
        _filled(item.status, "status"),
        item.deposit_strategy_id or None,
        item.reinvestment_strategy_id or None,
    )


def monthly_statement_row(item: MonthlyStatement) -> tuple[Any, ...]:
    if not _PERIOD.fullmatch(item.key):
        raise UnfitError("BAD_PERIOD", "key is neither YYYY nor YYYY-MM")
    return (
        _filled(item.id, "id"),
        _filled(item.jiko_account_id, "jiko_account_id"),
        _filled(item.type, "type"),
        item.key,
        _instant(item.time_created, "time_created"),
    )


def _amount(money: Money, name: str, *, unsigned: bool) -> Decimal:
    if not _CURRENCY.fullmatch(money.currency):
        raise UnfitError("BAD_CURRENCY", f"{name} has no currency code")
    if abs(money.value) >= 10**17 or (unsigned and money.value < 0):
        raise UnfitError("BAD_AMOUNT", f"{name} is out of range")
    amount = money.value * _CENT
    shown = _FORMATTED.fullmatch(money.formatted.strip()) if money.formatted else None
    if shown and Decimal(f"{shown[1].replace(',', '')}.{shown[2]}") != abs(amount):
        raise UnfitError("AMOUNTS_DISAGREE", f"{name} is {amount} as a value and {shown[0][:40]} as shown")
    return amount


def _decimal(text: str | None, name: str, digits: tuple[int, int]) -> Decimal | None:
    if text is None or text == "":
        return None
    value = decimal_of(text) if text == text.strip() else None
    if value is None:
        raise UnfitError("BAD_NUMBER", f"{name} is not a plain decimal number")
    if not fits(value, *digits):
        raise UnfitError("EXCESS_DIGITS", f"{name} has more digits than DECIMAL({digits[0]},{digits[1]}) holds")
    return value


def _instant(text: str, name: str) -> Any:
    moment = instant_of(text)
    if moment is None:
        raise UnfitError("BAD_TIME", f"{name} is not a time with a zone")
    return moment


def _day(text: str | None, name: str) -> Any:
    if text is None or text == "":
        return None
    day = day_of(text) if len(text) == 10 else None
    if day is None:
        raise UnfitError("BAD_DATE", f"{name} is not a date of the form YYYY-MM-DD")
    return day


def _filled(text: str, name: str) -> str:
    if not text:
        raise UnfitError("MISSING", f"{name} is empty")
    return text


def _details(item: Item) -> str | None:
    """Fields of the type and unknown ones as JSON with sorted keys; nulls and links are left out."""
    extra = {name: value for name, value in (item.model_extra or {}).items() if value is not None and name not in LINKS}
    return json.dumps(extra, sort_keys=True, ensure_ascii=False, default=str) if extra else None
