"""Faults of requests, layouts and versions.

Belongs here: ranges that were asked for, columns and types of documents, later versions. Does not belong here: what a
document says of money (`bank_statements`, `positions`, `trades`), a document that is missing or corrupt (`arrivals`).
"""

import json
from datetime import datetime, timedelta
from decimal import Decimal

from jiko_pipeline import calendars
from jiko_pipeline.selftest.facts import KNOWN_FROM, Row
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import NothingToHit, Site

_LATER = KNOWN_FROM + timedelta(days=400)
"""When something was stated anew: after every fetch of a world."""
_MOST_DAYS = 31
"""The bank answers a request for so many days."""


def _documents(site: Site, kind: str, pocket_id: str) -> list[tuple[Row, Row]]:
    """(line of the manifest, document) of each delivery of the day."""
    lines = site.facts.find("raw.delivery", document_kind=kind, scope_pocket_id=pocket_id, scope_date=site.day)
    return [(line, site.facts.one("raw.document", document_id=line["document_id"])) for line in lines]


def _document(site: Site, kind: str, pocket_id: str) -> tuple[Row, Row]:
    found = _documents(site, kind, pocket_id)
    if len(found) != 1:
        raise NothingToHit
    return found[0]


@plants("listing-range-has-a-hole")
def _range_has_a_hole(site: Site) -> Names:
    kind, day = "API_TRADES_V1", site.day
    line, document = _document(site, kind, "")
    if not document["first_date"] < day < document["last_date"]:
        raise NothingToHit
    second = f"{document['document_id']}|second"
    site.facts.drop("raw.delivery", line)
    for row in site.facts.find("staging.api_trade", document_kind=kind, scope_pocket_id="", scope_date=day):
        site.facts.drop("staging.api_trade", row)
    site.facts.put(
        "raw.document", {**document, "document_id": second, "document_sha256": second, "first_date": day + timedelta(1)}
    )
    for table in ("raw.delivery", "staging.api_trade"):
        for row in site.facts.find(table, document_kind=kind, document_id=document["document_id"]):
            if row["scope_date"] > day:
                row["document_id"] = second
    document["last_date"] = day - timedelta(1)
    return {}


@plants("trade-report-overlap-differs")
def _overlap_differs(site: Site) -> Names:
    line, document = _document(site, "TRADE_REPORT_CSV", site.pocket_id)
    if (document["first_date"], document["last_date"]) == (site.day, site.day):
        raise NothingToHit
    other = f"{document['document_id']}|{site.day}|overlap"
    site.facts.put(
        "raw.document",
        {
            **document,
            "document_id": other,
            "document_sha256": other,
            "first_date": site.day,
            "last_date": site.day,
            "rows_in_document": 0,
            "rows_loaded": 0,
        },
    )
    site.facts.put(
        "raw.delivery",
        {
            **line,
            "document_id": other,
            "content_hash": other,
            "outcome": "SUPERSEDED",
            "version_no": None,
            "is_current": False,
            "row_count": 0,
        },
    )
    return {}


@plants("trade-report-of-too-many-days")
def _too_many_days(site: Site) -> Names:
    _, document = _document(site, "TRADE_REPORT_KYRIBA_CSV", site.pocket_id)
    first, last = site.day - timedelta(days=_MOST_DAYS), site.day
    if first < site.first:
        raise NothingToHit
    other = f"{document['document_id']}|{site.day}|long"
    site.facts.put(
        "raw.document",
        {
            **document,
            "document_id": other,
            "document_sha256": other,
            "first_date": first,
            "last_date": last,
            "rows_in_document": 0,
            "rows_loaded": 0,
        },
    )
    return {"days": [day.isoformat() for day in calendars.fed_business_days(first, last)]}


def _finding(code: str, severity: str, message: str) -> str:
    return json.dumps([{"code": code, "severity": severity, "message": message, "locator": "line 1"}])


@plants("position-summary-has-a-new-column")
def _new_column(site: Site) -> Names:
    _, document = _document(site, "POSITION", site.pocket_id)
    document["findings"] = _finding(
        "UNKNOWN_COLUMN", "warning", "The document has columns that are not known: 'Coupon'."
    )
    return {}


