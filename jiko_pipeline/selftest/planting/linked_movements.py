"""Faults of movements that belong to others: transfers between pockets, returns, fees.

Belongs here: links between movements. Does not belong here: single movements (`transactions`, `bank_statements`).
"""

import json
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from jiko_pipeline import calendars
from jiko_pipeline.selftest.facts import Row
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import NothingToHit, Site


def _booked(site: Site, day: date | None = None) -> list[tuple[Row, Row]]:
    """Each movement that the API dates on the day on which the bank books it: its entry and its transaction."""
    entries = {site.detail(row)["end_to_end_id"].replace("-", ""): row for row in site.movements(day)}
    rows = [(entries.get(row["activity_id"].replace("-", "")), row) for row in site.transactions(day)]
    return [(entry, row) for entry, row in rows if entry is not None]


def _one(site: Site, found: list[tuple[Row, Row]]) -> tuple[Row, Row]:
    if not found:
        raise NothingToHit
    return site.draw.choice(found)


def _details(row: Row) -> dict[str, str]:
    told: dict[str, str] = json.loads(row.get("details") or "{}")
    return told


def _tell(row: Row, **more: str) -> None:
    row["details"] = json.dumps({**_details(row), **more}, sort_keys=True)


def _key(entry: Row) -> str:
    return f"{entry['account_servicer_reference']}#1"


def _received(site: Site) -> tuple[Row, Row, str]:
    """A leg by which the pocket received money from another of the customer's: entry, transaction, transfer."""
    legs = [
        (entry, row)
        for entry, row in _booked(site)
        if row["signed_amount"] > 0 and _details(row).get("on_us_transfer_type") == "INTERNAL_REALLOCATION"
    ]
    entry, row = _one(site, legs)
    return entry, row, _details(row)["on_us_transfer_id"]


@plants("on-us-leg-missing-from-api")
def _leg_missing(site: Site) -> Names:
    site.statement("BANK", site.after())
    entry, row, transfer = _received(site)
    for form in site.forms_of_transaction(row["activity_id"]):
        site.facts.drop("staging.api_transaction", form)
    events = [event for event in site.facts.all("staging.event") if row["activity_id"] in (event["payload"] or "")]
    return {"entry": _key(entry), "transfer": transfer, "events": [event["event_id"] for event in events]}


@plants("on-us-legs-not-linked")
def _not_linked(site: Site) -> Names:
    site.statement("BANK", site.after())  # until then the other leg may still come
    _, row, transfer = _received(site)
    other = str(UUID(int=site.draw.getrandbits(128)))
    _tell(row, on_us_transfer_id=other)
    return {"transfers": (transfer, other)}


@plants("on-us-amounts-differ")
def _amounts_differ(site: Site) -> Names:
    _, row, transfer = _received(site)
    for form in site.forms_of_transaction(row["activity_id"]):
        form["signed_amount"] += Decimal(1)
    return {"transaction": row["activity_id"], "transfer": transfer}


def _deposit(site: Site, day: date | None = None) -> tuple[Row, Row]:
    found = [(e, r) for e, r in _booked(site, day) if r["transaction_type"] == "ACH" and r["signed_amount"] > 0]
    return _one(site, found)


def _payment_before(site: Site, day: date) -> Row:
    """An ACH payment of the pocket before `day`."""
    for back in range(1, (day - site.first).days + 1):
        for row in site.transactions(day - timedelta(days=back)):
            if row["transaction_type"] == "ACH" and row["signed_amount"] < 0:
                return row
    raise NothingToHit


def _return(entry: Row, row: Row, original: str) -> None:
    entry["proprietary_code"] = "RETURN"
    _tell(row, original_transaction_id=original)


@plants("return-without-original")
def _without_original(site: Site) -> Names:
    entry, row = _deposit(site)
    (life,) = site.facts.find("staging.pocket_life", pocket_id=site.pocket_id)
    if life["first_activity_on"] is None or life["first_activity_on"] < site.first:
        raise NothingToHit
    _return(entry, row, str(UUID(int=site.draw.getrandbits(128))))
    return {"entry": _key(entry)}


@plants("return-of-another-amount")
def _another_amount(site: Site) -> Names:
    entry, row = _deposit(site)
    original = _payment_before(site, site.day)
    if original["signed_amount"] == -row["signed_amount"]:
        raise NothingToHit
    _return(entry, row, original["transaction_id"])
    return {"entry": _key(entry)}


@plants("return-twice")
def _twice(site: Site) -> Names:
    before = calendars.previous_fed_business_day(site.day)
    if before < site.first:
        raise NothingToHit
    (entry, row), (earlier_entry, earlier) = _deposit(site), _deposit(site, before)
    original = _payment_before(site, before)
    if original["signed_amount"] == -earlier["signed_amount"]:
        raise NothingToHit
    _return(earlier_entry, earlier, original["transaction_id"])
    _return(entry, row, original["transaction_id"])
    return {"first": _key(earlier_entry), "entry": _key(entry)}


def _fee(site: Site) -> tuple[Row, Row]:
    found = [
        (e, r) for e, r in _booked(site) if r["transaction_type"] == "FEE" and "related_transaction_id" in _details(r)
    ]
    return _one(site, found)


@plants("fee-for-nothing")
def _fee_for_nothing(site: Site) -> Names:
    entry, row = _fee(site)
    _tell(row, related_transaction_id=str(UUID(int=site.draw.getrandbits(128))))
    return {"entry": _key(entry)}


@plants("fee-differs-at-the-bank")
def _fee_differs(site: Site) -> Names:
    entry, row = _fee(site)
    site.book(entry, signed_amount=entry["signed_amount"] - 5)
    return {"entry": _key(entry), "transaction": row["activity_id"]}
