"""The frames that reading produces, each declared once: columns, SQL types, comments.

Belongs here: one declaration for each kind of row that statements, reports and listings of movements hold, and
the list of all frames. The warehouse builds its staging tables from these same declarations. Does not belong
here: provenance (`jiko_pipeline.warehouse` adds it to each row), people and paper (`party_frames`), requests and
messages (`message_frames`), and anything that spans documents.
"""

from typing import Final

from jiko_pipeline.formats.camt053.frames import STATEMENT_FRAMES
from jiko_pipeline.formats.frame_spec import LOCATOR as LOCATOR
from jiko_pipeline.formats.frame_spec import MONEY as MONEY
from jiko_pipeline.formats.frame_spec import PRICE as PRICE
from jiko_pipeline.formats.frame_spec import YIELD as YIELD
from jiko_pipeline.formats.frame_spec import Column as Column
from jiko_pipeline.formats.frame_spec import FrameSpec as FrameSpec
from jiko_pipeline.formats.frame_spec import Role as Role
from jiko_pipeline.formats.frame_spec import content as _c
from jiko_pipeline.formats.list_frames import LIST_FRAMES
from jiko_pipeline.formats.message_frames import MESSAGE_FRAMES
from jiko_pipeline.formats.party_frames import PARTY_FRAMES

TRADE_REPORT = FrameSpec(
    "trade_report",
    "One row of a TRADE_REPORT: a purchase or a sale.",
    (
        _c(
            "output_format",
            "VARCHAR",
            "Form of the report the row was read from: CSV or KYRIBA_CSV.",
            required=True,
        ),
        _c(
            "trade_reference",
            "VARCHAR",
            "Reference of the trade; equals the trade id of the API.",
            required=True,
        ),
        _c("pocket_id", "VARCHAR", "Pocket that traded.", required=True),
        _c("transaction_code", "VARCHAR", "Transaction code of the trading entity."),
        _c("side", "VARCHAR", "BUY or SELL.", required=True),
        _c("cusip", "VARCHAR", "CUSIP of the bill.", required=True),
        _c("issuer", "VARCHAR", "Issuer of the security."),
        _c("issue_date", "DATE", "Issue date of the security."),
        _c("maturity_date", "DATE", "Maturity date of the security."),
        _c("trade_date", "DATE", "Trade date.", required=True),
        _c("settlement_date", "DATE", "Settlement date."),
        _c("book_date", "DATE", "Book date."),
        _c("quantity", "BIGINT", "Number of bills.", required=True),
        _c("price", PRICE, "Price per 100 of face.", required=True),
        _c("amount", MONEY, "Cash amount of the trade, unsigned.", required=True),
        _c("custodian", "VARCHAR", "Custodian."),
        LOCATOR,
    ),
    ("output_format", "trade_reference"),
)

SECURITY_PRICE = FrameSpec(
    "security_price",
    "One end-of-day price of a SECURITY_PRICE_REPORT.",
    (
        _c("cusip", "VARCHAR", "CUSIP of the bill.", required=True),
        _c("price_date", "DATE", "Pricing date.", required=True),
        _c("price", PRICE, "End-of-day price per 100 of face.", required=True),
        _c("provider", "VARCHAR", "Who states the price."),
        LOCATOR,
    ),
    ("cusip", "price_date"),
)

POSITION = FrameSpec(
    "position",
    "One security held, from a POSITION_SUMMARY_REPORT.",
    (
        _c("pocket_id", "VARCHAR", "Pocket that holds it.", required=True),
        _c("as_of_date", "DATE", "Date of the position.", required=True),
        _c("cusip", "VARCHAR", "CUSIP of the bill.", required=True),
        _c("quantity", "BIGINT", "Number of bills.", required=True),
        _c("market_price", PRICE, "Price per 100 of face the position is valued at.", required=True),
        _c("market_value", MONEY, "Market value.", required=True),
        _c("historical_cost", MONEY, "Historical cost."),
        LOCATOR,
    ),
    ("pocket_id", "as_of_date", "cusip"),
)

POSITION_CASH = FrameSpec(
    "position_cash",
    "The residual cash of a pocket, from a POSITION_SUMMARY_REPORT.",
    (
        _c("pocket_id", "VARCHAR", "Pocket that holds it.", required=True),
        _c("as_of_date", "DATE", "Date of the position.", required=True),
        _c("cash", MONEY, "Cash in the brokerage account.", required=True),
        LOCATOR,
    ),
    ("pocket_id", "as_of_date"),
)

API_TRANSACTION = FrameSpec(
    "api_transaction",
    "One bank-side movement as GET /api/v2/transactions/ states it; sweeps are not among them.",
    (
        _c("activity_id", "VARCHAR", "Id of the movement as seen from this pocket.", required=True),
        _c("transaction_id", "VARCHAR", "Id of the transaction, shared by both of its sides.", required=True),
        _c("pocket_id", "VARCHAR", "Pocket that moved.", required=True),
        _c(
            "transaction_type",
            "VARCHAR",
            "ACH, WIRE, CARD, ON_US, FEE, CREDIT, GENERIC; an open list.",
            required=True,
        ),
        _c("transaction_status", "VARCHAR", "BOOKED or SETTLED; an open list.", required=True),
        _c("direction", "VARCHAR", "CREDIT or DEBIT from the pocket's view.", required=True),
        _c("signed_amount", MONEY, "Amount, positive when credited.", required=True),
        _c("currency", "VARCHAR", "Currency, ISO 4217.", required=True),
        _c("booked_at_utc", "TIMESTAMP", "When it was booked into the ledger, UTC.", required=True),
        _c("settled_at_utc", "TIMESTAMP", "When it settled, UTC; null until then."),
        _c("title", "VARCHAR", "Title."),
        _c("description", "VARCHAR", "Description."),
        _c("details", "VARCHAR", "Fields of the type and unknown fields, as JSON with sorted keys."),
        LOCATOR,
    ),
    ("activity_id",),
)

