"""The layout of each CSV document: separator, and which column fills which field.

Belongs here: names of columns, and what each document restricts beyond its columns' types. Jiko documents
what its reports mean and not how they are laid out; `docs/simulated-jiko.md` is where these layouts are
written down, and a bank that differs needs another `Contract`, not another reader. Does not belong here: how
values are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from jiko_pipeline.formats.frames import (
    API_TRADE,
    API_TRANSACTION,
    POSITION,
    SECURITY_PRICE,
    SECURITY_REFERENCE,
    TRADE_REPORT,
    FrameSpec,
)
from jiko_pipeline.formats.message_frames import AUDIT_LOG


class Rule(StrEnum):
    """What a value must be beyond its type; a row that breaks it is kept aside."""

    POSITIVE = "positive"
    NOT_NEGATIVE = "not_negative"
    PRICE = "price"
    CUSIP = "cusip"
    CURRENCY = "currency"


_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_NO_RULES: Final[Mapping[str, Rule]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Contract:
    """One layout.

    `columns` maps the header's names to fields of `frame` (or to a name the reader of this document knows).
    `constants` maps a header's name to the only value its rows may have. `fixed` gives fields their value for
    every row. `words` names the fields with a known, open list of words. `day` is the field, a date or an
    instant, that must lie in the days asked for; `pocket` the one that must name a pocket asked for.
    """

    kind: str
    separator: str
    frame: FrameSpec
    columns: Mapping[str, str]
    constants: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    fixed: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    rules: Mapping[str, Rule] = field(default_factory=lambda: _NO_RULES)
    words: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    day: str | None = None
    pocket: str | None = None

    @property
    def header(self) -> tuple[str, ...]:
        """Names of all columns the document must have."""
        return (*self.constants, *self.columns)


_SIDES: Final = frozenset({"BUY", "SELL"})
_TRADE_COLUMNS: Final = {
    "Transaction Code": "transaction_code",
    "Side": "side",
    "CUSIP": "cusip",
    "Issuer": "issuer",
    "Issue Date": "issue_date",
    "Maturity Date": "maturity_date",
    "Trade Date": "trade_date",
    "Settlement Date": "settlement_date",
    "Book Date": "book_date",
    "Quantity": "quantity",
    "Price": "price",
    "Amount": "amount",
    "Custodian": "custodian",
}
_TRADE_RULES: Final = {
    "cusip": Rule.CUSIP,
    "quantity": Rule.POSITIVE,
    "price": Rule.PRICE,
    "amount": Rule.NOT_NEGATIVE,
}

TRADE_REPORT_CSV: Final = Contract(
    kind="TRADE_REPORT_CSV",
    separator=",",
    frame=TRADE_REPORT,
    columns={"Trade Reference": "trade_reference", "Pocket ID": "pocket_id", **_TRADE_COLUMNS},
    fixed={"output_format": "CSV"},
    rules=_TRADE_RULES,
    words={"side": _SIDES},
    day="trade_date",
    pocket="pocket_id",
)

TRADE_REPORT_KYRIBA_CSV: Final = Contract(
    kind="TRADE_REPORT_KYRIBA_CSV",
    separator=";",
    frame=TRADE_REPORT,
    columns={"Reference": "trade_reference", "Entity": "pocket_id", **_TRADE_COLUMNS},
    constants={"Type": "TR", "Provider": "JIKO"},
    fixed={"output_format": "KYRIBA_CSV"},
    rules=_TRADE_RULES,
    words={"side": _SIDES},
    day="trade_date",
    pocket="pocket_id",
)

SECURITY_PRICE_KYRIBA_CSV: Final = Contract(
    kind="SECURITY_PRICE",
    separator=";",
    frame=SECURITY_PRICE,
    columns={"Provider": "provider", "CUSIP": "cusip", "Pricing Date": "price_date", "Price": "price"},
    constants={"Type": "SE"},
    rules={"cusip": Rule.CUSIP, "price": Rule.PRICE},
    day="price_date",
)

POSITION_CSV: Final = Contract(
    kind="POSITION",
    separator=",",
    frame=POSITION,
    columns={
        "As Of Date": "as_of_date",
        "Pocket": "pocket_id",
        "CUSIP": "cusip",
        "Quantity": "quantity",
        "Market Price": "market_price",
        "Market Value": "market_value",
        "Historical Cost Value": "historical_cost",
    },
    rules={"cusip": Rule.CUSIP, "quantity": Rule.NOT_NEGATIVE, "market_price": Rule.PRICE},
    day="as_of_date",
    pocket="pocket_id",
)

CASH_CUSIP: Final = "CASH"
"""What stands in the CUSIP column of the row that states a pocket's cash."""

