"""Faults of sweeps, balances and the life of a pocket that is made for them.

Belongs here: legs of sweeps on one day and on others, money that stays overnight, pockets that open and close. Does
not belong here: movements (`made_movements`), the sweeps of drawn worlds (`bank_statements`, `brokerage_statements`).
"""

from datetime import timedelta

from jiko_pipeline import calendars
from jiko_pipeline.selftest import documents
from jiko_pipeline.selftest.planting.made_pockets import MadePocket, all_listed, opened
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import NothingToHit, Site


@plants("sweeps-at-the-edges")
def _sweeps(site: Site) -> Names:
    made = opened(site, 14)
    day = [site.after(offset) for offset in range(15)]
    if day[14] == site.last:
        raise NothingToHit

    def sweep(cents: int, bank: int | None, brokerage: int | None, there: int = 0) -> str:
        """A sweep of what the bank account took in or paid out on the day of its leg, so that it ends the day empty."""
        if bank is not None:
            made.move(day[bank], cents)
        here, across = (None if offset is None else day[offset] for offset in (bank, brokerage))
        return made.sweep(cents, here, across, there)

    names = {
        "overnight": sweep(100_00, 2, 3),
        "brought_overnight": sweep(-101_00, 2, 3),
        "ahead": sweep(102_00, 5, 4),
        "two_days": sweep(103_00, 4, 6),
        "two_days_ahead": sweep(104_00, 8, 6),
        "five_days": sweep(105_00, 4, 9),
        "six_days": sweep(106_00, 4, 10),
        "other_amount": sweep(107_00, 7, 8, 107_01),
        "same_day_other_amount": sweep(108_00, 9, 9, 107_99),
        "ahead_other_amount": sweep(113_00, 9, 8, 113_50),
        "two_days_other_amount": sweep(114_00, 2, 4, 114_50),
        "bank_alone": sweep(109_00, 10, None),
        "brokerage_alone": sweep(110_00, None, 11),
        "at_the_end": sweep(111_00, 14, None),
        "at_the_end_too": sweep(112_00, None, 14),
    }
    # Two that differ by opposite amounts: the day's totals agree.
    sweep(120_00, 12, 12, 121_00)
    sweep(131_00, 12, 12, 130_00)
    # Two entries of the bank for one of the brokerage account, under one reference.
    reference = sweep(140_00, 13, None)
    made.move(day[13], 141_00)
    made.book(day[13], "SWEEP_OUT", -141_00, reference)
    made.flow(day[13], "ADDITION", 281_00, reference)
    made.deliver()
    return {**names, "pocket": made.pocket_id}


@plants("bank-keeps-money-overnight")
def _overnight(site: Site) -> Names:
    made = opened(site, 6)
    day = [site.after(offset) for offset in range(7)]
    made.move(day[2], 100_00)
    made.stays[day[2]] = 100_00
    made.move(day[4], -50_00)
    made.stays[day[4]] = -50_00
    made.deliver()
    return {"pocket": made.pocket_id}


@plants("pocket-of-unknown-life")
def _unknown_life(site: Site) -> Names:
    first, last = site.after(1), site.last
    all_listed(site, site.after(-1), last)
    if first == last:
        raise NothingToHit
    made = MadePocket(site, first, last)
    made.flow(first, "ADDITION", 70_00, "made-before-its-first-day")
    made.deliver()
    return {
        "pocket": made.pocket_id,
        "leg": "made-before-its-first-day",
        "kinds": ["BANK_STATEMENT", "BROKERAGE_STATEMENT", "POSITION", "TRADE_REPORT_CSV", "TRADE_REPORT_KYRIBA_CSV"],
        "listed": ["API_TRANSACTIONS", "API_TRADES", "SECURITY_PRICE"],
        "statements": ["BANK_STATEMENT", "BROKERAGE_STATEMENT"],
    }


@plants("pockets-that-do-not-end-empty")
def _ends(site: Site) -> Names:
    if site.after(3) == site.last:
        raise NothingToHit
    week = calendars.fed_business_days(site.day, site.after(5))
    friday = next(day for day in week if not calendars.is_fed_business_day(day + timedelta(days=1)))
    if friday == site.last:
        raise NothingToHit
    names: dict[str, str] = {}
    for name in ("empty", "with_cash", "closing_stated", "negative"):
        made = opened(site, 2)
        if name != "empty":
            made.empties = False
        if name == "closing_stated":
            made.empties = True
        if name == "negative":
            made.move(made.last, -(100_000_00 + 1_00))
        made.deliver()
        if name == "closing_stated":
            site.facts.one(
                "staging.statement_balance",
                document_kind="BROKERAGE_STATEMENT",
                scope_pocket_id=made.pocket_id,
                scope_date=made.last,
                balance_code="CLBD",
            )["signed_amount"] += documents.money(1)
        names[name] = made.pocket_id
    made = MadePocket(site, site.day, friday, site.day, friday + timedelta(days=1), empties=False)
    made.deliver()
    monday = calendars.next_fed_business_day(friday)
    return {**names, "at_weekend": made.pocket_id, "monday": monday.isoformat()}
