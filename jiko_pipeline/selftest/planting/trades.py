"""Faults of trades, in the listings and in the trade report.

Belongs here: purchases, sales and maturities. Does not belong here: what is held (`positions`).
"""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from jiko_pipeline import calendars
from jiko_pipeline.selftest.facts import Row
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.planting.settlements import settled_on, stated_elsewhere, stated_later
from jiko_pipeline.selftest.site import NothingToHit, Site

_DOLLAR: Final = Decimal("1.00")
_CENT: Final = Decimal("0.01")
_HIGHEST: Final = Decimal("98")


def _after_take_on(site: Site) -> None:
    """Nothing is proved of a pocket's first documented day against the day before it."""
    site.statement("BROKERAGE", site.after(-1))


def a_deal(site: Site, *activities: str) -> Row:
    """A drawn purchase or sale of a day that is proved against the day before it."""
    _after_take_on(site)
    return site.any(site.trades(*(activities or ("BUY", "SELL"))))


def _way(trade: Row) -> str:
    return "UP" if trade["activity"] == "BUY" else "DOWN"


def _bought(trade: Row) -> list[str]:
    """The CUSIP of a purchase, whose amount is what the bills cost; none for a sale."""
    return [trade["cusip"]] if trade["activity"] == "BUY" else []


def _change(site: Site, trade: Row, *, listed: dict[str, Any], reported: dict[str, Any]) -> None:
    for row in site.forms_of_trade(trade["trade_id"]):
        row.update(listed)
    for row in site.reports_of_trade(trade["trade_id"]):
        row.update(reported)


def _drop(site: Site, table: str, rows: list[Row]) -> None:
    for row in rows:
        site.facts.drop(table, row)


def _postpone(site: Site, trade: Row, to: date, settles_on: date) -> None:
    """Dates a trade another business day, wherever it is stated."""
    later = timedelta(days=(to - site.day).days)
    dates = {"book_date": to, "settlement_date": settles_on, "scope_date": to}
    for row in site.forms_of_trade(trade["trade_id"]):
        document = _document_of(site, row["document_kind"], "", to)
        site.facts.move(
            "staging.api_trade", row, **dates, traded_at_utc=row["traded_at_utc"] + later, document_id=document
        )
    for row in site.reports_of_trade(trade["trade_id"]):
        document = _document_of(site, row["document_kind"], site.pocket_id, to)
        site.facts.move("staging.trade_report", row, **dates, trade_date=to, document_id=document)


def _document_of(site: Site, kind: str, scope_pocket_id: str, day: date) -> str:
    line = site.facts.one("raw.delivery", document_kind=kind, scope_pocket_id=scope_pocket_id, scope_date=day)
    return str(line["document_id"])


@plants("trade-missing-from-api")
def _missing_from_api(site: Site) -> Names:
    trade = a_deal(site)
    settled = settled_on(site, trade)
    _drop(site, "staging.api_trade", site.forms_of_trade(trade["trade_id"]))
    return {"trade": trade["trade_id"], "cusip": trade["cusip"], "way": _way(trade), **settled}


@plants("trade-missing-from-report")
def _missing_from_report(site: Site) -> Names:
    trade = a_deal(site)
    _drop(site, "staging.trade_report", site.reports_of_trade(trade["trade_id"]))
    return {"trade": trade["trade_id"]}


@plants("trade-missing-from-one-form-of-report")
def _missing_from_one_form(site: Site) -> Names:
    trade = a_deal(site)
    left_out = site.any(site.reports_of_trade(trade["trade_id"]))
    _drop(site, "staging.trade_report", [left_out])
    return {"trade": trade["trade_id"], "form": "KYRIBA" if left_out["output_format"] == "CSV" else "CSV"}


@plants("trade-a-day-late")
def _a_day_late(site: Site) -> Names:
    trade = a_deal(site)
    later = site.after(1)
    site.statement("BROKERAGE", later)
    if any(other["cusip"] == trade["cusip"] for other in site.trades(day=later)):
        raise NothingToHit
    settles = later if trade["settlement_date"] == site.day else calendars.next_trading_day(later)
    if trade["maturity_date"] <= settles:
        raise NothingToHit
    days = stated_later(site, trade, later, settles)
    _postpone(site, trade, later, settles)
    way = _way(trade)
    back = "DOWN" if way == "UP" else "UP"
    return {"trade": trade["trade_id"], "cusip": trade["cusip"], "way": way, "back": back, **days}


@plants("trade-price-fat-finger")
def _fat_finger(site: Site) -> Names:
    trade = a_deal(site)
    price = trade["price"] + (-1 if trade["price"] > _HIGHEST else 1)
    _change(site, trade, listed={"price": price}, reported={"price": price})
    return {"trade": trade["trade_id"]}


@plants("trade-amount-wrong-everywhere")
def _amount_wrong(site: Site) -> Names:
    trade = a_deal(site)
    settled = settled_on(site, trade)
    amount = trade["notional"] + _DOLLAR
    _change(site, trade, listed={"notional": amount}, reported={"amount": amount})
    return {"trade": trade["trade_id"], "bought": _bought(trade), **settled}


@plants("trade-amount-differs-in-report")
def _amount_differs(site: Site) -> Names:
    trade = a_deal(site)
    _change(site, trade, listed={}, reported={"amount": trade["notional"] + _DOLLAR})
    return {"trade": trade["trade_id"]}