@plants("position-summary-lacks-a-column")
def _lacks_a_column(site: Site) -> Names:
    line, document = _document(site, "POSITION", site.pocket_id)
    message = "The header lacks 'Market Price'."
    scope = {"document_kind": "POSITION", "scope_pocket_id": site.pocket_id, "scope_date": site.day}
    for table in ("staging.position", "staging.position_cash"):
        for row in site.facts.find(table, scope_pocket_id=site.pocket_id, scope_date=site.day):
            site.facts.drop(table, row)
    line.update(outcome="QUARANTINED", is_current=False, version_no=None)
    document.update(outcome="QUARANTINED", findings=_finding("HEADER", "error", message))
    site.facts.put(
        "staging.quarantine",
        {
            **scope,
            "document_id": document["document_id"],
            "reason_code": "HEADER",
            "message": message,
            "is_whole_document": True,
            "rejected_locator": "line 1",
        },
    )
    return {}


@plants("position-summary-prices-as-words")
def _prices_as_words(site: Site) -> Names:
    _, document = _document(site, "POSITION", site.pocket_id)
    lines = site.positions()
    if len(lines) < 2:
        raise NothingToHit
    for row in lines:
        site.facts.drop("staging.position", row)
        site.facts.put(
            "staging.quarantine",
            {
                "document_kind": "POSITION",
                "scope_pocket_id": site.pocket_id,
                "scope_date": site.day,
                "document_id": document["document_id"],
                "reason_code": "BAD_NUMBER",
                "message": f"{row['document_locator'].capitalize()}, column 'Market Price': is no plain number.",
                "is_whole_document": False,
                "rejected_locator": row["document_locator"],
            },
        )
    document["rows_rejected"] = len(lines)
    return {}


def _state_anew(site: Site, at: datetime) -> None:
    line, document = _document(site, "POSITION", site.pocket_id)
    later = f"{document['document_id']}|anew"
    site.facts.put(
        "raw.document",
        {**document, "document_id": later, "document_sha256": later, "fetched_at_utc": at, "loaded_at_utc": at},
    )
    site.facts.put(
        "raw.delivery",
        {**line, "document_id": later, "content_hash": later, "version_no": 2, "known_from_utc": at},
    )
    line["is_current"] = False
    for table in ("staging.position", "staging.position_cash"):
        for row in site.facts.find(table, scope_pocket_id=site.pocket_id, scope_date=site.day):
            row.update(document_id=later, known_from_utc=at)


@plants("position-summary-stated-anew")
def _stated_anew(site: Site) -> Names:
    _state_anew(site, _LATER)
    return {}


@plants("position-summary-stated-anew-after-sign-off")
def _stated_anew_after_sign_off(site: Site) -> Names:
    _state_anew(site, _LATER)
    number = sum(1 for _ in site.facts.all("recon.signoff")) + 1
    site.facts.put(
        "recon.signoff",
        {
            "signoff_seq": number,
            "scope": "POCKET",
            "pocket_id": site.pocket_id,
            "period": "DAY",
            "first_date": site.day,
            "last_date": site.day,
            "status": "SIGNED",
            "run_id": "earlier",
            "result_hash": "",
            "inputs_hash": "",
            "rules_hash": "",
            "calendar_version": "",
            "controls": "[]",
            "totals": "[]",
            "accepted_breaks": "[]",
            "open_timing": "[]",
            "basis": "[]",
            "baseline": "[]",
            "days": "[]",
            "actor": "reviewer",
            "identity": "IDENTITY_NOT_VERIFIED",
            "reason": "",
            "digest": "",
            "at_utc": _LATER - timedelta(days=1),
        },
    )
    return {}


@plants("transaction-vanished")
def _transaction_vanished(site: Site) -> Names:
    row = site.any(site.transactions())
    vanished = f"{row['activity_id'][:-4]}dead"
    site.facts.put("staging.api_transaction", {**row, "activity_id": vanished, "known_to_utc": _LATER})
    return {"transaction": vanished}


@plants("trade-vanished")
def _trade_vanished(site: Site) -> Names:
    row = site.any(site.trades())
    vanished = f"{row['trade_id'][:-4]}dead"
    site.facts.put("staging.api_trade", {**row, "trade_id": vanished, "known_to_utc": _LATER})
    return {"trade": vanished}


@plants("trade-stated-anew")
def _trade_stated_anew(site: Site) -> Names:
    row = site.any(site.trades())
    earlier = {"price": row["price"] - Decimal("0.01"), "notional": row["notional"] - 1, "known_to_utc": _LATER}
    site.facts.put("staging.api_trade", {**row, **earlier})
    row["known_from_utc"] = _LATER
    return {"trade": row["trade_id"]}
