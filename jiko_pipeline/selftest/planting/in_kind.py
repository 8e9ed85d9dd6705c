"""Faults of transfers in kind between own pockets.

Belongs here: legs that do not fit each other. The bills return to their pocket on the same day, so positions and cash
stay as they were and the legs alone are wrong. Does not belong here: purchases and sales (`trades`).
"""

from datetime import datetime, time
from decimal import Decimal
from uuid import UUID

from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import LISTED_TRADES, NothingToHit, Site

_BILLS = 40
_HUNDRED = Decimal(100)
_HUNDREDTH = Decimal("0.01")
_CENT = Decimal("0.01")
_AWAY = Decimal("0.010000")


def _move(site: Site, pocket_id: str, cusip: str, bills: int, price: Decimal) -> list[str]:
    """Enters both legs of bills that leave a pocket and come back, in every form of the listing; their ids."""
    like = site.any(site.facts.find("staging.api_trade", document_kind="API_TRADES", cusip=cusip, activity="BUY"))
    made = []
    for activity in ("TRANSFER_OUT", "TRANSFER_IN"):
        trade_id = str(UUID(int=site.draw.getrandbits(128)))
        made.append(trade_id)
        for kind in LISTED_TRADES:
            listed = site.facts.find("raw.delivery", document_kind=kind, scope_pocket_id="", scope_date=site.day)
            if not listed:
                raise NothingToHit
            told = site.facts.one("staging.api_trade", document_kind=kind, trade_id=like["trade_id"])
            site.facts.put(
                "staging.api_trade",
                {
                    **told,
                    "scope_date": site.day,
                    "document_id": listed[0]["document_id"],
                    "trade_id": trade_id,
                    "pocket_id": pocket_id,
                    "activity": activity,
                    "quantity": bills,
                    "price": price,
                    "notional": (bills * _HUNDRED * price * _HUNDREDTH).quantize(_CENT),
                    "traded_at_utc": datetime.combine(site.day, time(15)),
                    "book_date": site.day,
                    "settlement_date": site.day,
                    "trade_status": "SETTLED",
                    "yield_to_maturity": None,
                },
            )
    return made


def _bill(site: Site) -> tuple[str, Decimal]:
    """A bill that the pocket holds on the day and bought in the world, with the price that it is valued at.

    It moved in kind nowhere else: legs of one bill would find each other.
    """
    listed = site.facts.find("staging.api_trade", document_kind="API_TRADES")
    bought = {row["cusip"] for row in listed if row["activity"] == "BUY"}
    moved = {row["cusip"] for row in listed if row["activity"].startswith("TRANSFER")}
    row = site.any([row for row in site.positions() if row["cusip"] in bought - moved and row["quantity"] > _BILLS])
    return row["cusip"], row["market_price"]


def _other_pocket(site: Site) -> str:
    """Another pocket that lives on the day."""
    found = [
        row["pocket_id"]
        for row in site.facts.find("staging.position_cash", scope_date=site.day)
        if row["pocket_id"] != site.pocket_id
    ]
    if not found:
        raise NothingToHit
    return str(site.draw.choice(found))


@plants("in-kind-transfer-of-one-leg")
def _one_leg(site: Site) -> Names:
    site.statement("BANK", site.after(1))
    cusip, price = _bill(site)
    return {"legs": _move(site, site.pocket_id, cusip, _BILLS, price), "cusip": cusip}


@plants("in-kind-legs-of-different-face")
def _different_face(site: Site) -> Names:
    cusip, price = _bill(site)
    other = _other_pocket(site)
    here = _move(site, site.pocket_id, cusip, _BILLS, price)
    there = _move(site, other, cusip, 2 * _BILLS, price)
    return {"legs": [*here, *there], "pockets": [site.pocket_id] * 2 + [other] * 2, "cusip": cusip}


@plants("in-kind-legs-of-different-cost")
def _different_cost(site: Site) -> Names:
    cusip, price = _bill(site)
    other = _other_pocket(site)
    here = _move(site, site.pocket_id, cusip, _BILLS, price)
    there = _move(site, other, cusip, _BILLS, price - _AWAY)
    return {"legs": [*here, *there], "pockets": [site.pocket_id] * 2 + [other] * 2, "cusip": cusip}
