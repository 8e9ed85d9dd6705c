"""What the customer does: deposits, payments, card purchases and transfers of one pocket and calendar day.

Belongs here: which movements happen, when and how large, and when the bank books them. Does not belong here:
what the bank does with the cash (`ledger`), how a movement is written (`documents`).

A payment is only made while bills on hand cover it, and only so that it is booked on a day on which bills
trade; one that would be booked on another day is made on the next trading day instead.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from jiko_pipeline import calendars
from jiko_pipeline.simulator.draws import Draws, drawn_uuid
from jiko_pipeline.simulator.model import Transaction
from jiko_pipeline.simulator.roster import PocketPlan

WIRE_FEE_CENTS: Final = 2_500
BUSINESS_DAY_END: Final = time(19, 0)

_QUIET_BEFORE_CLOSING: Final = timedelta(days=7)
_SMALLEST_SPENDABLE_CENTS: Final = 25_000_000
_CUSTOMERS: Final = (
    "Alder Freight LLC",
    "Birchwood Dental Group",
    "Cobalt Analytics Inc",
    "Dunmore Foods Inc",
    "Eastgate Properties LP",
    "Fennel Software Inc",
    "Granite Peak Supply",
    "Harbor Lights Media",
)
_SUPPLIERS: Final = (
    "Ironwood Insurance Co",
    "Juniper Cloud Hosting",
    "Kestrel Payroll Services",
    "Larkspur Legal LLP",
    "Marlow Office Leasing",
    "Northwind Utilities",
    "Orchard Benefits Trust",
    "Pinecrest Logistics",
)
_MERCHANTS: Final = (
    ("Quayside Hotel", "Boston MA", "LODGING"),
    ("Rosewater Catering", "New York NY", "RESTAURANT"),
    ("Summit Air", "Denver CO", "AIRLINE"),
    ("Tiller Stationers", "Chicago IL", "OFFICE_SUPPLIES"),
    ("Umber Coffee", "Seattle WA", "RESTAURANT"),
    ("Vale Car Rental", "Austin TX", "CAR_RENTAL"),
)
_OUTSIDE_POCKETS: Final = ("Willow Ventures Treasury", "Yarrow Health Operating", "Zephyr Labs Reserve")


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


def _clock(draws: Draws, first_minute: int, last_minute: int) -> time:
    minute = draws.between(first_minute, last_minute)
    return time(minute // 60, minute % 60, draws.below(60), draws.below(1_000_000))


def _booking(day: date, at: time, *, credit: bool) -> Booking:
    before_end, after_end = _bank_dates(day)
    bank_date = before_end if at < BUSINESS_DAY_END else after_end
    if not credit and not calendars.is_trading_day(bank_date):
        day = bank_date = calendars.next_trading_day(bank_date)
        at = at.replace(hour=9 + at.hour % 8)
    return Booking(calendars.new_york_instant(day, at), bank_date)


def _settled_at(booking: Booking, minutes: int) -> datetime:
    opening = calendars.new_york_instant(booking.bank_date, time(6, 0))
    return max(booking.moved_at + timedelta(minutes=minutes), opening)


def _details(kind: str, credit: bool, party: str, draws: Draws) -> dict[str, str | None]:
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
    title = {"ACH": "ACH", "WIRE": "Wire", "ON_US": "JikoNet transfer", "CARD": "Card", "FEE": "Wire fee"}[
        kind
    ]
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
    at = _clock(draws, 9 * 60, 11 * 60)
    return transaction(
        plan,
        "WIRE",
        credit=True,
        amount_cents=amount,
        booking=_booking(plan.opened_on, at, credit=True),
        counterparty="Customer's own bank",
        key=(seed, "opening"),
        details=_details("WIRE", True, plan.name, draws),
        description=f"Initial funding of {plan.name}",
    )


def closing_payment(plan: PocketPlan, seed: int, day: date, cash_cents: int) -> tuple[Transaction, ...]:
    """The wire that empties a pocket on the day it closes, and its fee; together they are `cash_cents`."""
    draws = Draws(seed, "closing", plan.number)
    booking = _booking(day, _clock(draws, 15 * 60 + 30, 16 * 60 + 30), credit=False)
    return _wire_out(
        plan,
        cash_cents - WIRE_FEE_CENTS,
        booking,
        "Customer's own bank",
        (seed, "closing"),
        _details("WIRE", False, plan.name, draws),
    )


def _wire_out(
    plan: PocketPlan,
    amount_cents: int,
    booking: Booking,
    counterparty: str,
    key: tuple[object, ...],
    details: Mapping[str, str | None],
) -> tuple[Transaction, ...]:
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


class _Day:
    """The movements of one pocket and calendar day while they are being drawn."""

    def __init__(
        self, plan: PocketPlan, seed: int, day: date, spendable_cents: int, partners: Sequence[PocketPlan]
    ) -> None:
        self.plan = plan
        self.day = day
        self.draws = Draws(seed, "activity", plan.number, day)
        self.seed = seed
        self.spendable = spendable_cents
        self.partners = partners
        self.made: list[Transaction] = []

    def _key(self) -> tuple[object, ...]:
        return (self.seed, self.day, len(self.made))

    def _share(self, base_cents: int, low_ppm: int, high_ppm: int) -> int:
        """A part of `base_cents`; small parts are likelier than large ones."""
        skew = self.draws.below(1000)
        ppm = low_ppm + (high_ppm - low_ppm) * skew * skew // 1_000_000
        amount = base_cents * ppm // 1_000_000
        if self.draws.happens(30) and amount > 1_000_000:
            return amount // 100_000 * 100_000
        return amount // 10_000 * 10_000 + self.draws.below(10_000) + 1

    def _payment(self, low_ppm: int, high_ppm: int) -> int | None:
        """The amount of a payment, taken from what may be spent; None where too little is on hand."""
        if self.spendable < _SMALLEST_SPENDABLE_CENTS:
            return None
        amount = self._share(min(self.spendable, 2 * self.plan.target_cents), low_ppm, high_ppm)
        self.spendable -= amount + WIRE_FEE_CENTS
        return amount

    def ach(self, first_minute: int = 7 * 60, last_minute: int = 18 * 60 + 29, *, credit: bool) -> None:
        amount = self._share(self.plan.target_cents, 20, 24_000) if credit else self._payment(20, 24_000)
        if amount is None:
            return
        party = self.draws.choice(_CUSTOMERS if credit else _SUPPLIERS)
        self.made.append(
            transaction(
                self.plan,
                "ACH",
                credit=credit,
                amount_cents=amount,
                booking=_booking(self.day, _clock(self.draws, first_minute, last_minute), credit=credit),
                counterparty=party,
                key=self._key(),
                details=_details("ACH", credit, party, self.draws),
            )
        )

    def wire(self, first_minute: int = 9 * 60, last_minute: int = 18 * 60 + 29, *, credit: bool) -> None:
        amount = (
            self._share(self.plan.target_cents, 4_000, 75_000) if credit else self._payment(4_000, 75_000)
        )
        if amount is None:
            return
        party = self.draws.choice(_CUSTOMERS if credit else _SUPPLIERS)
        booking = _booking(self.day, _clock(self.draws, first_minute, last_minute), credit=credit)
        details = _details("WIRE", credit, party, self.draws)
        if credit:
            self.made.append(
                transaction(
                    self.plan,
                    "WIRE",
                    credit=True,
                    amount_cents=amount,
                    booking=booking,
                    counterparty=party,
                    key=self._key(),
                    details=details,
                )
            )
        else:
            self.made.extend(_wire_out(self.plan, amount, booking, party, self._key(), details))

    def card(self) -> None:
        if self.spendable < _SMALLEST_SPENDABLE_CENTS:
            return
        amount = (
            self.draws.between(900, 60_000) if self.draws.happens(70) else self.draws.between(60_000, 400_000)
        )
        self.spendable -= amount
        merchant, location, merchant_type = self.draws.choice(_MERCHANTS)
        self.made.append(
            transaction(
                self.plan,
                "CARD",
                credit=False,
                amount_cents=amount,
                booking=_booking(self.day, _clock(self.draws, 7 * 60, 22 * 60 + 59), credit=False),
                counterparty=merchant,
                key=self._key(),
                details={
                    "location": location,
                    "merchant_type": merchant_type,
                    "terminal_id": f"{self.draws.below(10**8):08d}",
                    "card_id": drawn_uuid(self.seed, "card", self.plan.number),
                },
            )
        )

    def on_us_in(self, first_minute: int = 8 * 60, last_minute: int = 18 * 60 + 29) -> None:
        amount = self._share(self.plan.target_cents, 500, 20_000)
        booking = _booking(self.day, _clock(self.draws, first_minute, last_minute), credit=True)
        party = self.draws.choice(_OUTSIDE_POCKETS)
        self._on_us(self.plan, True, amount, booking, party, "PEER_TO_PEER", self._key())

    def on_us_out(self, first_minute: int = 8 * 60, last_minute: int = 18 * 60 + 29) -> None:
        amount = self._payment(500, 20_000)
        if amount is None:
            return
        booking = _booking(self.day, _clock(self.draws, first_minute, last_minute), credit=False)
        key = self._key()
        open_partners = [
            partner
            for partner in self.partners
            if partner.opened_on < self.day and _may_move(partner, booking.bank_date)
        ]
        if open_partners and self.draws.happens(70):
            partner = self.draws.choice(open_partners)
            kind = "INTERNAL_REALLOCATION"
            self._on_us(self.plan, False, amount, booking, partner.name, kind, key, partner.id)
            self._on_us(partner, True, amount, booking, self.plan.name, kind, key, self.plan.id)
        else:
            party = self.draws.choice(_OUTSIDE_POCKETS)
            self._on_us(self.plan, False, amount, booking, party, "PEER_TO_PEER", key)

    def _on_us(
        self,
        plan: PocketPlan,
        credit: bool,
        amount: int,
        booking: Booking,
        party: str,
        transfer_type: str,
        key: tuple[object, ...],
        other_pocket_id: str | None = None,
    ) -> None:
        shared = (*key, self.plan.number)
        sides: tuple[str | None, str | None] = (plan.id, other_pocket_id)
        source, target = reversed(sides) if credit else sides
        self.made.append(
            transaction(
                plan,
                "ON_US",
                credit=credit,
                amount_cents=amount,
                booking=booking,
                counterparty=party,
                key=(*key, self.plan.number, "on us"),
                transaction_key=shared,
                details={
                    "on_us_transfer_id": drawn_uuid("on us", *shared),
                    "on_us_transfer_type": transfer_type,
                    "source": source,
                    "target": target,
                },
            )
        )


def _may_move(plan: PocketPlan, day: date) -> bool:
    return plan.closes_on is None or day < plan.closes_on - _QUIET_BEFORE_CLOSING


def movements(
    plan: PocketPlan, seed: int, day: date, spendable_cents: int, partners: Sequence[PocketPlan]
) -> list[Transaction]:
    """The movements that `plan`'s customer makes on calendar `day`, both legs of transfers to `partners`.

    `spendable_cents` is what bills on hand are worth less payments under way. A payment moved to the next
    trading day is returned for the day on which it is made.
    """
    if day == plan.opened_on:
        return [opening_deposit(plan, seed)]
    if not _may_move(plan, day):
        return []
    drawn = _Day(plan, seed, day, spendable_cents, partners)
    happens = drawn.draws.happens
    if calendars.is_fed_business_day(day):
        if happens(10):
            return []
        usual: Sequence[tuple[int, int, Callable[[], None]]] = (
            (50, 3, lambda: drawn.ach(credit=True)),
            (46, 3, lambda: drawn.ach(credit=False)),
            (14, 1, lambda: drawn.wire(credit=True)),
            (14, 1, lambda: drawn.wire(credit=False)),
            (8, 1, drawn.on_us_in),
            (12, 1, drawn.on_us_out),
            (35, 2, drawn.card),
        )
        for percent, times, act in usual:
            if happens(percent):
                for _ in range(1 + drawn.draws.below(times)):
                    act()
        if happens(14):
            evening: Sequence[Callable[[], None]] = (
                lambda: drawn.wire(19 * 60, 20 * 60 + 59, credit=True),
                lambda: drawn.ach(19 * 60, 23 * 60 + 30, credit=True),
                lambda: drawn.on_us_out(19 * 60, 23 * 60 + 30),
                lambda: drawn.on_us_in(19 * 60, 23 * 60 + 30),
            )
            drawn.draws.choice(evening)()
    else:
        if happens(40):
            drawn.card()
        if happens(12):
            drawn.on_us_out(8 * 60, 22 * 60)
        if happens(10):
            drawn.on_us_in(8 * 60, 22 * 60)
    return drawn.made
