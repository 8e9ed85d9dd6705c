"""Faults of movements of a pocket that is made for them: dates, amounts, names, fees and returns at their edges.

Belongs here: what the bank books against what its API lists, where each edge must lie exactly. Does not belong here:
movements that drawn worlds have (`bank_statements`, `transactions`, `linked_movements`).
"""

from datetime import datetime, time, timedelta

from jiko_pipeline import calendars
from jiko_pipeline.selftest.planting.made_pockets import MadePocket, all_listed, opened
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import NothingToHit, Site

_EVENING = time(23, 30)
"""UTC; in New York after the end of the business day in summer."""


@plants("movements-at-the-edges")
def _movements(site: Site) -> Names:
    if site.after(13) == site.last:
        raise NothingToHit
    made = opened(site, 13)
    day = [site.after(offset) for offset in range(14)]
    names = {
        "same_day": made.move(day[1], 200_00),
        "next_day": made.move(day[1], -201_00, booked_on=day[2]),
        "two_days": made.move(day[1], -202_00, booked_on=day[3]),
        "day_before": made.move(day[3], -203_00, booked_on=day[2]),
        "card_fifth": made.move(day[1], -204_00, "CARD", "CARD", booked_on=day[6]),
        "card_sixth": made.move(day[1], -205_00, "CARD", "CARD", booked_on=day[7]),
        "card_before": made.move(day[4], -206_00, "CARD", "CARD", booked_on=day[3]),
        "unsettled_fifth": made.move(day[1], -207_00, booked_on=day[6], is_settled=False),
        "unsettled_sixth": made.move(day[1], -208_00, booked_on=day[7], is_settled=False),
        "evening": made.move(day[5], -209_00, booked_on=day[6], at=datetime.combine(day[4], _EVENING)),
        "evening_before": made.move(day[5], -210_00, booked_on=day[4], at=datetime.combine(day[4], _EVENING)),
        "evening_late": made.move(day[5], -211_00, booked_on=day[7], at=datetime.combine(day[4], _EVENING)),
        "never": made.list_movement(day[2], -212_00),
        "card_never": made.list_movement(day[2], -213_00, "CARD"),
        "card_before_close": made.list_movement(day[11], -214_00, "CARD"),
        "unsettled_at_close": made.list_movement(day[12], -215_00, is_settled=False),
    }
    for name, cents, booked in (
        ("cent_more", 216_00, 216_01),
        ("cent_less", -217_00, -216_99),
        ("sign", 218_00, -218_00),
    ):
        names[name] = made.list_movement(day[2], cents)
        made.book(day[2], "ACH_CREDIT" if booked > 0 else "ACH_DEBIT", booked, names[name])
    names["nobody"] = made.book(day[3], "ACH_DEBIT", -219_00)
    names["again"] = made.book(day[4], "ACH_CREDIT", 200_00, names["same_day"])
    for name, cents, code, kind, later in (
        ("unnamed", -230_00, "ACH_DEBIT", "ACH", 0),
        ("unnamed_next", -231_00, "ACH_DEBIT", "ACH", 1),
        ("unnamed_two", -232_00, "ACH_DEBIT", "ACH", 2),
        ("unnamed_card", -233_00, "CARD", "CARD", 5),
        ("unnamed_card_late", -234_00, "CARD", "CARD", 6),
        ("unnamed_other_kind", -235_00, "ACH_DEBIT", "CARD", 0),
        ("unnamed_before", -236_00, "ACH_DEBIT", "ACH", -1),
        ("unnamed_credit", 237_00, "CREDIT", "CREDIT", 0),
    ):
        names[name] = made.list_movement(day[4], cents, kind)
        names[f"{name}_entry"] = made.book(day[4 + later], code, cents)
    for cents, listed, booked in ((-250_00, 2, 1), (-251_00, 1, 2)):
        ids = [made.list_movement(day[5], cents) for _ in range(listed)]
        keys = [made.book(day[5], "ACH_DEBIT", cents) for _ in range(booked)]
        names |= {f"either_{-cents // 100}_{number}": one for number, one in enumerate(ids)}
        names |= {f"either_{-cents // 100}_entry_{number}": one for number, one in enumerate(keys)}
    made.deliver()
    either = [value for name, value in names.items() if name.startswith("either_") and "_entry_" not in name]
    entries = [f"ENTRY {value}" for name, value in names.items() if name.startswith("either_") and "_entry_" in name]
    kept = {name: value for name, value in names.items() if not name.startswith("either_")}
    return {**kept, "pocket": made.pocket_id, "either": [*either, *entries]}


