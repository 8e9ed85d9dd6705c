"""Bank-side transactions, trades, monthly statements and tax documents."""

from typing import Annotated

from pydantic import Field, Tag

from jiko_pipeline.bank.client.models.base import (
    Day,
    DecimalText,
    Direction,
    Flag,
    Identifier,
    Instant,
    Known,
    Model,
    Money,
    Whole,
    kind_of,
)

TransactionType = Annotated[str, Known(("ACH", "WIRE", "CARD", "ON_US", "FEE", "CREDIT", "GENERIC"))]
BookingStatus = Annotated[str, Known(("BOOKED", "SETTLED"))]
TradeActivity = Annotated[str, Known(("BUY", "SELL", "MATURITY"))]
StatementType = Annotated[str, Known(("BANK", "BROKERAGE", "1099INT", "1099B"))]


class TransactionActivity(Model):
    """A movement as one pocket sees it: `id` is of this view, `transaction_id` is shared by both sides."""

    type: TransactionType
    id: Identifier
    transaction_id: Identifier
    pocket_id: Identifier | None = None
    description: str
    title: str
    amount: Money
    direction: Direction
    status: BookingStatus
    time_booked: Instant
    time_settled: Instant | None


class ACHTransactionActivity(TransactionActivity):
    """A movement through the ACH network."""

    company_name: str | None = None
    company_entry_description: str | None = None
    individual_identification_number: str | None = None
    trace_number: str | None = None


class WireTransactionActivity(TransactionActivity):
    """A wire; `wire_id` is also the id of its transfer request."""

    wire_id: Identifier | None = None
    imad: str | None = None
    beneficiary: str | None = None


class CardTransactionActivity(TransactionActivity):
    """A movement by card."""

    card_id: Identifier | None = None
    counterparty: str | None = None
    merchant_type: str | None = None
    location: str | None = None
    terminal_id: str | None = None


class OnUsTransactionActivity(TransactionActivity):
    """A movement between pockets; `on_us_transfer_id` is also the id of its transfer request."""

    on_us_transfer_id: Identifier | None = None
    on_us_transfer_type: str | None = None
    source: str | None = None
    target: str | None = None
    end_to_end_identification: str | None = None


class FeeTransactionActivity(TransactionActivity):
    """A fee."""

    fee_type: str | None = None
    related_transaction_id: Identifier | None = None


class CreditTransactionActivity(TransactionActivity):
    """A credit."""


Transaction = Annotated[
    Annotated[ACHTransactionActivity, Tag("ACH")]
    | Annotated[WireTransactionActivity, Tag("WIRE")]
    | Annotated[CardTransactionActivity, Tag("CARD")]
    | Annotated[OnUsTransactionActivity, Tag("ON_US")]
    | Annotated[FeeTransactionActivity, Tag("FEE")]
    | Annotated[CreditTransactionActivity, Tag("CREDIT")]
    | Annotated[TransactionActivity, Tag("other")],
    kind_of("type", "ACH", "WIRE", "CARD", "ON_US", "FEE", "CREDIT"),
]
"""A movement of any type; one whose type we do not know is a plain `TransactionActivity`."""


class Trade(Model):
    """A trade in its older form; `jiko_account_id` is the pocket, `quantity` a number of bills, `price` per 100."""

    id: Identifier
    trade_datetime: Instant
    book_date: Day | None = None
    settled_date: Day | None = None
    is_settled: Flag
    activity: TradeActivity
    cusip: str = Field(min_length=9, max_length=9)
    description: str
    notional: Money
    quantity: Whole
    price: DecimalText
    maturity_date: Day
    jiko_account_id: Identifier
    yield_to_maturity: DecimalText
    tradable_id: str


class TradeV2(Model):
    """A trade in its newer form, transfers of securities included."""

    id: Identifier
    activity: TradeActivity
    trade_datetime: Instant
    book_date: Day
    settled_date: Day | None
    status: BookingStatus
    pocket_id: Identifier
    cusip: str | None = None
    description: str | None = None
    quantity: Whole | None = None
    price: DecimalText | None = None
    notional: Money | None = None
    maturity_date: Day | None = None
    yield_to_maturity: DecimalText | None = None
    counterparty_pocket_id: Identifier | None = None


class Statement(Model):
    """A monthly statement or a tax document as a PDF; `key` is YYYY-MM or YYYY, the link is of short life."""

    id: Identifier
    jiko_account_id: Identifier
    type: StatementType
    key: str = Field(pattern=r"^[0-9]{4}(-[0-9]{2})?$")
    pdf_download_url: str = Field(repr=False)
    time_created: Instant
