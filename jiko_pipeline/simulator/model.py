"""What the simulated bank knows and says: plain frozen records, money in integer cents, prices in millionths.

Belongs here: the records that pass between the ledger, the documents and the server. Does not belong here:
how they come about (`ledger`), how a planted fault changes them (`faults`), how they are written (`documents`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class SettlementSwitch(StrEnum):
    """When a trade settles."""

    T0 = "T0"
    T1 = "T1"


class DatesSwitch(StrEnum):
    """From which date on a trade counts in positions and cash."""

    TRADED = "TRADE"
    SETTLED = "SETTLE"
    BOOKED = "BOOK"


class BookingSwitch(StrEnum):
    """When a purchase or sale is booked.

    LATE: trades of the evening are booked, and settle, on the next trading day; a trade whose booking was corrected
    settles when it was agreed to and is booked on the next trading day.
    """

    SAME_DAY = "SAME_DAY"
    LATE = "LATE"


class RoundingSwitch(StrEnum):
    """What is rounded to cents in the closing value: the value of each bill, or that of all bills once."""

    EACH_BILL = "EACH_BILL"
    TOTAL = "TOTAL"


class CloseBasisSwitch(StrEnum):
    """What the closing balance of a brokerage statement holds."""

    BILLS_AND_CASH = "MV+CASH"
    BILLS = "MV"
    BILLS_CASH_AND_PENDING = "MV+CASH+PEND"


class GainSwitch(StrEnum):
    """How the gain line of a brokerage statement is computed."""

    ECONOMIC = "ECONOMIC"
    PLUG = "PLUG"


class FeePathSwitch(StrEnum):
    """Where the management fee is charged."""

    BROKERAGE = "BROKERAGE"
    BANK = "BANK"


class SweepPostingSwitch(StrEnum):
    """When the two legs of a sweep are posted."""

    SAME_DAY = "SAME_DAY"
    NEXT_DAY = "NEXT_DAY"


class MarkSwitch(StrEnum):
    """Which settlement date a day's mark assumes."""

    SETTLES_SAME_DAY = "T0"
    SETTLES_NEXT_DAY = "T1"


@dataclass(frozen=True, slots=True)
class WorldConfig:
    """Everything the bank depends on: two worlds with equal configs are the same bank, byte for byte.

    `start` is the first day of the data; one pocket is older than it. The world has no end: a day's facts
    depend on the days before it only.
    """

    seed: int = 7
    pockets: int = 4
    start: date = date(2024, 6, 3)
    camt_version: str = "08"
    fault: str | None = None
    settlement: SettlementSwitch = SettlementSwitch.T0
    close_basis: CloseBasisSwitch = CloseBasisSwitch.BILLS_AND_CASH
    gain: GainSwitch = GainSwitch.ECONOMIC
    fee_path: FeePathSwitch = FeePathSwitch.BROKERAGE
    sweep_posting: SweepPostingSwitch = SweepPostingSwitch.SAME_DAY
    mark: MarkSwitch = MarkSwitch.SETTLES_SAME_DAY
    dates: DatesSwitch = DatesSwitch.TRADED
    bookings: BookingSwitch = BookingSwitch.SAME_DAY
    rounding: RoundingSwitch = RoundingSwitch.EACH_BILL


@dataclass(frozen=True, slots=True)
class LedgerBasis:
    """How the bank of a config books, in the words that a reader of its documents would confirm."""

    pos_basis: str
    cash_basis: str
    close_basis: str
    gain_basis: str
    fee_path: str
    mark_settlement: str


def ledger_basis(config: WorldConfig) -> LedgerBasis:
    """The truth about a world. A close with pending trades holds traded bills and settled cash, whatever `dates`."""
    pending = config.close_basis is CloseBasisSwitch.BILLS_CASH_AND_PENDING
    return LedgerBasis(
        pos_basis=DatesSwitch.TRADED if pending else config.dates,
        cash_basis=DatesSwitch.SETTLED if pending else config.dates,
        close_basis=config.close_basis,
        gain_basis=config.gain,
        fee_path=config.fee_path,
        mark_settlement=config.mark,
    )


@dataclass(frozen=True, slots=True)
class Bill:
    """A Treasury bill that pockets may hold; `generated` when it lies past Treasury's published table."""

    cusip: str
    security_term: str
    issue_date: date
    maturity_date: date
    generated: bool


@dataclass(frozen=True, slots=True)
class Pocket:
    """A bank account and a brokerage account. `account_number` is the bank account's.

    `opened_on` is the day of the first money, `date.max` while there was none; `created_at` is known of a pocket
    that was opened through the API.
    """

    id: str
    name: str
    strategy_id: str
    opened_on: date
    closed_on: date | None
    account_number: str
    reinvestment_strategy_id: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A bank-side movement other than a sweep. `amount_cents` is unsigned; `credit` from the pocket's view.

    `bank_date` is the Fed business day on whose statement it is booked; `bank_reference` its reference there.
    """

    id: str
    transaction_id: str
    pocket_id: str
    type: str
    credit: bool
    amount_cents: int
    booked_at: datetime
    settled_at: datetime
    bank_date: date
    bank_reference: str
    title: str
    description: str
    counterparty: str
    details: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trade:
    """A purchase, sale or maturity; `cash_cents` is unsigned."""

    id: str
    pocket_id: str
    activity: str
    bill: Bill
    quantity: int
    price_micros: int
    cash_cents: int
    traded_at: datetime
    book_date: date
    settlement_date: date
    yield_to_maturity: str
    reference: str


@dataclass(frozen=True, slots=True)
class Position:
    """Bills of one CUSIP that a pocket holds at the end of a day."""

    cusip: str
    quantity: int
    mark_micros: int
    market_value_cents: int
    historical_cost_cents: int


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One booking as a statement shows it. `amount_cents` is unsigned and positive."""

    reference: str
    end_to_end_id: str
    code: str
    credit: bool
    amount_cents: int
    booking_date: date
    value_date: date
    counterparty: str
    remittance: str


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """What a BANK or BROKERAGE statement of one pocket and day says."""

    kind: str
    pocket: Pocket
    day: date
    previous_day: date
    sequence_number: int
    opening_cents: int
    closing_cents: int
    lines: tuple[StatementLine, ...]
    provisional: bool
    corrupt: bool = False


@dataclass(frozen=True, slots=True)
class PositionSummary:
    """What a POSITION_SUMMARY_REPORT of one pocket and day says."""

    pocket: Pocket
    day: date
    positions: tuple[Position, ...]
    cash_cents: int


@dataclass(frozen=True, slots=True)
class Mark:
    """The end-of-day price of a bill, per 100 of face, in millionths."""

    cusip: str
    day: date
    price_micros: int


@dataclass(frozen=True, slots=True)
class MonthlyStatement:
    """One monthly document of a pocket."""

    id: str
    pocket_id: str
    type: str
    key: str
    created_at: datetime
