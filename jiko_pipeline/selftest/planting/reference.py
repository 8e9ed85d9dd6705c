"""Faults that only Treasury's own data reveals.

Belongs here: public prices against the bank's. Does not belong here: prices within the bank (`prices`).
"""

from decimal import Decimal

from jiko_pipeline.selftest import documents
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import Site

_AWAY = Decimal("0.20")


@plants("price-far-from-treasury")
def _far_from_treasury(site: Site) -> Names:
    held = [row for row in site.facts.all("staging.position") if row["scope_date"] == site.day]
    alone = [row for row in site.positions() if sum(other["cusip"] == row["cusip"] for other in held) == 1]
    position = site.any(alone)
    document = documents.deliver(site.facts, "TREASURY_PRICES", "", [site.day])
    site.facts.put(
        "staging.treasury_price",
        {
            "document_kind": "TREASURY_PRICES",
            "scope_pocket_id": "",
            "scope_date": site.day,
            "document_id": document["document_id"],
            "cusip": position["cusip"],
            "price_date": site.day,
            "end_of_day": position["market_price"] - _AWAY,
            "document_locator": "line 1",
        },
    )
    return {"cusip": position["cusip"]}