API_TRADE = FrameSpec(
    "api_trade",
    "One trade as the trades endpoints state it: purchase, sale, maturity, transfer in kind.",
    (
        _c("trade_id", "VARCHAR", "Id of the trade.", required=True),
        _c("pocket_id", "VARCHAR", "Pocket that traded.", required=True),
        _c("activity", "VARCHAR", "BUY, SELL, MATURITY; an open list.", required=True),
        _c("cusip", "VARCHAR", "CUSIP of the bill."),
        _c("quantity", "BIGINT", "Number of bills."),
        _c("price", PRICE, "Price per 100 of face."),
        _c("notional", MONEY, "Money amount of the trade, unsigned."),
        _c("currency", "VARCHAR", "Currency, ISO 4217."),
        _c("traded_at_utc", "TIMESTAMP", "When it was traded, UTC.", required=True),
        _c("book_date", "DATE", "Book date."),
        _c("settlement_date", "DATE", "Settlement date; null until settled."),
        _c("trade_status", "VARCHAR", "BOOKED or SETTLED; an open list."),
        _c("maturity_date", "DATE", "Maturity date of the bill."),
        _c("yield_to_maturity", YIELD, "Yield to maturity as a fraction."),
        _c("tradable_id", "VARCHAR", "Jiko's id of the security."),
        _c("description", "VARCHAR", "Description of the security."),
        LOCATOR,
    ),
    ("trade_id",),
)

MONTHLY_STATEMENT = FrameSpec(
    "monthly_statement",
    "One monthly or yearly document that GET /api/v1/statements/ lists; its link is never kept.",
    (
        _c("monthly_statement_id", "VARCHAR", "Id of the document.", required=True),
        _c("pocket_id", "VARCHAR", "Pocket it belongs to.", required=True),
        _c("statement_type", "VARCHAR", "BANK, BROKERAGE, 1099INT, 1099B; an open list.", required=True),
        _c("period", "VARCHAR", "YYYY-MM or YYYY.", required=True),
        _c("created_at_utc", "TIMESTAMP", "When the document was made, UTC.", required=True),
        LOCATOR,
    ),
    ("monthly_statement_id",),
)

POCKET = FrameSpec(
    "pocket",
    "One pocket as GET /api/v2/pockets/ lists it; its live valuation is left out, for it has no as-of date.",
    (
        _c("pocket_id", "VARCHAR", "Pocket.", required=True),
        _c("pocket_name", "VARCHAR", "Name the customer gave it.", required=True),
        _c("pocket_status", "VARCHAR", "PENDING, OPEN, FROZEN, CLOSED; an open list.", required=True),
        _c("deposit_strategy_id", "VARCHAR", "Strategy for deposits."),
        _c("reinvestment_strategy_id", "VARCHAR", "Strategy for reinvestment."),
        LOCATOR,
    ),
    ("pocket_id",),
)

POCKET_LIFE = FrameSpec(
    "pocket_life",
    "First and last bank-side movement of a pocket, from two listings of one row each.",
    (
        _c("pocket_id", "VARCHAR", "Pocket.", required=True),
        _c("first_activity_on", "DATE", "New York day of its first movement; null when there is none."),
        _c("last_activity_on", "DATE", "New York day of its last movement; null when there is none."),
        LOCATOR,
    ),
    ("pocket_id",),
)

SECURITY_REFERENCE = FrameSpec(
    "security_reference",
    "One auction (or announced bill) of a reference list.",
    (
        _c("cusip", "VARCHAR", "CUSIP of the bill.", required=True),
        _c("security_term", "VARCHAR", "Term as auctioned."),
        _c("issue_date", "DATE", "Issue date of this auction.", required=True),
        _c("maturity_date", "DATE", "Maturity date.", required=True),
        _c("auction_price", PRICE, "Price per 100 at the auction."),
        _c("reference_source", "VARCHAR", "TREASURY or SIMULATED.", required=True),
        LOCATOR,
    ),
    ("cusip", "issue_date", "maturity_date"),
)

FRAMES: Final[dict[str, FrameSpec]] = {
    spec.name: spec
    for spec in (
        *STATEMENT_FRAMES,
        TRADE_REPORT,
        SECURITY_PRICE,
        POSITION,
        POSITION_CASH,
        API_TRANSACTION,
        API_TRADE,
        MONTHLY_STATEMENT,
        POCKET,
        POCKET_LIFE,
        SECURITY_REFERENCE,
        *PARTY_FRAMES,
        *MESSAGE_FRAMES,
        *LIST_FRAMES,
    )
}
"""Every frame by name."""
