"""What the customer does: deposits, payments, card purchases and transfers of one pocket and calendar day.

Belongs here: which movements happen, when and how large, with whom. Does not belong here: when the bank books
them (`bookings`), what it does with the cash (`ledger`), how a movement is written (`documents`).

A payment is only made while bills on hand cover it.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Final

from jiko_pipeline import calendars
from jiko_pipeline.simulator.bookings import (
    WIRE_FEE_CENTS,
    Booking,
    booking_of,
    details_of,
    drawn_clock,
    opening_deposit,
    transaction,
    wire_out,
)
from jiko_pipeline.simulator.draws import Draws, drawn_uuid
from jiko_pipeline.simulator.model import Transaction
from jiko_pipeline.simulator.roster import PocketPlan

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
SUPPLIERS: Final = (
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
OUTSIDE_POCKETS: Final = ("Willow Ventures Treasury", "Yarrow Health Operating", "Zephyr Labs Reserve")


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
        party = self.draws.choice(_CUSTOMERS if credit else SUPPLIERS)
        self.made.append(
            transaction(
                self.plan,
                "ACH",
                credit=credit,
                amount_cents=amount,
                booking=booking_of(self.day, drawn_clock(self.draws, first_minute, last_minute), credit=credit),
                counterparty=party,
                key=self._key(),
                details=details_of("ACH", credit, party, self.draws),
            )
        )

    def wire(self, first_minute: int = 9 * 60, last_minute: int = 18 * 60 + 29, *, credit: bool) -> None:
        amount = self._share(self.plan.target_cents, 4_000, 75_000) if credit else self._payment(4_000, 75_000)
        if amount is None:
            return
        party = self.draws.choice(_CUSTOMERS if credit else SUPPLIERS)
        booking = booking_of(self.day, drawn_clock(self.draws, first_minute, last_minute), credit=credit)
        details = details_of("WIRE", credit, party, self.draws)
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
            self.made.extend(wire_out(self.plan, amount, booking, party, self._key(), details))

    def card(self) -> None:
        if self.spendable < _SMALLEST_SPENDABLE_CENTS:
            return
        amount = self.draws.between(900, 60_000) if self.draws.happens(70) else self.draws.between(60_000, 400_000)
        self.spendable -= amount
        merchant, location, merchant_type = self.draws.choice(_MERCHANTS)
        self.made.append(
            transaction(
                self.plan,
                "CARD",
                credit=False,
                amount_cents=amount,
                booking=booking_of(self.day, drawn_clock(self.draws, 7 * 60, 22 * 60 + 59), credit=False),
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
        booking = booking_of(self.day, drawn_clock(self.draws, first_minute, last_minute), credit=True)
        party = self.draws.choice(OUTSIDE_POCKETS)
        self._on_us(self.plan, True, amount, booking, party, "PEER_TO_PEER", self._key())

    def on_us_out(self, first_minute: int = 8 * 60, last_minute: int = 18 * 60 + 29) -> None:
        amount = self._payment(500, 20_000)
        if amount is None:
            return
        booking = booking_of(self.day, drawn_clock(self.draws, first_minute, last_minute), credit=False)
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
            party = self.draws.choice(OUTSIDE_POCKETS)
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

    `spendable_cents` is what bills on hand have cost less payments under way. A payment moved to the next
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