@plants("trade-quantity-differs-in-report")
def _quantity_differs(site: Site) -> Names:
    trade = a_deal(site)
    _change(site, trade, listed={}, reported={"quantity": trade["quantity"] + 1})
    return {"trade": trade["trade_id"]}


@plants("trade-side-differs-in-report")
def _side_differs(site: Site) -> Names:
    trade = a_deal(site)
    other = "SELL" if trade["activity"] == "BUY" else "BUY"
    _change(site, trade, listed={}, reported={"side": other})
    return {"trade": trade["trade_id"]}


@plants("trade-in-thousands")
def _in_thousands(site: Site) -> Names:
    trade = a_deal(site)
    settled = settled_on(site, trade)
    amount = (trade["quantity"] * 10 * trade["price"]).quantize(_CENT, ROUND_HALF_UP)
    _change(site, trade, listed={"notional": amount}, reported={"amount": amount})
    return {"trade": trade["trade_id"], "bought": _bought(trade), **settled}


@plants("trade-twice")
def _twice(site: Site) -> Names:
    trade = site.any(site.trades())
    site.facts.again("staging.api_trade", trade)
    return {"trade": trade["trade_id"]}


@plants("trade-stated-twice-differently")
def _twice_differently(site: Site) -> Names:
    trade = site.any(site.trades())
    site.facts.again("staging.api_trade", trade, notional=trade["notional"] + _DOLLAR)
    return {"trade": trade["trade_id"]}


@plants("trade-twice-in-report")
def _twice_in_report(site: Site) -> Names:
    trade = site.any(site.trades("BUY", "SELL"))
    row = site.any(site.reports_of_trade(trade["trade_id"]))
    site.facts.again("staging.trade_report", row)
    return {"trade": trade["trade_id"], "form": row["output_format"]}


@plants("trade-differs-in-csv")
def _differs_in_csv(site: Site) -> Names:
    trade = site.any(site.trades())
    (row,) = [row for row in site.forms_of_trade(trade["trade_id"]) if row["document_kind"] == "API_TRADES_CSV"]
    row["notional"] += _CENT
    return {"trade": trade["trade_id"]}


@plants("trade-missing-from-older-listing")
def _missing_from_v1(site: Site) -> Names:
    trade = site.any(site.trades())
    rows = [row for row in site.forms_of_trade(trade["trade_id"]) if row["document_kind"] == "API_TRADES_V1"]
    _drop(site, "staging.api_trade", rows)
    return {"trade": trade["trade_id"]}


@plants("maturity-missing")
def _maturity_missing(site: Site) -> Names:
    trade = a_deal(site, "MATURITY")
    _drop(site, "staging.api_trade", site.forms_of_trade(trade["trade_id"]))
    return {"cusip": trade["cusip"]}


@plants("maturity-below-par")
def _maturity_below_par(site: Site) -> Names:
    trade = a_deal(site, "MATURITY")
    _change(site, trade, listed={"price": Decimal("99.900000")}, reported={})
    return {"trade": trade["trade_id"], "cusip": trade["cusip"]}


@plants("maturity-paid-short")
def _maturity_paid_short(site: Site) -> Names:
    trade = a_deal(site, "MATURITY")
    _change(site, trade, listed={"notional": trade["notional"] - _DOLLAR}, reported={})
    return {"trade": trade["trade_id"], "cusip": trade["cusip"]}


@plants("maturity-of-too-few-bills")
def _maturity_of_too_few(site: Site) -> Names:
    trade = a_deal(site, "MATURITY")
    if trade["quantity"] < 2:
        raise NothingToHit
    _change(
        site,
        trade,
        listed={"quantity": trade["quantity"] - 1, "notional": trade["notional"] - 100},
        reported={},
    )
    return {"cusip": trade["cusip"]}


@plants("maturity-a-day-late")
def _maturity_late(site: Site) -> Names:
    trade = a_deal(site, "MATURITY")
    later = site.after(1)
    site.statement("BROKERAGE", later)
    _postpone(site, trade, later, later)
    return {"cusip": trade["cusip"]}


@plants("maturity-too-early")
def _maturity_early(site: Site) -> Names:
    trade = a_deal(site, "SELL")
    held = [row for row in site.positions(site.after(-1)) if row["cusip"] == trade["cusip"]]
    if len(held) != 1 or held[0]["quantity"] != trade["quantity"]:
        raise NothingToHit
    _change(site, trade, listed={"activity": "MATURITY"}, reported={})
    return {"trade": trade["trade_id"], "cusip": trade["cusip"]}


@plants("matured-bill-sold")
def _matured_bill_sold(site: Site) -> Names:
    trade = a_deal(site, "MATURITY")
    _change(site, trade, listed={"activity": "SELL"}, reported={})
    return {"trade": trade["trade_id"], "cusip": trade["cusip"]}


@plants("sale-settles-after-maturity")
def _settles_after_maturity(site: Site) -> Names:
    trade = a_deal(site, "SELL")
    on = trade["maturity_date"]
    if on <= calendars.next_fed_business_day(site.day):
        raise NothingToHit  # a sale may settle on the next business day
    days = stated_elsewhere(site, trade["settlement_date"], on)
    _change(site, trade, listed={"settlement_date": on}, reported={"settlement_date": on})
    return {"trade": trade["trade_id"], "cusip": trade["cusip"], **days}