TRANSACTION_TYPES: Final = frozenset({"ACH", "WIRE", "CARD", "ON_US", "FEE", "CREDIT", "GENERIC"})
BOOKING_STATUSES: Final = frozenset({"BOOKED", "SETTLED"})
TRADE_ACTIVITIES: Final = frozenset({"BUY", "SELL", "MATURITY"})

TRANSACTIONS_CSV: Final = Contract(
    kind="API_TRANSACTIONS_CSV",
    separator=",",
    frame=API_TRANSACTION,
    columns={
        "id": "activity_id",
        "transaction_id": "transaction_id",
        "pocket_id": "pocket_id",
        "type": "transaction_type",
        "status": "transaction_status",
        "direction": "direction",
        "amount": "signed_amount",
        "currency": "currency",
        "time_booked": "booked_at_utc",
        "time_settled": "settled_at_utc",
        "title": "title",
        "description": "description",
    },
    rules={"signed_amount": Rule.NOT_NEGATIVE, "currency": Rule.CURRENCY},
    words={"transaction_type": TRANSACTION_TYPES, "transaction_status": BOOKING_STATUSES},
    day="booked_at_utc",
    pocket="pocket_id",
)

TRADES_CSV: Final = Contract(
    kind="API_TRADES_CSV",
    separator=",",
    frame=API_TRADE,
    columns={
        "id": "trade_id",
        "account_id": "pocket_id",
        "activity": "activity",
        "cusip": "cusip",
        "description": "description",
        "quantity": "quantity",
        "price": "price",
        "notional": "notional",
        "currency": "currency",
        "trade_datetime": "traded_at_utc",
        "book_date": "book_date",
        "settled_date": "settlement_date",
        "is_settled": "trade_status",
        "maturity_date": "maturity_date",
        "yield_to_maturity": "yield_to_maturity",
        "tradable_id": "tradable_id",
    },
    rules={
        "cusip": Rule.CUSIP,
        "quantity": Rule.POSITIVE,
        "price": Rule.PRICE,
        "notional": Rule.NOT_NEGATIVE,
        "currency": Rule.CURRENCY,
    },
    words={"activity": TRADE_ACTIVITIES},
    day="traded_at_utc",
    pocket="pocket_id",
)

AUDIT_LOGS_CSV: Final = Contract(
    kind="AUDIT_LOGS_CSV",
    separator=",",
    frame=AUDIT_LOG,
    columns={
        "id": "entry_id",
        "timestamp": "occurred_at_utc",
        "member_id": "member_id",
        "action": "action",
        "details": "action_details",
        "ip_address": "ip_address",
    },
    day="occurred_at_utc",
)

REFERENCE_CSV: Final = Contract(
    kind="SECURITY_REFERENCE",
    separator=",",
    frame=SECURITY_REFERENCE,
    columns={
        "cusip": "cusip",
        "security_term": "security_term",
        "auction_date": "auction_date",
        "issue_date": "issue_date",
        "maturity_date": "maturity_date",
        "price_per_100": "auction_price",
    },
    fixed={"reference_source": "SIMULATED"},
    rules={"cusip": Rule.CUSIP, "auction_price": Rule.PRICE},
)

CONTRACTS: Final = (
    TRADE_REPORT_CSV,
    TRADE_REPORT_KYRIBA_CSV,
    SECURITY_PRICE_KYRIBA_CSV,
    POSITION_CSV,
    TRANSACTIONS_CSV,
    TRADES_CSV,
    AUDIT_LOGS_CSV,
    REFERENCE_CSV,
)
"""Every layout that is known."""
