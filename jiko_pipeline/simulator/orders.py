"""What the customer ordered through the API, as the ledger takes it: pockets, changes of pockets, transfers.

Belongs here: the orders as records, when a transfer is paid, the movements that it makes. Does not belong here:
who may order what (`server`), what the bank does with the cash (`ledger`).

An order changes nothing before the moment at which it was given. So a payment that is ordered when the day's
sale of bills may have begun, or on a day on which bills do not trade, is made on the next trading day.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from jiko_pipeline import calendars
from jiko_pipeline.calendars import NEW_YORK
from jiko_pipeline.simulator.bookings import BUSINESS_DAY_END, Booking, transaction, wire_of_all, wire_out
from jiko_pipeline.simulator.draws import Draws, drawn_uuid
from jiko_pipeline.simulator.model import Transaction
from jiko_pipeline.simulator.roster import TERM_OF_STRATEGY, PocketChange, PocketPlan

PAID_THE_SAME_DAY_UNTIL: Final = time(14, 0)
"""New York time from which bills are sold, hence from which an order is paid on the next trading day."""
PENDING_FOR: Final = timedelta(seconds=10)
"""How long a new pocket is PENDING before it is OPEN."""


class TransferKind(StrEnum):
    """The ways in which money leaves a pocket by order. All but wires are on-us transfers."""

    WIRE = "WIRE"
    PEER_TO_PEER = "PEER_TO_PEER"
    INTERNAL_REALLOCATION = "INTERNAL_REALLOCATION"


@dataclass(frozen=True, slots=True)
class OpenedPocket:
    """A pocket opened through the API. It has a life in the ledger from the day of its first money on."""

    number: int
    id: str
    name: str
    strategy_id: str
    reinvestment_strategy_id: str
    account_number: str
    opened_at: datetime

    def plan(self, funded_on: date) -> PocketPlan:
        """The pocket in the ledger, given the day of its first money."""
        return PocketPlan(
            number=self.number,
            id=self.id,
            name=self.name,
            strategy_id=self.strategy_id,
            term=TERM_OF_STRATEGY[self.strategy_id],
            account_number=self.account_number,
            opened_on=funded_on,
            closes_on=None,
            target_cents=0,
            reinvestment_strategy_id=self.reinvestment_strategy_id,
            created_at=self.opened_at,
            is_drawn=False,
        )


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer that was approved at `approved_at`; `id` is the caller's.

    `amount_cents` None empties the pocket. `counterparty` is the name of the other side, `target_id` the pocket
    that receives an internal reallocation.
    """

    id: str
    kind: TransferKind
    origin_id: str
    amount_cents: int | None
    approved_at: datetime
    counterparty: str
    target_id: str | None = None
    description: str | None = None
    end_to_end_identification: str | None = None

    @property
    def approved_on(self) -> date:
        """The New York day of the approval."""
        return calendars.new_york_date(self.approved_at)

    @property
    def booking(self) -> Booking:
        """When the money leaves, and the business day of it.

        A wire and a payment to another customer leave at once; money for another pocket and all of a pocket's
        money leave on the trading day after the business day of the approval.
        """
        day = self.approved_on
        if self.kind is TransferKind.INTERNAL_REALLOCATION or self.amount_cents is None:
            day = calendars.next_trading_day(calendars.business_date_of(self.approved_at, BUSINESS_DAY_END))
        elif calendars.is_trading_day(day) and self.approved_at.astimezone(NEW_YORK).time() < PAID_THE_SAME_DAY_UNTIL:
            return Booking(self.approved_at, day)
        else:
            day = calendars.next_trading_day(day)
        draws = Draws("transfer", self.id)
        at = time(9, draws.below(60), draws.below(60), draws.below(1_000_000))
        return Booking(calendars.new_york_instant(day, at), day)


@dataclass(frozen=True, slots=True)
class Orders:
    """Everything ordered so far, each kind in the order of time."""

    pockets: tuple[OpenedPocket, ...] = ()
    changes: tuple[PocketChange, ...] = ()
    transfers: tuple[Transfer, ...] = ()

    def changes_of(self, pocket_id: str) -> tuple[PocketChange, ...]:
        """The changes of one pocket."""
        return tuple(change for change in self.changes if change.pocket_id == pocket_id)


def plans(drawn: tuple[PocketPlan, ...], orders: Orders) -> tuple[PocketPlan, ...]:
    """The pockets with a life in the ledger: those that were drawn, then funded ones in the order of opening."""
    living = list(drawn)
    for opened in orders.pockets:
        funded = [row.booking.bank_date for row in orders.transfers if row.target_id == opened.id]
        if funded:
            living.append(opened.plan(min(funded)))
    return tuple(plan.changed(orders.changes_of(plan.id)) for plan in living)


