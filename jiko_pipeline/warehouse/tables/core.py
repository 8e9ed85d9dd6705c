"""Core: the current view of every fact, classified, one row a fact."""

from typing import Final

from jiko_pipeline.formats.frames import MONEY, PRICE, YIELD
from jiko_pipeline.warehouse.tables.spec import CUSTOMER, POCKET_DAY, TableSpec, content, provenance

_SOURCE: Final = (
    provenance("document_sha256", "VARCHAR", "Hash of the document the row comes from."),
    provenance("document_locator", "VARCHAR", "Where in that document."),
    provenance("known_from_utc", "TIMESTAMP", "When the row became known, UTC."),
)

POCKET: Final = TableSpec(
    "core",
    "pocket",
    "One pocket of the customer.",
    (
        *CUSTOMER,
        content("pocket_id", "VARCHAR", "Pocket.", required=True),
        content("pocket_name", "VARCHAR", "Name the customer gave it.", required=True),
        content("pocket_status", "VARCHAR", "Status as last listed.", required=True),
        content("deposit_strategy_id", "VARCHAR", "Strategy for deposits."),
        content("opened_on", "DATE", "First day of the pocket's life; null when unknown."),
        content("closed_on", "DATE", "Last day of the pocket's life; null while it lives."),
        content(
            "lifetime_source",
            "VARCHAR",
            "Where opened_on and closed_on come from: FIRST_ACTIVITY or UNKNOWN.",
            required=True,
        ),
    ),
    ("customer_id", "pocket_id"),
)

SECURITY: Final = TableSpec(
    "core",
    "security",
    "One Treasury bill, from the reference lists.",
    (
        content("cusip", "VARCHAR", "CUSIP.", required=True),
        content("isin", "VARCHAR", "ISIN derived from the CUSIP."),
        content("issuer", "VARCHAR", "Issuer.", required=True),
        content("security_type", "VARCHAR", "TBILL.", required=True),
        content("maturity_date", "DATE", "Maturity date.", required=True),
        content("first_issue_date", "DATE", "Earliest issue date in the reference list.", required=True),
        content(
            "maturity_dates",
            "INTEGER",
            "Number of different maturity dates the list gives; more than one is a conflict.",
            required=True,
        ),
        content("denomination", MONEY, "Face of one bill.", required=True),
        content(
            "reference_source",
            "VARCHAR",
            "TREASURY (public reference) or SIMULATED (within the provider).",
            required=True,
        ),
    ),
    ("cusip",),
)

CALENDAR: Final = TableSpec(
    "core",
    "calendar",
    "One calendar day of New York.",
    (
        content("business_date", "DATE", "Day.", required=True),
        content("is_fed_business_day", "BOOLEAN", "Fedwire moves money.", required=True),
        content("is_sifma_full_close", "BOOLEAN", "SIFMA recommends a full close on this weekday.", required=True),
        content("is_trading_day", "BOOLEAN", "Bills trade and settle.", required=True),
        content("next_fed_business_day", "DATE", "First Fed business day after the day.", required=True),
        content("previous_fed_business_day", "DATE", "Last Fed business day before the day.", required=True),
        content(
            "bd_idx",
            "BIGINT",
            "Business-day index; a day that is none has that of the business day before it.",
            required=True,
        ),
    ),
    ("business_date",),
)

BANK_DAILY: Final = TableSpec(
    "core",
    "bank_daily",
    "The bank statement of a pocket and day: its balances.",
    (
        *POCKET_DAY,
        content("opening_balance", MONEY, "Opening booked balance; null when the statement has none."),
        content("closing_balance", MONEY, "Closing booked balance; null when the statement has none."),
        content("booked_entries", "BIGINT", "Number of booked entries.", required=True),
        content("booked_net", MONEY, "Sum of the signed booked entries.", required=True),
        content("statements", "BIGINT", "Number of statements in the document.", required=True),
        content("finality", "VARCHAR", "PROVISIONAL or AFTER_CUTOFF.", required=True),
        *_SOURCE,
    ),
    ("customer_id", "pocket_id", "business_date"),
)

BANK_TRANSACTION: Final = TableSpec(
    "core",
    "bank_transaction",
    "One booked entry of a bank statement, classified.",
    (
        *POCKET_DAY,
        content(
            "bank_transaction_key",
            "VARCHAR",
            "Entry reference with its ordinal, unique in the pocket and day.",
            required=True,
        ),
        content("booking_date", "DATE", "Booking date."),
        content("value_date", "DATE", "Value date."),
        content(
            "category",
            "VARCHAR",
            "DEPOSIT, PAYMENT, ONUS_IN, ONUS_OUT, CARD, FEE, CREDIT, INTEREST, RETURN, SWEEP_OUT, SWEEP_IN, ADJUSTMENT; null when no rule or several rules fit.",
        ),
        content("matching_rules", "INTEGER", "Number of classification rules that fit the entry.", required=True),
        content("signed_amount", MONEY, "Amount, positive when credited.", required=True),
        content("currency", "VARCHAR", "Currency."),
        content("proprietary_code", "VARCHAR", "Bank's own transaction code."),
        content("account_servicer_reference", "VARCHAR", "Bank's reference."),
        content("end_to_end_id", "VARCHAR", "End-to-end identification of its only detail."),
        content(
            "activity_id",
            "VARCHAR",
            "Id of the API transaction it names, with hyphens; null when it names none.",
        ),
        content("counterparty", "VARCHAR", "The other party."),
        content("remittance", "VARCHAR", "Remittance information."),
        *_SOURCE,
    ),
    ("customer_id", "pocket_id", "business_date", "bank_transaction_key"),
)

