"""The API's JSON listings of movements and pockets: all pages of one listing to one frame.

Belongs here: which items make which frame. Does not belong here: pages (`listing_reader`), what stands in an
item (`items`), people and paper (`parties`), requests and messages (`messages`), CSV of the same rows
(`delimited`).
"""

from collections.abc import Sequence
from typing import Final

from jiko_pipeline.formats.delimited.contracts import BOOKING_STATUSES, TRADE_ACTIVITIES, TRANSACTION_TYPES
from jiko_pipeline.formats.frames import API_TRADE, API_TRANSACTION, MONTHLY_STATEMENT, POCKET
from jiko_pipeline.formats.items import (
    MonthlyStatement,
    Pocket,
    TradeV1,
    TradeV2,
    Transaction,
    monthly_statement_row,
    pocket_row,
    trade_v1_row,
    trade_v2_row,
    transaction_row,
)
from jiko_pipeline.formats.listing_reader import MOST_BYTES_A_PAGE as MOST_BYTES_A_PAGE
from jiko_pipeline.formats.listing_reader import Listing, read_listing
from jiko_pipeline.formats.listing_reader import items_of as items_of
from jiko_pipeline.formats.reading import Expectation, Reading

_POCKET_STATUSES: Final = frozenset({"PENDING", "OPEN", "FROZEN", "CLOSED"})
_STATEMENT_TYPES: Final = frozenset({"BANK", "BROKERAGE", "1099INT", "1099B"})


def read_transactions(parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """GET /api/v2/transactions/, all pages: frame api_transaction."""
    return read_listing(_TRANSACTIONS, parts, expectation)


def read_trades_v1(parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """GET /api/v1/trades/, all pages: frame api_trade."""
    return read_listing(_TRADES_V1, parts, expectation)


def read_trades_v2(parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """GET /api/v2/trades/, all pages: frame api_trade."""
    return read_listing(_TRADES_V2, parts, expectation)


def read_pockets(parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """GET /api/v2/pockets/, all pages: frame pocket. Live valuations are left out."""
    return read_listing(_POCKETS, parts, expectation)


def read_monthly_statements(parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """GET /api/v1/statements/, all pages: frame monthly_statement."""
    return read_listing(_MONTHLY_STATEMENTS, parts, expectation)


_TRANSACTIONS: Final = Listing(
    API_TRANSACTION,
    Transaction,
    transaction_row,
    {"transaction_type": TRANSACTION_TYPES, "transaction_status": BOOKING_STATUSES},
    "booked_at_utc",
    "pocket_id",
)
_TRADE_WORDS: Final = {"activity": TRADE_ACTIVITIES, "trade_status": BOOKING_STATUSES}
_TRADES_V1: Final = Listing(API_TRADE, TradeV1, trade_v1_row, _TRADE_WORDS, "traded_at_utc", "pocket_id")
_TRADES_V2: Final = Listing(API_TRADE, TradeV2, trade_v2_row, _TRADE_WORDS, "traded_at_utc", "pocket_id")
_POCKETS: Final = Listing(POCKET, Pocket, pocket_row, {"pocket_status": _POCKET_STATUSES}, None, "pocket_id")
_MONTHLY_STATEMENTS: Final = Listing(
    MONTHLY_STATEMENT,
    MonthlyStatement,
    monthly_statement_row,
    {"statement_type": _STATEMENT_TYPES},
    None,
    "pocket_id",
)
