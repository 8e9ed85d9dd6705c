"""Trades whose stated settlement is not the day on which bills and cash moved: which days that touches.

Belongs here: those days, at a bank that counts by settlement. Does not belong here: the faults themselves (`trades`,
`trade_terms`).
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from jiko_pipeline import calendars
from jiko_pipeline.selftest.facts import Row
from jiko_pipeline.selftest.planting.registry import Names
from jiko_pipeline.selftest.site import NothingToHit, Site

_NEAR: Final = 8
"""Business days after the trade within which everything that follows from it lies."""
_FEW: Final = 2
"""On more days a close that leaves unsettled money out would explain the statements better, which is another fault."""


def settled_on(site: Site, trade: Row) -> Names:
    """For a trade that the listings have not or have wrongly: when it settled, and before that its unsettled days."""
    settles: date = calendars.on_or_after(trade["settlement_date"])
    unsettled = _days(site.day, settles)
    _refuse_what_is_lost(site, settles, unsettled)
    return {"settled_on": settles.isoformat(), "unsettled": _told(unsettled)}


def stated_elsewhere(site: Site, moved: date, stated: date) -> Names:
    """For a trade that settled on one day and is said to settle on another: both, where they are two.

    `unsettled` are the days on which it is wrongly said to be under way.
    """
    moved, stated = calendars.on_or_after(moved), calendars.on_or_after(stated)
    unsettled = _days(moved, stated)
    _refuse_what_is_lost(site, stated, unsettled)
    is_apart = moved != stated
    return {
        "moved_on": _told([moved] * is_apart),
        "stated_on": _told([stated] * is_apart),
        "unsettled": _told(unsettled),
    }


def stated_later(site: Site, trade: Row, traded_on: date, settles: date) -> Names:
    """As `stated_elsewhere` for a trade that is said to be made later too, on `traded_on`."""
    moved: date = calendars.on_or_after(trade["settlement_date"])
    names = stated_elsewhere(site, moved, settles)
    wrongly = {*_days(site.day, moved)} ^ {*_days(traded_on, settles)}
    return {**names, "unsettled": _told(sorted(wrongly))}


def never_settled(site: Site, trade: Row) -> Names:
    """For a trade that settled and never is said to: when it did, and every day from then on."""
    settles: date = calendars.on_or_after(trade["settlement_date"])
    ends = site.facts.one("staging.pocket_life", pocket_id=site.pocket_id)["last_activity_on"] or site.last
    unsettled = [*_days(settles, min(ends, site.last)), min(ends, site.last)]
    _refuse_what_is_lost(site, settles, unsettled)
    return {"settled_on": settles.isoformat(), "unsettled": _told(unsettled)}


def _days(first: date, before: date) -> list[date]:
    """Fed business days from `first` on and before `before`."""
    return [day for day in calendars.fed_business_days(first, before) if day < before] if first < before else []


def _told(days: Sequence[date]) -> list[str]:
    return [day.isoformat() for day in days]


def _refuse_what_is_lost(site: Site, until: date, unsettled: Sequence[date]) -> None:
    """Raises NothingToHit where what follows at this bank lies outside the pocket's documents, or is another fault."""
    ends = site.facts.one("staging.pocket_life", pocket_id=site.pocket_id)["last_activity_on"]
    if ends is not None and until > ends:
        raise NothingToHit  # the pocket would close with money under way
    books = site.facts.books
    if "SETTLE" in (books["pos_basis"], books["cash_basis"]):
        if until > site.last or len(_days(site.day, until)) > _NEAR:
            raise NothingToHit
        site.statement("BROKERAGE", site.after(-1))
    if books["close_basis"] == "MV+CASH+PEND" and len(unsettled) > _FEW:
        raise NothingToHit
