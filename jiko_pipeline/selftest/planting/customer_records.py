"""Faults that only the customer's own lists reveal: payments expected and debits allowed.

Belongs here: lists, and movements that do not fit them. Does not belong here: approvals (`people`), Treasury's data
(`reference`).
"""

import json
from datetime import UTC, time
from decimal import Decimal
from typing import Any

from jiko_pipeline import calendars
from jiko_pipeline.selftest import documents
from jiko_pipeline.selftest.facts import Row
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import CENT, NothingToHit, Site
from jiko_pipeline.warehouse.kinds import SNAPSHOT_DATE

_BUSINESS_DAY_END = time(19)
_STRANGER = "Never Heard Of Collections LLC"
_DOLLAR = Decimal("1.00")
_ALL = Decimal("999999999999.00")
_OTHER_CONTROLS = ("FEE", "WIRE", "INTERNATIONAL_WIRE", "ON_US", "USDC")


def _list(site: Site, kind: str, table: str, rows: list[Row], version: str = "") -> None:
    document = documents.deliver(site.facts, kind, "", [], version=version)
    for number, row in enumerate(rows, start=2):
        scope: Row = {
            "document_kind": kind,
            "scope_pocket_id": "",
            "scope_date": SNAPSHOT_DATE,
            "document_id": document["document_id"],
            "document_locator": f"line {number}",
        }
        site.facts.put(table, {**scope, **row})


def _expect(site: Site, direction: str, low: Decimal, high: Decimal, **more: Any) -> str:
    """Enters a line into the customer's list of expected payments; its id.

    A list speaks of every day between its first and its last one of a pocket and direction, so a second line would
    make the days between them speak. Raises NothingToHit where the pocket has one.
    """
    listed = site.facts.find("staging.expected_payment", pocket=site.pocket_id, direction=direction)
    if listed:
        raise NothingToHit
    expected = f"expected-{site.draw.getrandbits(64):016x}"
    row: Row = {
        "expected_id": expected,
        "pocket": site.pocket_id,
        "direction": direction,
        "amount_low": low,
        "amount_high": high,
        "date_low": site.day,
        "date_high": site.day,
        **more,
    }
    _list(site, "EXPECTED_PAYMENTS", "staging.expected_payment", [row], f"|{expected}")
    return expected


def _booked(site: Site) -> list[Row]:
    """The movements of the pocket that belong to the business day."""
    found = []
    for day in calendars.days(calendars.previous_fed_business_day(site.day), site.day):
        for row in site.transactions(day):
            if calendars.business_date_of(row["booked_at_utc"].replace(tzinfo=UTC), _BUSINESS_DAY_END) == site.day:
                found.append(row)
    return found


def _debits(rows: list[Row]) -> list[Row]:
    """Those that nobody has to approve."""
    return [row for row in rows if row["signed_amount"] < 0 and row["transaction_type"] not in _OTHER_CONTROLS]


@plants("expected-payment-never-comes")
def _never_comes(site: Site) -> Names:
    site.statement("BANK")
    rows = _booked(site)
    amount = Decimal("0.17")
    expected = _expect(site, "IN", amount, amount)
    receipts = [row["activity_id"] for row in rows if row["signed_amount"] > 0 and row["transaction_type"] != "FEE"]
    return {"expected": expected, "receipts": receipts}


def _referenced(site: Site) -> tuple[Row, list[str]]:
    """An outgoing ACH movement that both sides date on the day, and every debit of the pocket's day."""
    booked = {site.detail(row)["end_to_end_id"] for row in site.movements()}
    debits = _debits(_booked(site))
    known = [
        row for row in debits if row["transaction_type"] == "ACH" and row["activity_id"].replace("-", "") in booked
    ]
    return site.any(known), [row["activity_id"] for row in debits]


@plants("expected-payment-comes-in-part")
def _comes_in_part(site: Site) -> Names:
    row, debits = _referenced(site)
    amount = -row["signed_amount"] + _DOLLAR
    expected = _expect(site, "OUT", amount, amount, reference=row["activity_id"].replace("-", ""))
    return {"expected": expected, "debits": debits}


@plants("expected-payment-above-its-bounds")
def _above_its_bounds(site: Site) -> Names:
    row, debits = _referenced(site)
    amount = -row["signed_amount"] - _DOLLAR
    if amount <= 0:
        raise NothingToHit
    expected = _expect(site, "OUT", amount, amount, reference=row["activity_id"].replace("-", ""))
    return {"expected": expected, "debits": debits}


def _company(row: Row) -> str:
    told = json.loads(row["details"] or "{}")
    return str(told.get("company_name") or row["transaction_type"])


def _by_company(site: Site) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in site.facts.find("staging.api_transaction", document_kind="API_TRANSACTIONS"):
        if row["signed_amount"] < 0 and row["transaction_type"] not in _OTHER_CONTROLS:
            found.setdefault(_company(row), []).append(row)
    return found


def _allow(site: Site, limits: dict[str, Decimal]) -> None:
    rows: list[Row] = [{"company_id": name, "limit_amount": limit} for name, limit in limits.items()]
    _list(site, "DEBIT_ALLOW_LIST", "staging.debit_allowance", rows)


@plants("debit-of-an-unknown-company")
def _unknown_company(site: Site) -> Names:
    target, _ = _referenced(site)
    (entry,) = [
        row for row in site.movements() if site.detail(row)["end_to_end_id"] == target["activity_id"].replace("-", "")
    ]
    companies = _by_company(site)
    known = _company(target)
    for form in site.forms_of_transaction(target["activity_id"], target["scope_date"]):
        form["title"] = form["title"].replace(known, _STRANGER)
        if form["details"] is not None:
            form["details"] = json.dumps({**json.loads(form["details"]), "company_name": _STRANGER}, sort_keys=True)
    site.detail(entry)["creditor_name"] = _STRANGER
    _allow(site, dict.fromkeys(companies, _ALL))
    return {"debit": target["activity_id"]}


@plants("debit-above-its-limit")
def _above_its_limit(site: Site) -> Names:
    companies = _by_company(site)
    largest = [
        row
        for row in _debits(_booked(site))
        if all(other is row or other["signed_amount"] > row["signed_amount"] for other in companies[_company(row)])
    ]
    target = site.any(largest)
    _allow(site, {**dict.fromkeys(companies, _ALL), _company(target): -target["signed_amount"] - CENT})
    return {"debit": target["activity_id"]}
