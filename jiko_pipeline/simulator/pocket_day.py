"""One pocket between two days and over one: what it holds, what is under way, what a business day did.

Belongs here: the records. Does not belong here: the rules by which a day comes about (`ledger`).
"""

from dataclasses import dataclass
from datetime import date

from jiko_pipeline.simulator.model import Bill, DatesSwitch, Position, Trade, Transaction
from jiko_pipeline.simulator.roster import PocketPlan


@dataclass(frozen=True, slots=True)
class Holding:
    """Bills of one CUSIP with what they cost (average cost, relieved pro rata)."""

    bill: Bill
    quantity: int
    cost_cents: int


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A trade that is made and not both booked and settled.

    `cost_cents` is what it adds to or relieves from cost; both amounts are unsigned.
    """

    activity: str
    bill: Bill
    quantity: int
    cash_cents: int
    cost_cents: int
    books_on: date
    settles_on: date

    @property
    def direction(self) -> int:
        """1 for bills to come in, -1 for bills to go out."""
        return 1 if self.activity == "BUY" else -1

    def is_due(self, basis: str, day: date) -> bool:
        """Whether the trade counts on `day` for a bank that goes by the `basis` TRADE, BOOK or SETTLE."""
        return basis == DatesSwitch.TRADED or (self.books_on if basis == DatesSwitch.BOOKED else self.settles_on) <= day


@dataclass(frozen=True, slots=True)
class Sweep:
    """What the bank account swept on `day`, unsigned."""

    day: date
    deposits_cents: int
    payments_cents: int


@dataclass(frozen=True, slots=True)
class PocketState:
    """A pocket after a business day: its bills by maturity and its brokerage cash as traded, and what is under way.

    `bills_value_cents`, `shown_cash_cents` and `closing_cents` are what the day's documents show of it.
    """

    holdings: tuple[Holding, ...] = ()
    cash_cents: int = 0
    bills_value_cents: int = 0
    shown_cash_cents: int = 0
    closing_cents: int = 0
    unsettled: tuple[Unsettled, ...] = ()
    in_transit: tuple[Sweep, ...] = ()

    @property
    def cost_cents(self) -> int:
        """What the customer goes by: bills at cost and cash, so that no payment depends on a mark."""
        arriving = sum(sweep.deposits_cents - sweep.payments_cents for sweep in self.in_transit)
        return sum(held.cost_cents for held in self.holdings) + self.cash_cents + arriving


@dataclass(frozen=True, slots=True)
class PocketDay:
    """One business day of one pocket. Amounts are unsigned cents but `gain_cents`, which is signed.

    `posted` are the sweeps that the brokerage account books on the day; `fee_through_bank` says that the fee left
    by a sweep of its own and was paid by the bank account.
    """

    plan: PocketPlan
    day: date
    before: PocketState
    after: PocketState
    transactions: tuple[Transaction, ...]
    trades: tuple[Trade, ...]
    positions: tuple[Position, ...]
    deposits_cents: int
    payments_cents: int
    fee_cents: int
    gain_cents: int
    posted: tuple[Sweep, ...] = ()
    fee_through_bank: bool = False
