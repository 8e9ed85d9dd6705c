"""Pockets, portals and trading strategies."""

from typing import Annotated, Literal

from pydantic import Field, Tag

from jiko_pipeline.bank.client.models.base import (
    Change,
    Day,
    DecimalText,
    Identifier,
    Instant,
    Known,
    Model,
    Money,
    Whole,
    kind_of,
)

PocketStatus = Annotated[str, Known(("PENDING", "OPEN", "FROZEN", "CLOSED"))]
PortalStatus = Annotated[str, Known(("OPEN", "CLOSED"))]
StrategyId = Annotated[str, Known(("UST-1W", "UST-4W", "UST-13W", "UST-26W", "UST-52W"))]
StrategyUse = Annotated[str, Known(("DEPOSIT", "REINVESTMENT"))]
EarningsPeriod = Literal["ytd", "mtd", "wtd", "all-time", "range"]


class OtherSecurity(Model):
    """A security in a portfolio; `quantity` is a number of bills of 100 USD, the price is per 100."""

    type: Annotated[str, Known(("FIXED_INCOME", "OTHER"))]
    quantity: Whole
    market_value: Money
    cusip: str = Field(min_length=9, max_length=9)
    jiko_mark_price: DecimalText
    description: str


class FixedIncomeSecurity(OtherSecurity):
    """A bill or another security that matures; the yield is a fraction (0.0625 is 6.25 %)."""

    maturity_date: Day
    yield_to_maturity: DecimalText


Security = Annotated[
    Annotated[FixedIncomeSecurity, Tag("FIXED_INCOME")] | Annotated[OtherSecurity, Tag("other")],
    kind_of("type", "FIXED_INCOME"),
]


class Portfolio(Model):
    """What a pocket holds now."""

    securities: tuple[Security, ...]
    cash: Money | None = None
    all_time_earnings: Money | None = None
    total_value: Money | None = None
    pricing_timestamp: Instant | None = None
    appreciation_per_second: DecimalText | None = None


class Pocket(Model):
    """A bank account and a brokerage account; `portfolio` is None when it was left out."""

    id: Identifier
    pocket_name: str
    portfolio: Portfolio | None = None
    status: PocketStatus
    attributes: tuple[str, ...] = ()
    deposit_strategy_id: StrategyId
    reinvestment_strategy_id: StrategyId | None = None
    type: str | None = None
    customer_id: Identifier | None = None
    object_type: str | None = None


class CreatePocketRequest(Model):
    """A pocket to be opened."""

    pocket_name: str
    trading_strategy_id: StrategyId
    reinvestment_strategy_id: StrategyId | None = None


class UpdatePocketRequest(Change):
    """What is to change of a pocket. Closing takes an empty pocket, another open one, and `closure_reason`."""

    pocket_name: str | None = None
    status: PocketStatus | None = None
    closure_reason: str | None = None
    deposit_strategy_id: StrategyId | None = None
    reinvestment_strategy_id: StrategyId | None = None


class PocketEarnings(Model):
    """What a pocket earned from `date_from` (None: since it was opened) to `date_to`, both included."""

    earnings: Money
    date_from: Day | None
    date_to: Day
    pricing_timestamp: Instant | None = None
    appreciation_per_second: DecimalText | None = None


class Portal(Model):
    """Account and routing number of a pocket, which is `jiko_account_id`."""

    id: Identifier
    jiko_account_id: Identifier
    routing_number: str = Field(repr=False)
    account_number: str = Field(repr=False)
    status: PortalStatus
    name: str


class ListPortalsResponse(Model):
    """Portals, all at once."""

    count: Whole
    portals: tuple[Portal, ...]
    object_type: str | None = None


class TradingStrategy(Model):
    """A strategy that a pocket can follow; yields are fractions."""

    id: StrategyId
    description: str
    yield_to_maturity: DecimalText | None = None
    discount_yield: DecimalText | None = None
    applicable_to: tuple[StrategyUse, ...]