@plants("next-statement-missing")
def _next_statement_missing(site: Site) -> Names:
    made = opened(site, 9)
    day = [site.after(offset) for offset in range(10)]
    names = {
        "settled": made.list_movement(day[2], -220_00),
        "card": made.list_movement(day[2], -221_00, "CARD"),
        "booked": made.move(day[2], -222_00),
        "before": made.list_movement(day[1], -223_00),
    }
    made.skipped.add(("BANK_STATEMENT", day[3]))
    made.deliver()
    return {**names, "pocket": made.pocket_id}


@plants("fees-at-the-edges")
def _fees(site: Site) -> Names:
    made, other = opened(site, 4), opened(site, 4)
    day = [site.after(offset) for offset in range(5)]
    paid = made.move(day[1], -300_00)

    def fee(cents: int, booked: int, related: str = "") -> str:
        told = {"related_transaction_id": related} if related else {"fee_type": "MONTHLY"}
        listed = made.list_movement(day[1], cents, "FEE", details=told)
        entries[listed] = made.book(day[1], "BANK_FEE", booked, listed)
        return listed

    entries: dict[str, str] = {}
    fine, plain = fee(-15_00, -15_00, paid), fee(-16_00, -16_00)
    differs, for_a_fee = fee(-17_00, -17_01, paid), fee(-18_00, -18_00, plain)
    no_fee = made.list_movement(day[1], -19_00)
    theirs = other.list_movement(day[2], -20_00, "FEE")
    names = {
        "fine": entries[fine],
        "plain": entries[plain],
        "differs": entries[differs],
        "differs_listed": differs,
        "for_a_fee": entries[for_a_fee],
        "no_fee": made.book(day[1], "BANK_FEE", -19_00, no_fee),
        "unnamed": [made.book(day[2], "BANK_FEE", -21_00), made.book(day[2], "BANK_FEE", -22_00)],
        "again": made.book(day[2], "BANK_FEE", -15_00, fine),
        "theirs": made.book(day[2], "BANK_FEE", -20_00, theirs),
        "theirs_listed": theirs,
        "other": other.pocket_id,
    }
    made.deliver()
    other.deliver()
    return {**names, "pocket": made.pocket_id}


@plants("returns-at-the-edges")
def _returns(site: Site) -> Names:
    made, other = opened(site, 6), opened(site, 6)
    day = [site.after(offset) for offset in range(7)]
    names: dict[str, str] = {}

    def give_back(name: str, on: int, cents: int, original: str = "", code: str = "RETURN") -> None:
        told = {"original_transaction_id": original} if original else None
        listed = made.list_movement(day[on], cents, "CARD" if code == "CARD" else "ACH", details=told)
        names[name] = made.book(day[on], code, cents, listed)

    for name, cents, back, code, kind in (
        ("wire_part", 1000_00, -999_99, "WIRE_IN", "WIRE"),
        ("wire_whole", 1001_00, -1001_00, "WIRE_IN", "WIRE"),
        ("wire_more", 1002_00, -1002_01, "WIRE_IN", "WIRE"),
        ("ach_whole", 300_00, -300_00, "ACH_CREDIT", "ACH"),
        ("ach_less", 301_00, -300_99, "ACH_CREDIT", "ACH"),
        ("ach_more", 302_00, -302_01, "ACH_CREDIT", "ACH"),
        ("paid_back", -303_00, 303_00, "ACH_DEBIT", "ACH"),
        ("same_sign", 304_00, 304_00, "ACH_CREDIT", "ACH"),
    ):
        give_back(name, 2, back, made.move(day[1], cents, code, kind))
    twice = made.move(day[1], -310_00)
    give_back("once", 2, 310_00, twice)
    give_back("again", 3, 310_00, twice)
    give_back("too_early", 3, 311_00, made.move(day[4], -311_00))
    give_back("same_day", 3, 312_00, made.move(day[3], -312_00))
    give_back("of_the_other", 3, 313_00, other.move(day[1], -313_00))
    give_back("of_nothing", 3, 314_00)
    give_back("card_of_nothing", 3, 315_00, code="CARD")
    give_back("fee_of_nothing", 3, 316_00, code="BANK_FEE")
    give_back("card_of_a_stranger", 3, 317_00, made.new_id(), code="CARD")
    give_back("card_paid_back", 3, 318_00, made.move(day[1], -318_00, "CARD", "CARD"), code="CARD")
    give_back("card_part", 3, 318_99, made.move(day[1], -319_00, "CARD", "CARD"), code="CARD")
    named = made.move(day[1], -320_00)
    names["named"] = made.book(day[4], "RETURN", 320_00, named)
    at_once = made.move(day[4], -321_00)
    names["named_at_once"] = made.book(day[4], "RETURN", 321_00, at_once)
    give_back("of_nothing_at_all", 3, 0, made.move(day[1], -5_00))
    give_back("of_a_movement_of_nothing", 3, -6_00, made.move(day[1], 0))
    one, two = made.move(day[1], -322_00), made.move(day[1], -322_00)
    give_back("of_two", 3, 322_00, one)
    made.deliver()
    other.deliver()
    for row in site.facts.find("staging.api_transaction", activity_id=two):
        row["transaction_id"] = one
    return {**names, "pocket": made.pocket_id, "other": other.pocket_id}


