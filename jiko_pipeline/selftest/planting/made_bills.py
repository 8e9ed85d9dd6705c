"""Faults of transfers in kind between two pockets that are made for them.

Belongs here: legs that lie apart, differ in face or value, or go to somebody else; in each pocket what comes in goes
out on the same day, so that it holds nothing. Does not belong here: legs of pockets that hold bills (`in_kind`).
"""

from datetime import date, datetime, time
from decimal import Decimal

from jiko_pipeline import calendars
from jiko_pipeline.selftest.facts import Facts
from jiko_pipeline.selftest.planting.made_pockets import MadePocket, opened
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import LISTED_TRADES, NothingToHit, Site

_TABLE = "staging.api_trade"
_HUNDRED = Decimal(100)
_HUNDREDTH = Decimal("0.01")
_CENT = Decimal("0.01")


def _cusips(site: Site, number: int) -> list[str]:
    """Bills that somebody bought in the world, that outlive it and that moved in kind nowhere."""
    listed = site.facts.find(_TABLE, document_kind="API_TRADES")
    bought = {row["cusip"] for row in listed if row["activity"] == "BUY" and row["maturity_date"] > site.last}
    moved = {row["cusip"] for row in listed if "TRANSFER" in row["activity"]}
    found = sorted(bought - moved)
    if len(found) < number:
        raise NothingToHit
    return found[:number]


def _bought_once(facts: Facts, cusip: str) -> str:
    """A purchase of the bill that every form of the listing states once, whatever else was planted."""
    for row in facts.find(_TABLE, document_kind="API_TRADES", cusip=cusip, activity="BUY"):
        trade_id = str(row["trade_id"])
        if all(len(facts.find(_TABLE, document_kind=form, trade_id=trade_id)) == 1 for form in LISTED_TRADES):
            return trade_id
    raise NothingToHit


def _in_and_out(
    made: MadePocket,
    day: date,
    cusip: str,
    bills: int = 40,
    price: str = "99",
    *,
    kind: str = "",
    is_valued: bool = True,
    settled_on: date | None = None,
) -> list[str]:
    """Enters a leg out of the pocket and one into it, in every form of the listing; their ids."""
    facts = made.site.facts
    like = _bought_once(facts, cusip)
    ids = []
    for activity in ("TRANSFER_OUT", "TRANSFER_IN"):
        ids.append(made.new_id())
        for form in LISTED_TRADES:
            told = facts.one(_TABLE, document_kind=form, trade_id=like)
            (listed,) = facts.find("raw.delivery", document_kind=form, scope_pocket_id="", scope_date=day)
            value = (bills * _HUNDRED * Decimal(price) * _HUNDREDTH).quantize(_CENT)
            made.pending.append(
                (
                    _TABLE,
                    {
                        **told,
                        "scope_date": day,
                        "document_id": listed["document_id"],
                        "trade_id": ids[-1],
                        "pocket_id": made.pocket_id,
                        "activity": f"{kind}{activity}",
                        "quantity": bills,
                        "price": Decimal(price) if is_valued else None,
                        "notional": value if is_valued else None,
                        "traded_at_utc": datetime.combine(day, time(15)),
                        "book_date": day,
                        "settlement_date": settled_on or day,
                        "trade_status": "SETTLED",
                        "yield_to_maturity": None,
                    },
                )
            )
    return ids


@plants("in-kind-legs-at-the-edges")
def _at_the_edges(site: Site) -> Names:
    one, other = opened(site, 6), opened(site, 6)
    if one.closed_on is None:
        raise NothingToHit
    day = [site.after(offset) for offset in range(7)]
    cusip = _cusips(site, 8)
    names: dict[str, list[str]] = {
        "together": _in_and_out(one, day[1], cusip[0]),
        "together_there": _in_and_out(other, day[1], cusip[0]),
        "overnight": _in_and_out(one, day[1], cusip[1]),
        "overnight_there": _in_and_out(other, day[2], cusip[1]),
        "two_days": _in_and_out(one, day[1], cusip[2]),
        "two_days_there": _in_and_out(other, day[3], cusip[2]),
        "cent": _in_and_out(one, day[1], cusip[3], price="99"),
        "cent_there": _in_and_out(other, day[1], cusip[3], price="99.01"),
        # The leg of equal face first, whatever else there is.
        "face": _in_and_out(one, day[2], cusip[4], 40),
        "face_there": _in_and_out(other, day[2], cusip[4], 41),
        "less_face_there": _in_and_out(other, day[3], cusip[4], 39),
        "equal_face_there": _in_and_out(other, day[3], cusip[4], 40),
        # Of equal faces that of the same day, of these that of equal value.
        "near": _in_and_out(one, day[4], cusip[5], price="98"),
        "near_there": _in_and_out(other, day[4], cusip[5], price="98"),
        "cheap_there": _in_and_out(other, day[4], cusip[5], price="97.98"),
        "dear_there": _in_and_out(other, day[4], cusip[5], price="98.02"),
        "dear_before_there": _in_and_out(other, day[3], cusip[5], price="98.01"),
        "unsettled": _in_and_out(one, day[6], cusip[6], settled_on=calendars.next_fed_business_day(day[6])),
        "unsettled_there": _in_and_out(other, day[6], cusip[6], settled_on=calendars.next_fed_business_day(day[6])),
    }
    _in_and_out(one, day[5], cusip[7], kind="EXTERNAL_", is_valued=False)
    one.deliver()
    other.deliver()
    return {**names, "pocket": one.pocket_id, "other": other.pocket_id}


@plants("in-kind-transfer-on-the-last-day")
def _on_the_last_day(site: Site) -> Names:
    if site.after(1) != site.last:
        raise NothingToHit
    one = opened(site, 1)
    (cusip,) = _cusips(site, 1)
    legs = _in_and_out(one, one.last, cusip)
    one.deliver()
    return {"legs": legs, "pocket": one.pocket_id}


@plants("bills-move-in-kind-after-the-close")
def _after_the_close(site: Site) -> Names:
    after = site.after(3)
    one = opened(site, 2)
    (cusip,) = _cusips(site, 1)
    if one.closed_on is None or after == site.last:
        raise NothingToHit
    _in_and_out(one, after, cusip, settled_on=calendars.next_fed_business_day(after))
    one.deliver()
    return {"pocket": one.pocket_id}