BROKERAGE_FLOW: Final = TableSpec(
    "core",
    "brokerage_flow",
    "One booked entry of a brokerage statement.",
    (
        *POCKET_DAY,
        content(
            "brokerage_flow_key",
            "VARCHAR",
            "Entry reference with its ordinal, unique in the pocket and day.",
            required=True,
        ),
        content("flow", "VARCHAR", "ADDITION, SUBTRACTION, GAIN_LOSS, FEE; null when the code is unknown."),
        content("signed_amount", MONEY, "Amount, positive when credited.", required=True),
        content("end_to_end_id", "VARCHAR", "Reference shared with the other leg of a sweep."),
        content("proprietary_code", "VARCHAR", "Bank's own transaction code."),
        *_SOURCE,
    ),
    ("customer_id", "pocket_id", "business_date", "brokerage_flow_key"),
)

BROKERAGE_DAILY: Final = TableSpec(
    "core",
    "brokerage_daily",
    "The brokerage statement of a pocket and day, with the cash of its position summary.",
    (
        *POCKET_DAY,
        content("opening_value", MONEY, "Opening balance; null when the statement has none."),
        content("additions", MONEY, "Cash swept in, unsigned.", required=True),
        content("subtractions", MONEY, "Cash swept out, unsigned.", required=True),
        content("gains", MONEY, "Change in value, signed.", required=True),
        content("fees", MONEY, "Fees, unsigned.", required=True),
        content("unknown_flows", MONEY, "Sum of entries with an unknown code, signed.", required=True),
        content("closing_value", MONEY, "Closing balance; null when the statement has none."),
        content("booked_net", MONEY, "Sum of the signed booked entries.", required=True),
        content("cash_balance", MONEY, "Residual cash from the position summary; null when there is none."),
        content(
            "market_value",
            MONEY,
            "Sum of the market values of the position summary; null when there is none.",
        ),
        content("finality", "VARCHAR", "PROVISIONAL or AFTER_CUTOFF.", required=True),
        *_SOURCE,
    ),
    ("customer_id", "pocket_id", "business_date"),
)

API_TRANSACTION: Final = TableSpec(
    "core",
    "api_transaction",
    "One bank-side movement as the API states it now.",
    (
        *CUSTOMER,
        content("activity_id", "VARCHAR", "Id of the movement as seen from this pocket.", required=True),
        content("pocket_id", "VARCHAR", "Pocket.", required=True),
        content("transaction_id", "VARCHAR", "Id shared by both sides.", required=True),
        content("transaction_type", "VARCHAR", "Type.", required=True),
        content("transaction_status", "VARCHAR", "Status.", required=True),
        content("signed_amount", MONEY, "Amount, positive when credited.", required=True),
        content("currency", "VARCHAR", "Currency.", required=True),
        content("booked_at_utc", "TIMESTAMP", "When it was booked, UTC.", required=True),
        content("booked_on", "DATE", "Calendar day in New York on which it was booked.", required=True),
        content("business_date", "DATE", "Fed business day it belongs to (JIKO_BUSINESS_DAY_END).", required=True),
        content("settled_at_utc", "TIMESTAMP", "When it settled, UTC."),
        content("occurrences", "INTEGER", "How often the API stated this id.", required=True),
        content("transfer_id", "VARCHAR", "Id of the transfer it belongs to (wire_id or on_us_transfer_id)."),
        content("title", "VARCHAR", "Title."),
        content("description", "VARCHAR", "Description."),
        *_SOURCE,
    ),
    ("customer_id", "activity_id"),
)

TRADE: Final = TableSpec(
    "core",
    "trade",
    "One trade as the API states it now.",
    (
        *CUSTOMER,
        content("trade_id", "VARCHAR", "Id of the trade.", required=True),
        content("pocket_id", "VARCHAR", "Pocket.", required=True),
        content("activity", "VARCHAR", "BUY, SELL, MATURITY; open list.", required=True),
        content("cusip", "VARCHAR", "CUSIP."),
        content("quantity", "BIGINT", "Number of bills."),
        content("face_amount", MONEY, "Face: quantity times the face of one bill."),
        content("price", PRICE, "Price per 100."),
        content("notional", MONEY, "Money amount, unsigned."),
        content("traded_at_utc", "TIMESTAMP", "When, UTC.", required=True),
        content("trade_date", "DATE", "Trade date in New York.", required=True),
        content("book_date", "DATE", "Book date."),
        content("settlement_date", "DATE", "Settlement date."),
        content("trade_status", "VARCHAR", "BOOKED or SETTLED."),
        content("maturity_date", "DATE", "Maturity date of the bill."),
        content("yield_to_maturity", YIELD, "Yield as a fraction."),
        content("occurrences", "INTEGER", "How often the API stated this id.", required=True),
        *_SOURCE,
    ),
    ("customer_id", "trade_id"),
)

