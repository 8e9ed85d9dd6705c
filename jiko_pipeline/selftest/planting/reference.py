"""Faults that only Treasury's own data reveals.

Belongs here: public prices against the bank's. Does not belong here: prices within the bank (`prices`).
"""

from datetime import timedelta
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


@plants("reference-lists-disagree")
def _lists_disagree(site: Site) -> Names:
    cusip = site.any(site.positions())["cusip"]
    listed = site.facts.find("staging.security_reference", cusip=cusip)
    like = site.any(listed)
    document = documents.deliver(site.facts, "SECURITY_REFERENCE", "", [], version="|second")
    nobody = {"customer_id": "", "legal_entity_id": ""}
    document.update(nobody)
    for line in site.facts.find("raw.delivery", document_id=document["document_id"]):
        line.update(nobody)
    site.facts.put(
        "staging.security_reference",
        {
            **like,
            "document_id": document["document_id"],
            "reference_source": "SIMULATED",
            "row_ordinal": 2,
            "maturity_date": like["maturity_date"] + timedelta(days=7),
        },
    )
    named = {
        (row["scope_date"], row.get("pocket_id") or row["scope_pocket_id"])
        for table in ("staging.position", "staging.api_trade", "staging.trade_report")
        for row in site.facts.find(table, cusip=cusip)
    }
    return {
        "cusip": cusip,
        "days": [day.isoformat() for day, _ in sorted(named)],
        "pockets": [pocket for _, pocket in sorted(named)],
    }