@dataclass(frozen=True, slots=True)
class Book:
    """The transfers by what the ledger looks them up by."""

    of_day: Mapping[date, tuple[Transfer, ...]] = field(default_factory=dict)
    """Transfers of a known amount by the day of their approval."""
    emptying: Mapping[tuple[str, date], Transfer] = field(default_factory=dict)
    """Transfers of all the money of a pocket by (pocket, business day)."""
    first_payment: Mapping[str, date] = field(default_factory=dict)
    """The day of the first approval of a payment from a pocket."""
    emptied: Mapping[str, tuple[tuple[date, date], ...]] = field(default_factory=dict)
    """By pocket: (approval, business day) of each transfer of all its money."""

    def is_being_emptied(self, pocket_id: str, day: date) -> bool:
        """True from the day after the approval to the business day of a transfer of all the money."""
        return any(approved < day <= paid for approved, paid in self.emptied.get(pocket_id, ()))


def book(orders: Orders) -> Book:
    """The transfers of `orders`, indexed."""
    of_day: defaultdict[date, list[Transfer]] = defaultdict(list)
    emptying: dict[tuple[str, date], Transfer] = {}
    first: dict[str, date] = {}
    emptied: defaultdict[str, list[tuple[date, date]]] = defaultdict(list)
    for transfer in orders.transfers:
        first[transfer.origin_id] = min(transfer.approved_on, first.get(transfer.origin_id, date.max))
        if transfer.amount_cents is None:
            paid_on = transfer.booking.bank_date
            emptying[transfer.origin_id, paid_on] = transfer
            emptied[transfer.origin_id].append((transfer.approved_on, paid_on))
        else:
            of_day[transfer.approved_on].append(transfer)
    return Book(
        {day: tuple(rows) for day, rows in of_day.items()},
        emptying,
        first,
        {pocket_id: tuple(rows) for pocket_id, rows in emptied.items()},
    )


def movements_of(
    transfer: Transfer, amount_cents: int, origin: PocketPlan, target: PocketPlan | None
) -> tuple[Transaction, ...]:
    """The movements of a transfer: a wire and its fee, a payment, or both legs of a reallocation.

    `amount_cents` is what the other side receives, but for a wire of all the money: there it holds the fee. No
    money makes no movement.
    """
    if amount_cents <= 0:
        return ()
    booking = transfer.booking
    key = ("transfer", transfer.id)
    details: dict[str, str | None] = {"end_to_end_identification": transfer.end_to_end_identification}
    if transfer.kind is TransferKind.WIRE:
        draws = Draws("wire", transfer.id)
        imad = f"MMQFMP{draws.below(100):02d}{draws.below(10**6):06d}"
        details |= {"wire_id": transfer.id, "imad": imad, "beneficiary": transfer.counterparty}
        write = wire_out if transfer.amount_cents is not None else wire_of_all
        wire, *fees = write(origin, amount_cents, booking, transfer.counterparty, key, details)
        linked = {"related_transaction_id": transfer.id}
        return _worded(wire, transfer), *(replace(fee, details={**fee.details, **linked}) for fee in fees)
    details |= {
        "on_us_transfer_id": transfer.id,
        "on_us_transfer_type": transfer.kind.value,
        "source": origin.id,
        "target": None if target is None else target.id,
    }
    legs = [(origin, False, transfer.counterparty if target is None else target.name)]
    if target is not None:
        legs.append((target, True, origin.name))
    return tuple(
        _worded(
            transaction(
                plan,
                "ON_US",
                credit=credit,
                amount_cents=amount_cents,
                booking=booking,
                counterparty=party,
                key=key,
                details=details,
            ),
            transfer,
        )
        for plan, credit, party in legs
    )


def _worded(row: Transaction, transfer: Transfer) -> Transaction:
    """The movement with the id of the transfer and the customer's own words: description, end-to-end id."""
    words = [transfer.description or row.description, transfer.end_to_end_identification]
    return replace(row, transaction_id=transfer.id, description=" / ".join(filter(None, words)))


def account_number(seed: int, number: int) -> str:
    """The bank account number of the pocket of a plan number that was opened through the API."""
    return f"{Draws(seed, 'opened pocket', number).below(10**12):012d}"


def pocket_id(seed: int, number: int) -> str:
    """The id of the pocket of a plan number that was opened through the API."""
    return drawn_uuid(seed, "opened pocket", number)
