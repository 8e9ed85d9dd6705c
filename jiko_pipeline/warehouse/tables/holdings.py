"""Holdings: lots, what is held and what it earns, in core; made with the close, because a basis says when they count."""

from typing import Final

from jiko_pipeline.formats.frames import MONEY, PRICE
from jiko_pipeline.warehouse.tables.spec import CUSTOMER, POCKET_DAY, TableSpec, content

_RATE: Final = "DECIMAL(18,6)"

LOT: Final = TableSpec(
    "core",
    "lot",
    "One lot of bills: what one purchase brought, or the average of a CUSIP at take-on. Relief is first in first out.",
    (
        *CUSTOMER,
        content("pocket_id", "VARCHAR", "Pocket.", required=True),
        content("cusip", "VARCHAR", "CUSIP.", required=True),
        content("lot_id", "VARCHAR", "The trade that brought it, or TAKE-ON.", required=True),
        content("lot_source", "VARCHAR", "PURCHASE, TRANSFER or LOT_UNKNOWN (take-on).", required=True),
        content("acquired_on", "DATE", "Business date from which it counts, by the confirmed basis.", required=True),
        content("settled_on", "DATE", "Settlement date; accretion begins here.", required=True),
        content("maturity_date", "DATE", "Maturity date; null when no list and no trade names it."),
        content("quantity", "BIGINT", "Number of bills acquired.", required=True),
        content("face_amount", MONEY, "Face acquired.", required=True),
        content("historical_cost", MONEY, "What was paid.", required=True),
        content("cost_per_100", PRICE, "What was paid per 100 of face.", required=True),
        content("days_at_purchase", "BIGINT", "Days from settlement to maturity."),
        content("discount_rate_percent", _RATE, "Bank discount rate at purchase, percent."),
        content("investment_rate_percent", _RATE, "Investment rate (coupon equivalent) at purchase, percent."),
        content(
            "is_cash_equivalent",
            "BOOLEAN",
            "True when it matures at most three calendar months after settlement; null when maturity is not known.",
        ),
        content("exhausted_on", "DATE", "Day on which nothing was left of it; null while something is."),
    ),
    ("customer_id", "pocket_id", "cusip", "lot_id"),
)

HOLDING_DAILY: Final = TableSpec(
    "core",
    "holding_daily",
    "One bill held by a pocket at the end of a day, at the stated price and at amortised cost.",
    (
        *POCKET_DAY,
        content("cusip", "VARCHAR", "CUSIP.", required=True),
        content("quantity", "BIGINT", "Number of bills.", required=True),
        content("face_amount", MONEY, "Face (par) amount.", required=True),
        content("price", PRICE, "Price per 100 it is valued at.", required=True),
        content("market_value", MONEY, "Market value as stated.", required=True),
        content("historical_cost", MONEY, "Historical cost as stated."),
        content("amortised_cost", MONEY, "Amortised cost, straight-line, by lot; null when the lots do not agree."),
        content("amortised_cost_effective", MONEY, "Amortised cost by the interest method, by lot."),
        content("unrealised_gain", MONEY, "Market value less amortised cost (straight-line)."),
        content("maturity_date", "DATE", "Maturity date; null when the reference lists lack the CUSIP."),
        content("days_to_maturity", "BIGINT", "Days from the business date to maturity."),
        content("discount_rate_percent", _RATE, "Bank discount rate of the price, percent."),
        content("investment_rate_percent", _RATE, "Investment rate (coupon equivalent) of the price, percent."),
        content("cash_equivalent_quantity", "BIGINT", "Bills in lots that were cash equivalents at purchase."),
    ),
    ("customer_id", "pocket_id", "business_date", "cusip"),
)

INCOME_DAILY: Final = TableSpec(
    "core",
    "income_daily",
    "What one bill earned in one pocket from the previous close to this one: accretion (time) and price effect (rate).",
    (
        *POCKET_DAY,
        content("cusip", "VARCHAR", "CUSIP.", required=True),
        content("opening_market_value", MONEY, "Market value at the previous close.", required=True),
        content("bought", MONEY, "Paid for purchases, or worth when received in kind.", required=True),
        content("proceeds", MONEY, "Received for sales and at maturity, or worth when sent in kind.", required=True),
        content("closing_market_value", MONEY, "Market value at this close.", required=True),
        content("total_gain", MONEY, "Closing less opening value, less bought, plus proceeds."),
        content("discount_accretion_sl", MONEY, "Accretion of the discount, straight-line, by lot."),
        content("discount_accretion_effective", MONEY, "Accretion by the interest method, by lot."),
        content("price_effect", MONEY, "Total gain less accretion (straight-line): realised and unrealised."),
        content("realised_gain", MONEY, "Proceeds less the amortised cost of what left, first in first out."),
        content("unrealised_change", MONEY, "Change of market value less amortised cost."),
        content("realised_gain_fifo", MONEY, "Proceeds less historical cost relieved first in first out."),
        content("realised_gain_average", MONEY, "Proceeds less historical cost relieved at the stated average."),
    ),
    ("customer_id", "pocket_id", "business_date", "cusip"),
)

CASH_POSITION: Final = TableSpec(
    "core",
    "cash_position",
    "What the treasury of a pocket can count on at the end of a day, and when.",
    (
        *POCKET_DAY,
        content("bank_closing", MONEY, "Closing balance of the bank statement."),
        content("brokerage_cash", MONEY, "Residual cash by the position summary."),
        content("tbill_market_value", MONEY, "Market value of all bills.", required=True),
        content("total", MONEY, "All three together; null when a document is missing."),
        content("face_amount", MONEY, "Face of all bills.", required=True),
        content("maturing_1d", MONEY, "Face repaid within one day.", required=True),
        content("maturing_7d", MONEY, "Face repaid within 7 days.", required=True),
        content("maturing_30d", MONEY, "Face repaid within 30 days.", required=True),
        content("maturing_90d", MONEY, "Face repaid within 90 days.", required=True),
        content("next_maturity_date", "DATE", "The next day on which a bill is repaid."),
        content("weighted_average_maturity_days", _RATE, "Days to maturity, weighted by market value."),
        content("weighted_average_yield_percent", _RATE, "Investment rate, weighted by market value, percent."),
        content("cash_equivalent_face", MONEY, "Face in lots that were cash equivalents at purchase; null if unknown."),
        content("is_cash_equivalent", "BOOLEAN", "True when every bill is in such a lot; null when unknown."),
    ),
    ("customer_id", "pocket_id", "business_date"),
)

HOLDINGS: Final = (LOT, HOLDING_DAILY, INCOME_DAILY, CASH_POSITION)
