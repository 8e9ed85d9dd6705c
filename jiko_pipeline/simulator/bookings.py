"""One movement of cash: when the bank books it, and the record that the API and the statement share.

Belongs here: the end of the business day, booking dates, transactions with their words and details, the first
and the last movement of a pocket. Does not belong here: which movements happen (`activity`), sweeps (`ledger`).

A payment is only booked on a day on which bills trade: one that would be booked on another day is made on the
next trading day instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from jiko_pipeline import calendars
from jiko_pipeline.simulator.draws import Draws, drawn_uuid
from jiko_pipeline.simulator.model import Transaction
from jiko_pipeline.simulator.roster import PocketPlan

WIRE_FEE_CENTS: Final = 2_500
OWN_BANK: Final = "Customer's own bank"
"""Where the first money of a pocket comes from and its last money goes to."""
MANAGEMENT_FEE: Final = "Management fee"
BUSINESS_DAY_END: Final = time(19, 0)
"""New York time from which a movement belongs to the next business day."""


@dataclass(frozen=True, slots=True)
class Booking:
    """When a movement happens and on which business day the bank books it."""

    moved_at: datetime
    bank_date: date


@lru_cache(maxsize=512)
def _bank_dates(day: date) -> tuple[date, date]:
    """The business date of a movement on `day` (before the end of the business day, after it)."""
    following = calendars.next_fed_business_day(day)
    return (day if calendars.is_fed_business_day(day) else following), following


def drawn_clock(draws: Draws, first_minute: int, last_minute: int) -> time:
    """A time of day between two minutes after midnight, both included."""
    minute = draws.between(first_minute, last_minute)
    return time(minute // 60, minute % 60, draws.below(60), draws.below(1_000_000))


def booking_of(day: date, at: time, *, credit: bool) -> Booking:
    """How the bank books a movement made on `day` at `at` (New York); a payment may move to a later day."""
    before_end, after_end = _bank_dates(day)
    bank_date = before_end if at < BUSINESS_DAY_END else after_end
    if not credit and not calendars.is_trading_day(bank_date):
        day = bank_date = calendars.next_trading_day(bank_date)
        at = at.replace(hour=9 + at.hour % 8)
    return Booking(calendars.new_york_instant(day, at), bank_date)


def _settled_at(booking: Booking, minutes: int) -> datetime:
    opening = calendars.new_york_instant(booking.bank_date, time(6, 0))
    return max(booking.moved_at + timedelta(minutes=minutes), opening)


def details_of(kind: str, credit: bool, party: str, draws: Draws) -> dict[str, str | None]:
    """What an ACH movement or a wire says besides its amount."""
    if kind == "ACH":
        return {
            "company_name": party,
            "company_entry_description": "PAYMENT" if credit else "INVOICE",
            "individual_identification_number": f"{draws.below(10**9):09d}",
            "trace_number": f"0910{draws.below(10**11):011d}",
        }
    if kind == "WIRE":
        return {"imad": f"MMQFMP{draws.below(100):02d}{draws.below(10**6):06d}", "beneficiary": party}
    return {}


def transaction(
    plan: PocketPlan,
    kind: str,
    *,
    credit: bool,
    amount_cents: int,
    booking: Booking,
    counterparty: str,
    key: tuple[object, ...],
    transaction_key: tuple[object, ...] | None = None,
    details: Mapping[str, str | None] | None = None,
    description: str | None = None,
) -> Transaction:
    """A movement of `plan`'s pocket.

    `key` makes its id, `transaction_key` the id that it shares with another leg.
    """
    id_ = drawn_uuid("activity", *key, plan.number)
    title = {"ACH": "ACH", "WIRE": "Wire", "ON_US": "JikoNet transfer", "CARD": "Card", "FEE": "Wire fee"}[kind]
    words = "from" if credit else "to"
    return Transaction(
        id=id_,
        transaction_id=drawn_uuid("transaction", *(transaction_key or (*key, plan.number))),
        pocket_id=plan.id,
        type=kind,
        credit=credit,
        amount_cents=amount_cents,
        booked_at=booking.moved_at,
        settled_at=_settled_at(booking, 1 + int(id_[:2], 16) // 4),
        bank_date=booking.bank_date,
        bank_reference=f"JB{booking.bank_date:%y%m%d}{id_[:8].upper()}",
        title=title if kind == "FEE" else f"{title} {words} {counterparty}",
        description=description or f"{title} {words} {counterparty}",
        counterparty=counterparty,
        details=details or {},
    )


def opening_deposit(plan: PocketPlan, seed: int) -> Transaction:
    """The first wire into a pocket, on the day it opens."""
    draws = Draws(seed, "opening", plan.number)
    amount = plan.target_cents * draws.between(85, 105) // 100 // 10_000_000 * 10_000_000
    at = drawn_clock(draws, 9 * 60, 11 * 60)
    return transaction(
        plan,
        "WIRE",
        credit=True,
        amount_cents=amount,
        booking=booking_of(plan.opened_on, at, credit=True),
        counterparty=OWN_BANK,
        key=(seed, "opening"),
        details=details_of("WIRE", True, plan.name, draws),
        description=f"Initial funding of {plan.name}",
    )


def closing_payment(plan: PocketPlan, seed: int, day: date, cash_cents: int) -> tuple[Transaction, ...]:
    """The wire that empties a pocket on the day it closes, and its fee; together they are `cash_cents`.

    Cash that does not pay for more than the fee is wired without one; no cash is no wire.
    """
    draws = Draws(seed, "closing", plan.number)
    booking = booking_of(day, drawn_clock(draws, 15 * 60 + 30, 16 * 60 + 30), credit=False)
    return wire_of_all(
        plan,
        cash_cents,
        booking,
        OWN_BANK,
        (seed, "closing"),
        details_of("WIRE", False, plan.name, draws),
    )


def management_fee_payment(plan: PocketPlan, seed: int, day: date, cents: int) -> Transaction:
    """The management fee as the bank account pays it, where fees are charged there."""
    draws = Draws(seed, "management fee", plan.number, day)
    paid = transaction(
        plan,
        "FEE",
        credit=False,
        amount_cents=cents,
        booking=Booking(calendars.new_york_instant(day, drawn_clock(draws, 16 * 60, 17 * 60)), day),
        counterparty="Jiko",
        key=(seed, "management fee", day),
        description=MANAGEMENT_FEE,
    )
    return replace(paid, title=MANAGEMENT_FEE)


def wire_of_all(
    plan: PocketPlan,
    cash_cents: int,
    booking: Booking,
    counterparty: str,
    key: tuple[object, ...],
    details: Mapping[str, str | None],
) -> tuple[Transaction, ...]:
    """A wire out of a pocket and the fee for it that are `cash_cents` together; see `closing_payment`."""
    if cash_cents <= 0:
        return ()
    fee_is_paid = cash_cents > WIRE_FEE_CENTS
    amount = cash_cents - WIRE_FEE_CENTS if fee_is_paid else cash_cents
    rows = wire_out(plan, amount, booking, counterparty, key, details)
    return rows if fee_is_paid else rows[:1]


def wire_out(
    plan: PocketPlan,
    amount_cents: int,
    booking: Booking,
    counterparty: str,
    key: tuple[object, ...],
    details: Mapping[str, str | None],
) -> tuple[Transaction, ...]:
    """A wire out of a pocket and the fee for it."""
    fee_booking = Booking(booking.moved_at + timedelta(microseconds=1_000), booking.bank_date)
    wire = transaction(
        plan,
        "WIRE",
        credit=False,
        amount_cents=amount_cents,
        booking=booking,
        counterparty=counterparty,
        key=key,
        details=details,
    )
    fee = transaction(
        plan,
        "FEE",
        credit=False,
        amount_cents=WIRE_FEE_CENTS,
        booking=fee_booking,
        counterparty="Jiko",
        key=(*key, "fee"),
        details={"related_transaction_id": wire.transaction_id},
        description=f"Fee for wire to {counterparty}",
    )
    return wire, fee
