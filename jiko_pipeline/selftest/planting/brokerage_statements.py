"""Faults of brokerage statements.

Belongs here: entries and balances of the brokerage account. Does not belong here: positions (`positions`).
"""

from decimal import Decimal
from typing import Final

from jiko_pipeline import calendars
from jiko_pipeline.selftest.planting.bank_statements import a_sweep
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import CENT, NothingToHit, Site

_LEGS: Final = ("ADDITION", "SUBTRACTION")
_HUNDRED: Final = Decimal("100.00")
_TEN: Final = Decimal("10.00")


def _days_after_take_on(site: Site) -> None:
    """Nothing is proved of a pocket's first documented day against the day before it."""
    site.statement("BROKERAGE", site.after(-1))


def earnings_of_month(site: Site) -> Names:
    """The earnings that the API states of the month of the site's day: the last business day of it, and its first day.

    Empty where they were not asked for.
    """
    month = site.day.replace(day=1)
    found = site.facts.find("staging.earnings", scope_pocket_id=site.pocket_id, scope_date=month)
    life = site.facts.one("staging.pocket_life", pocket_id=site.pocket_id)
    ends = [min(row["last_date"], life["last_activity_on"] or row["last_date"]) for row in found]
    business_days = [
        end if calendars.is_fed_business_day(end) else calendars.previous_fed_business_day(end) for end in ends
    ]
    return {
        "month_end": [day.isoformat() for day in business_days],
        "month": [row["first_date"].isoformat() for row in found],
    }


@plants("sweep-missing-at-brokerage")
def _missing_at_brokerage(site: Site) -> Names:
    site.statement("BROKERAGE", site.after(1))
    _days_after_take_on(site)
    entry, sweep = a_sweep(site, "BROKERAGE", *_LEGS)
    left_on = site.other_leg(entry)
    site.strike(entry)
    return {"sweep": sweep, "left_on": left_on.isoformat()}


@plants("sweep-in-transit")
def _in_transit(site: Site) -> Names:
    life = site.facts.one("staging.pocket_life", pocket_id=site.pocket_id)
    if site.day != site.last or life["last_activity_on"] is not None:
        raise NothingToHit
    _days_after_take_on(site)
    entry, sweep = a_sweep(site, "BROKERAGE", *_LEGS)
    site.strike(entry)
    return {"sweep": sweep}


@plants("brokerage-entry-twice")
def _twice(site: Site) -> Names:
    entry, sweep = a_sweep(site, "BROKERAGE", *_LEGS)
    site.repeat(entry)
    return {"key": f"{entry['proprietary_code']} {sweep}", "sweep": sweep}


@plants("brokerage-opening-off")
def _opening_off(site: Site) -> Names:
    _days_after_take_on(site)
    site.balance("BROKERAGE", "OPBD")["signed_amount"] += _HUNDRED
    return {}


@plants("brokerage-closing-off")
def _closing_off(site: Site) -> Names:
    site.statement("BROKERAGE", site.after(1))
    if not site.positions() or len(site.positions()) >= 1000:
        raise NothingToHit
    site.balance("BROKERAGE", "CLBD")["signed_amount"] += _TEN
    return {}


@plants("brokerage-closing-off-by-a-cent")
def _closing_off_by_a_cent(site: Site) -> Names:
    site.statement("BROKERAGE", site.after(1))
    if not site.positions():
        raise NothingToHit
    site.balance("BROKERAGE", "CLBD")["signed_amount"] += CENT
    return {}


@plants("gain-hidden-by-addition")
def _hidden_by_addition(site: Site) -> Names:
    _days_after_take_on(site)
    gain = site.any(site.entries("BROKERAGE", "GAIN_LOSS"))
    addition, sweep = a_sweep(site, "BROKERAGE", "ADDITION")
    if addition["signed_amount"] <= _HUNDRED:
        raise NothingToHit
    left_on = site.other_leg(addition)
    site.book(gain, signed_amount=gain["signed_amount"] + _HUNDRED)
    site.book(addition, signed_amount=addition["signed_amount"] - _HUNDRED)
    return {"sweep": sweep, "left_on": left_on.isoformat(), **earnings_of_month(site)}


@plants("fee-stated-and-not-taken")
def _fee_not_taken(site: Site) -> Names:
    _days_after_take_on(site)
    site.statement("BANK", site.after(1))
    entry = site.any(site.entries("BROKERAGE", "GAIN_LOSS"))
    reference = f"{entry['account_servicer_reference']}F"
    made = site.repeat(
        entry, account_servicer_reference=reference, proprietary_code="MANAGEMENT_FEE", signed_amount=-_TEN
    )
    site.detail(made)["end_to_end_id"] = reference
    return {"fee": reference}


@plants("gain-under-unknown-code")
def _gain_under_unknown_code(site: Site) -> Names:
    _days_after_take_on(site)
    entry = site.any([row for row in site.entries("BROKERAGE", "GAIN_LOSS") if abs(row["signed_amount"]) > 10])
    entry["proprietary_code"] = "REVALUATION"
    return earnings_of_month(site)