_WINDOW = 65


@plants("returns-at-the-end-of-their-time")
def _late_returns(site: Site) -> Names:
    days = calendars.fed_business_days(site.day, site.last)
    back = [
        day
        for day in days
        if day - timedelta(days=_WINDOW) in days and day - timedelta(days=_WINDOW + 1) in days and day != site.last
    ]
    if not back:
        raise NothingToHit
    on = back[0]
    opening = on - timedelta(days=_WINDOW + 1)
    all_listed(site, opening, on)
    made = MadePocket(site, opening, on, opening, on)
    made.move(opening, 100_000_00)
    names: dict[str, str] = {}
    for name, day, cents, code, kind in (
        ("last_day", opening + timedelta(days=1), -330_00, "ACH_DEBIT", "ACH"),
        ("day_after", opening, -331_00, "ACH_DEBIT", "ACH"),
        ("card", opening, -332_00, "CARD", "CARD"),
    ):
        original = made.move(day, cents, code, kind)
        listed = made.list_movement(on, -cents, kind, details={"original_transaction_id": original})
        names[name] = made.book(on, "RETURN", -cents, listed)
    made.deliver()
    return {**names, "pocket": made.pocket_id, "on": on.isoformat()}


@plants("return-in-a-pocket-of-unknown-life")
def _unknown_life(site: Site) -> Names:
    listed = site.facts.find("staging.api_transaction", document_kind="API_TRANSACTIONS")
    known = min(row["scope_date"] for row in listed)
    late = known + timedelta(days=_WINDOW)
    # Whatever the first business day of the listings is, it lies within two days of their first day.
    early = site.after(2)
    if early >= late - timedelta(days=4):
        raise NothingToHit
    later = calendars.next_fed_business_day(calendars.on_or_after(late + timedelta(days=4)))
    if later > site.last:
        later = early
    all_listed(site, site.day, site.last)
    made = MadePocket(site, site.after(1), site.last)
    made.move(site.after(1), 100_000_00)
    nobody = made.new_id()
    names = {}
    for name, day, cents, original in (
        ("early", early, 340_00, nobody),
        ("fine", early, 341_00, made.move(site.after(1), -341_00)),
        ("late", later, 342_00, nobody),
    ):
        told = {"original_transaction_id": original}
        names[name] = made.book(day, "RETURN", cents, made.list_movement(day, cents, details=told))
    made.deliver()
    on_time = [names["late"]] if later == early else []
    return {
        "pocket": made.pocket_id,
        "fine": names["fine"],
        "early": [names["early"], *on_time],
        "late": [] if on_time else [names["late"]],
        "on": later.isoformat(),
    }
