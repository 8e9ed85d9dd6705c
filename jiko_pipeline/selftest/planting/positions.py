"""Faults of position summaries.

Belongs here: bills and cash as a position summary lists them. Does not belong here: the price report (`prices`).
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from jiko_pipeline.selftest.facts import Row
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import NothingToHit, Site
from jiko_pipeline.tbill import is_valid_cusip

_TEN: Final = Decimal("10.00")
_FIFTY: Final = Decimal("50.00")
_CENT: Final = Decimal("0.01")
_THOUSANDTH: Final = Decimal("0.001")


def a_quiet_bill(site: Site) -> Row:
    """A drawn bill that is held the day before, on the day and the day after, and not traded on the last two."""
    before, after = site.after(-1), site.after(1)
    busy = {row["cusip"] for row in (*site.trades(), *site.trades(day=after))}
    around = [{row["cusip"] for row in site.positions(day)} for day in (before, after)]
    held = [row for row in site.positions() if row["cusip"] not in busy and all(row["cusip"] in day for day in around)]
    return site.any(held)


def value_of(quantity: int, price: Decimal) -> Decimal:
    """What so many bills are worth, to the cent."""
    return Decimal(quantity * price).quantize(_CENT, ROUND_HALF_UP)


@plants("position-off-by-one-bill")
def _one_bill_too_many(site: Site) -> Names:
    row = a_quiet_bill(site)
    row["quantity"] += 1
    return {"cusip": row["cusip"]}


@plants("position-missing")
def _missing(site: Site) -> Names:
    row = a_quiet_bill(site)
    site.facts.drop("staging.position", row)
    return {"cusip": row["cusip"]}


@plants("position-value-off")
def _value_off(site: Site) -> Names:
    row = a_quiet_bill(site)
    row["market_value"] += _TEN
    return {"cusip": row["cusip"]}


@plants("position-cash-off")
def _cash_off(site: Site) -> Names:
    site.cash(site.after(-1))
    site.cash(site.after(1))
    site.cash()["cash"] += _FIFTY
    return {}


@plants("position-twice")
def _twice(site: Site) -> Names:
    row = site.any(site.positions())
    site.facts.again("staging.position", row)
    return {"cusip": row["cusip"]}


@plants("position-cusip-transposed")
def _cusip_transposed(site: Site) -> Names:
    row = a_quiet_bill(site)
    cusip = row["cusip"]
    # The two last characters before the check digit; where the check digit would not tell, the next two.
    for at in (6, 5, 4):
        wrong = cusip[:at] + cusip[at + 1] + cusip[at] + cusip[at + 2 :]
        if wrong != cusip and not is_valid_cusip(wrong):
            break
    else:
        raise NothingToHit
    row["cusip"] = wrong
    return {"cusip": cusip, "wrong": wrong}


@plants("position-price-off")
def _price_off(site: Site) -> Names:
    row = a_quiet_bill(site)
    price = row["market_price"] - _THOUSANDTH
    value = value_of(row["quantity"], price)
    if abs(value - row["market_value"]) < 2:
        raise NothingToHit
    row.update(market_price=price, market_value=value)
    return {"cusip": row["cusip"]}
