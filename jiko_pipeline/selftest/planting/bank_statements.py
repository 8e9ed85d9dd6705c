"""Faults of bank statements.

Belongs here: entries, balances and sweeps of the bank account. Does not belong here: whole documents (`arrivals`),
transactions of the API (`transactions`).
"""

from decimal import Decimal

from jiko_pipeline import calendars
from jiko_pipeline.selftest.facts import Row
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import CENT, SWEPT, NothingToHit, Site

_HUNDRED = Decimal("100.00")


def booked_same_day(site: Site, *types: str) -> tuple[Row, Row]:
    """A drawn movement that the API dates on the day on which the bank books it: its entry and its transaction.

    Card payments are none: the bank may book them within five business days. Nor are fees, which other
    movements belong to (`linked_movements`), and wires and transfers within the bank, which requests and events speak
    of as well (`people`).
    """
    entries = {site.detail(row)["end_to_end_id"]: row for row in site.movements()}
    known = [
        row
        for row in site.transactions()
        if row["activity_id"].replace("-", "") in entries
        and row["transaction_type"] not in ("CARD", "FEE", "WIRE", "ON_US")
    ]
    chosen = site.any(known)
    return entries[chosen["activity_id"].replace("-", "")], chosen


def both_sides(entry: Row, transaction: Row) -> dict[str, str]:
    """What tells a movement, at the bank and in the listings."""
    return {"reference": entry["account_servicer_reference"], "transaction": transaction["activity_id"]}


def a_sweep(site: Site, kind: str = "BANK", *codes: str) -> tuple[Row, str]:
    """A drawn sweep of a statement, with the reference that both of its legs bear."""
    entry = site.any(site.entries(kind, *(codes or SWEPT)))
    return entry, site.detail(entry)["end_to_end_id"]


@plants("bank-entry-off-by-a-cent")
def _off_by_a_cent(site: Site) -> Names:
    entry, transaction = booked_same_day(site)
    amount = entry["signed_amount"]
    site.book(entry, signed_amount=amount + (CENT if amount > 0 else -CENT))
    return both_sides(entry, transaction)


@plants("bank-entry-twice")
def _twice(site: Site) -> Names:
    entry = site.any([row for row in site.movements() if row["proprietary_code"] != "BANK_FEE"])
    site.repeat(entry)
    return {"reference": entry["account_servicer_reference"]}


@plants("bank-reference-used-twice")
def _reference_used_twice(site: Site) -> Names:
    entry = site.any([row for row in site.movements() if row["proprietary_code"] != "BANK_FEE"])
    site.repeat(entry, signed_amount=entry["signed_amount"] * 2)
    return {"reference": entry["account_servicer_reference"]}


@plants("bank-entry-missing")
def _missing(site: Site) -> Names:
    entry, transaction = booked_same_day(site)
    if transaction["transaction_status"] != "SETTLED":
        raise NothingToHit
    site.after(1)
    site.strike(entry)
    return both_sides(entry, transaction)


@plants("bank-entry-invented")
def _invented(site: Site) -> Names:
    entry, transaction = booked_same_day(site)
    reference = f"{entry['account_servicer_reference']}X"
    made = site.repeat(entry, account_servicer_reference=reference)
    site.detail(made)["end_to_end_id"] = "NOTPROVIDED"
    return {**both_sides(entry, transaction), "entry": f"{reference}#1"}


@plants("bank-entry-days-late")
def _days_late(site: Site) -> Names:
    entry, transaction = booked_same_day(site)
    later = site.after(3)
    if not site.entries("BANK", day=later):
        raise NothingToHit
    detail = site.detail(entry)
    site.strike(entry)
    scope = site.statement("BANK", later)
    number = 1 + max(row["entry_seq"] for row in site.entries("BANK", day=later))
    place = {"scope_date": later, "document_id": scope["document_id"], "entry_seq": number}
    site.facts.put("staging.statement_entry", {**entry, **place, "booking_date": later, "value_date": later})
    site.facts.put("staging.statement_entry_detail", {**detail, **place})
    site.resum("BANK_STATEMENT", later)
    return both_sides(entry, transaction)


@plants("bank-entry-of-unknown-code")
def _of_unknown_code(site: Site) -> Names:
    entry, transaction = booked_same_day(site)
    entry.update(proprietary_code="MISC", domain_code="XTND", family_code="NTAV", sub_family_code="NTAV")
    return {**both_sides(entry, transaction), "entry": f"{entry['account_servicer_reference']}#1"}


@plants("bank-entry-of-two-categories")
def _of_two_categories(site: Site) -> Names:
    entry, transaction = booked_same_day(site)
    code = f"DUAL-{entry['account_servicer_reference']}"
    entry["proprietary_code"] = code
    for category in ("PAYMENT", "DEPOSIT"):
        site.facts.put(
            "core.classification_rule",
            {
                "rule_id": f"{code}-{category}",
                "proprietary_code": code,
                "category": category,
                "rules_version": "planted",
            },
        )
    return {**both_sides(entry, transaction), "entry": f"{entry['account_servicer_reference']}#1"}


@plants("bank-closing-not-zero")
def _closing_not_zero(site: Site) -> Names:
    site.after(1)
    site.statement("BANK", site.after(1))
    site.balance("BANK", "CLBD")["signed_amount"] += _HUNDRED
    return {}


@plants("bank-opening-not-zero")
def _opening_not_zero(site: Site) -> Names:
    site.balance("BANK", "OPBD")["signed_amount"] += _HUNDRED
    return {}


@plants("sweep-sign-flipped")
def _sign_flipped(site: Site) -> Names:
    entry, sweep = a_sweep(site)
    site.other_leg(entry)
    site.book(entry, signed_amount=-entry["signed_amount"])
    return {"sweep": sweep}


@plants("sweep-short-by-a-cent")
def _short_by_a_cent(site: Site) -> Names:
    entry, sweep = a_sweep(site)
    site.other_leg(entry)
    site.book(entry, signed_amount=entry["signed_amount"] + CENT)
    return {"sweep": sweep}


@plants("sweep-missing-at-bank")
def _missing_at_bank(site: Site) -> Names:
    entry, sweep = a_sweep(site)
    arrived_on = site.other_leg(entry)
    site.statement("BANK", calendars.next_fed_business_day(arrived_on))
    site.strike(entry)
    return {"sweep": sweep, "arrived_on": arrived_on.isoformat()}


@plants("sweep-two-days-late")
def _two_days_late(site: Site) -> Names:
    entry, sweep = a_sweep(site)
    arrived_on = site.other_leg(entry)
    later = calendars.next_fed_business_day(calendars.next_fed_business_day(arrived_on))
    there = site.statement("BANK", later)
    detail = site.detail(entry)
    site.strike(entry)
    number = 1 + max((row["entry_seq"] for row in site.entries("BANK", day=later)), default=0)
    place = {"scope_date": later, "document_id": there["document_id"], "entry_seq": number}
    site.facts.put("staging.statement_entry", {**entry, **place, "booking_date": later, "value_date": later})
    site.facts.put("staging.statement_entry_detail", {**detail, **place})
    site.resum("BANK_STATEMENT", later)
    # Without the statement that shows the other leg nobody could tell what came late from what came alone.
    shown_by = "BROKERAGE_STATEMENT"
    return {
        "sweep": sweep,
        "arrived_on": arrived_on.isoformat(),
        "booked_on": later.isoformat(),
        "shown_by": shown_by,
    }
