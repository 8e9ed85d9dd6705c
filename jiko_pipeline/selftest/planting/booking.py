"""Faults of how the bank books as a whole: the figures are right in themselves, by another rule than the confirmed one.

Belongs here: changes that last. Does not belong here: a wrong figure of one day (`brokerage_statements`).
"""

from datetime import datetime, time
from decimal import Decimal
from itertools import pairwise
from typing import Final
from uuid import UUID

from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import LISTED_TRANSACTIONS, NothingToHit, Site

_DAYS: Final = 7
"""Business days on which the other rule holds: the first, on which the two mix, five that show it, and one more."""
_VISIBLE: Final = Decimal("5.00")
"""More than any tolerance of K33 and K35."""


@plants("bank-closes-without-cash")
def _closes_without_cash(site: Site) -> Names:
    days = [site.after(offset) for offset in range(_DAYS + 1)]
    site.statement("BROKERAGE", site.after(-1))
    if days[0].month != days[-1].month:
        raise NothingToHit
    cash = [site.cash(day)["cash"] for day in days[:-1]]
    if site.cash(site.after(-1))["cash"] < _VISIBLE:
        raise NothingToHit  # the first day would not be one on which the two mix
    left_out = [Decimal(0), *cash, Decimal(0)]
    changes = [after - before for before, after in pairwise(left_out)]
    if any(abs(change) < _VISIBLE for change in changes) or any(money < _VISIBLE for money in cash):
        raise NothingToHit
    gains = [site.entries("BROKERAGE", "GAIN_LOSS", day=day) for day in days]
    if any(len(found) != 1 for found in gains):
        raise NothingToHit
    openings = [site.balance("BROKERAGE", "OPBD", day) for day in days]
    closings = [site.balance("BROKERAGE", "CLBD", day) for day in days]
    for place, change in enumerate(changes):
        openings[place]["signed_amount"] -= left_out[place]
        closings[place]["signed_amount"] -= left_out[place + 1]
        (gain,) = gains[place]
        site.book(gain, signed_amount=gain["signed_amount"] - change)
    return {}


@plants("pocket-closed-with-money")
def _closed_with_money(site: Site) -> Names:
    life = site.facts.one("staging.pocket_life", pocket_id=site.pocket_id)
    if site.day != site.last or life["last_activity_on"] is not None or not site.positions():
        raise NothingToHit
    listed = site.facts.find("staging.pocket", pocket_id=site.pocket_id)
    if len(listed) != 1:
        raise NothingToHit  # it was listed otherwise before
    if site.facts.books["sweep_posting"] == "NEXT_DAY" and site.movements():
        raise NothingToHit  # the day's sweep would be under way to an account that has no next day
    life["last_activity_on"] = site.day
    listed[0]["pocket_status"] = "CLOSED"
    return {"pocket": site.pocket_id}


@plants("pocket-moves-after-its-close")
def _moves_after_close(site: Site) -> Names:
    life = site.facts.one("staging.pocket_life", pocket_id=site.pocket_id)
    if life["last_activity_on"] is None or life["last_activity_on"] >= site.day:
        raise NothingToHit
    like = site.any(
        [
            row
            for row in site.facts.find("staging.api_transaction", document_kind="API_TRANSACTIONS")
            if row["pocket_id"] == site.pocket_id and row["transaction_type"] == "ACH"
        ]
    )
    listings = [
        row["document_id"]
        for kind in LISTED_TRANSACTIONS
        for row in site.facts.find("raw.delivery", document_kind=kind, scope_pocket_id="", scope_date=site.day)
    ]
    if len(listings) != len(LISTED_TRANSACTIONS):
        raise NothingToHit
    made, at = str(UUID(int=site.draw.getrandbits(128))), datetime.combine(site.day, time(16))
    for kind, document_id in zip(LISTED_TRANSACTIONS, listings, strict=True):
        site.facts.put(
            "staging.api_transaction",
            {
                **like,
                "document_kind": kind,
                "details": like["details"] if kind == "API_TRANSACTIONS" else None,
                "scope_date": site.day,
                "document_id": document_id,
                "activity_id": made,
                "transaction_id": made,
                "booked_at_utc": at,
                "settled_at_utc": at,
            },
        )
    return {"transaction": made}
