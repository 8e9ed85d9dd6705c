"""Faults of prices: the price report alone, or every source.

Belongs here: what the price report says of a bill. It belongs to no pocket, so these faults hit every holder. Does not
belong here: what one pocket's position summary says (`positions`).
"""

from datetime import date
from decimal import Decimal
from typing import Final

from jiko_pipeline import calendars
from jiko_pipeline.selftest.facts import Row
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import NothingToHit, Site

_THOUSANDTH: Final = Decimal("0.001")
_LONG_ENOUGH_DAYS: Final = 60
_CALM: Final = Decimal("0.15")
"""A move of the implied discount rate in per cent that no control speaks of."""


def _quotes(site: Site, cusip: str, business_days: int = 0) -> list[Row]:
    day = site.after(business_days)
    return [
        row
        for row in site.facts.find("staging.security_price", scope_pocket_id="", scope_date=day)
        if row["cusip"] == cusip
    ]


def _holdings(site: Site, cusip: str, business_days: int = 0) -> list[Row]:
    day = site.after(business_days)
    pockets = {row["pocket_id"] for row in site.facts.all("staging.pocket")}
    return [
        row
        for pocket in sorted(pockets)
        for row in site.facts.find("staging.position", scope_pocket_id=pocket, scope_date=day)
        if row["cusip"] == cusip
    ]


def _maturity(site: Site, cusip: str) -> date:
    found = (row["maturity_date"] for row in site.facts.all("staging.security_reference") if row["cusip"] == cusip)
    maturity: date = next(found)
    return maturity


def a_steady_bill(site: Site) -> tuple[Row, Row, Row, list[str]]:
    """A drawn bill of the pocket, far from maturity, that the same pockets hold the day before, on the day and after.

    Its quotes of the three days, and its holders. Bills trade on the day, which follows a business day directly.
    """
    before = site.after(-1)
    if (site.day - before).days != 1 or not calendars.is_trading_day(site.day):
        raise NothingToHit
    candidates = sorted({row["cusip"] for row in site.positions()})
    site.draw.shuffle(candidates)
    for cusip in candidates:
        days_left = (_maturity(site, cusip) - site.day).days
        quotes = [_quotes(site, cusip, at) for at in (-1, 0, 1)]
        holders = [sorted(row["pocket_id"] for row in _holdings(site, cusip, at)) for at in (-1, 0, 1)]
        if days_left < _LONG_ENOUGH_DAYS or any(len(rows) != 1 for rows in quotes):
            continue
        if holders[0] == holders[1] == holders[2]:
            return quotes[0][0], quotes[1][0], quotes[2][0], holders[1]
    raise NothingToHit


def _is_calm(site: Site, before: Row, here: Row, after: Row) -> bool:
    """True when a price that stands still on the day looks like no jump, then or on the day after."""
    maturity = _maturity(site, here["cusip"])
    rates = []
    for row in (before, here, after):
        days = (maturity - row["price_date"]).days
        rates.append((100 - row["price"]) * 360 / days)
    return bool(abs(rates[1] - rates[0]) < _CALM and abs(rates[2] - rates[0]) < _CALM)


@plants("price-differs-in-report")
def _differs(site: Site) -> Names:
    _, here, _, holders = a_steady_bill(site)
    here["price"] += _THOUSANDTH
    return {"cusip": here["cusip"], "holders": holders}


@plants("price-missing-from-report")
def _missing(site: Site) -> Names:
    _, here, _, holders = a_steady_bill(site)
    site.facts.drop("staging.security_price", here)
    return {"cusip": here["cusip"], "holders": holders}


@plants("price-twice-in-report")
def _twice(site: Site) -> Names:
    _, here, _, holders = a_steady_bill(site)
    site.facts.again("staging.security_price", here)
    return {"cusip": here["cusip"], "holders": holders}


@plants("price-stale-in-one-source")
def _stale_in_one_source(site: Site) -> Names:
    before, here, after, holders = a_steady_bill(site)
    if not _is_calm(site, before, here, after):
        raise NothingToHit
    here["price"] = before["price"]
    return {"cusip": here["cusip"], "holders": holders}


@plants("price-stale-and-values-not")
def _stale_and_values_not(site: Site) -> Names:
    before, here, after, holders = a_steady_bill(site)
    if not _is_calm(site, before, here, after):
        raise NothingToHit
    rows = _holdings(site, here["cusip"])
    if any(row["quantity"] * abs(here["price"] - before["price"]) < 1 for row in rows):
        raise NothingToHit
    here["price"] = before["price"]
    for row in rows:
        row["market_price"] = before["price"]
    return {"cusip": here["cusip"], "holders": holders}


@plants("price-above-par")
def _above_par(site: Site) -> Names:
    _, here, _, holders = a_steady_bill(site)
    here["price"] = Decimal("100.500000")
    return {"cusip": here["cusip"], "holders": holders}


@plants("price-jump-in-report")
def _jump(site: Site) -> Names:
    _, here, _, holders = a_steady_bill(site)
    days = (_maturity(site, here["cusip"]) - site.day).days
    # One point of discount rate, whatever the days left.
    here["price"] -= (Decimal(days) / 360).quantize(Decimal("0.000001"))
    return {"cusip": here["cusip"], "holders": holders}