TRADE_REPORT: Final = TableSpec(
    "core",
    "trade_report",
    "One row of a TRADE_REPORT now, for each form of the report.",
    (
        *CUSTOMER,
        content("output_format", "VARCHAR", "CSV or KYRIBA_CSV.", required=True),
        content("trade_reference", "VARCHAR", "Trade id.", required=True),
        content("pocket_id", "VARCHAR", "Pocket.", required=True),
        content("side", "VARCHAR", "BUY or SELL.", required=True),
        content("cusip", "VARCHAR", "CUSIP.", required=True),
        content("issue_date", "DATE", "Issue date."),
        content("maturity_date", "DATE", "Maturity date."),
        content("trade_date", "DATE", "Trade date.", required=True),
        content("settlement_date", "DATE", "Settlement date."),
        content("book_date", "DATE", "Book date."),
        content("quantity", "BIGINT", "Number of bills.", required=True),
        content("price", PRICE, "Price per 100.", required=True),
        content("amount", MONEY, "Cash amount, unsigned.", required=True),
        content("occurrences", "INTEGER", "How often the report stated this reference.", required=True),
        *_SOURCE,
    ),
    ("customer_id", "output_format", "trade_reference"),
)

POSITION_DAILY: Final = TableSpec(
    "core",
    "position_daily",
    "One bill held by a pocket at the end of a day.",
    (
        *POCKET_DAY,
        content("cusip", "VARCHAR", "CUSIP.", required=True),
        content("quantity", "BIGINT", "Number of bills.", required=True),
        content("face_amount", MONEY, "Face: quantity times the face of one bill.", required=True),
        content("price", PRICE, "Price per 100 it is valued at.", required=True),
        content("market_value", MONEY, "Market value.", required=True),
        content("historical_cost", MONEY, "Historical cost."),
        content(
            "maturity_date",
            "DATE",
            "Maturity date by the reference list; null when the list lacks the CUSIP.",
        ),
        content("days_to_maturity", "BIGINT", "Days from the business date to maturity."),
        content("occurrences", "INTEGER", "How often the summary stated this CUSIP.", required=True),
        content("finality", "VARCHAR", "PROVISIONAL or AFTER_CUTOFF.", required=True),
        *_SOURCE,
    ),
    ("customer_id", "pocket_id", "business_date", "cusip"),
)

SECURITY_PRICE: Final = TableSpec(
    "core",
    "security_price",
    "One end-of-day price as the SECURITY_PRICE_REPORT states it now.",
    (
        *CUSTOMER,
        content("cusip", "VARCHAR", "CUSIP.", required=True),
        content("price_date", "DATE", "Pricing date.", required=True),
        content("price", PRICE, "Price per 100.", required=True),
        content("occurrences", "INTEGER", "How often the report stated this CUSIP and date.", required=True),
        *_SOURCE,
    ),
    ("customer_id", "cusip", "price_date"),
)

CLASSIFICATION_RULE: Final = TableSpec(
    "core",
    "classification_rule",
    "One rule that puts a bank entry into a category; versioned as a whole.",
    (
        content("rule_id", "VARCHAR", "Rule.", required=True),
        content("proprietary_code", "VARCHAR", "Bank's own code it fits; null fits any."),
        content("domain_code", "VARCHAR", "ISO domain it fits; null fits any."),
        content("family_code", "VARCHAR", "ISO family it fits; null fits any."),
        content("direction", "VARCHAR", "CREDIT or DEBIT it fits; null fits both."),
        content("category", "VARCHAR", "Category it gives.", required=True),
        content("rules_version", "VARCHAR", "Hash of the rule file.", required=True),
    ),
    ("rule_id",),
)

DAY_BOUNDARY: Final = TableSpec(
    "core",
    "day_boundary",
    "One instant from which another New York day or another Fed business date holds (JIKO_BUSINESS_DAY_END).",
    (
        content("from_utc", "TIMESTAMP", "Instant, UTC.", required=True),
        content("booked_on", "DATE", "Calendar day in New York from then on.", required=True),
        content("business_date", "DATE", "Fed business day that money belongs to from then on.", required=True),
    ),
    ("from_utc",),
)

CORE: Final = (
    POCKET,
    SECURITY,
    CALENDAR,
    CLASSIFICATION_RULE,
    BANK_DAILY,
    BANK_TRANSACTION,
    BROKERAGE_FLOW,
    BROKERAGE_DAILY,
    API_TRANSACTION,
    TRADE,
    TRADE_REPORT,
    POSITION_DAILY,
    SECURITY_PRICE,
    DAY_BOUNDARY,
)
