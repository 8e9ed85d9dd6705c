"""The frames of the lists that no bank supplies: what the customer expects and allows, and Treasury's own prices.

Belongs here: one declaration for each. Does not belong here: how a file becomes rows (`supplied_lists`). Treasury's
auctions have the frame of any reference list (`frames.SECURITY_REFERENCE`).
"""

from typing import Final

from jiko_pipeline.formats.frame_spec import LOCATOR, MONEY, PRICE, FrameSpec, content

EXPECTED_PAYMENT: Final = FrameSpec(
    "expected_payment",
    "One payment or receipt that the customer expects.",
    (
        content("expected_id", "VARCHAR", "The customer's own id of it.", required=True),
        content("pocket", "VARCHAR", "Pocket, by its id or its name.", required=True),
        content("direction", "VARCHAR", "IN or OUT, as the pocket sees it.", required=True),
        content("amount_low", MONEY, "Least amount, unsigned.", required=True),
        content("amount_high", MONEY, "Greatest amount, unsigned.", required=True),
        content("date_low", "DATE", "First day on which it may be booked.", required=True),
        content("date_high", "DATE", "Last day on which it may be booked.", required=True),
        content("counterparty", "VARCHAR", "Name of the other side; null: any."),
        content("reference", "VARCHAR", "Text that the movement carries; null: none is known."),
        content("transaction_type", "VARCHAR", "ACH, WIRE, ON_US, CARD, ...; null: any."),
        LOCATOR,
    ),
    ("expected_id",),
)

DEBIT_ALLOWANCE: Final = FrameSpec(
    "debit_allowance",
    "One company that may debit the customer, and how much at a time.",
    (
        content(
            "company_id",
            "VARCHAR",
            "Company id or name as the debit states it; a transaction type (CARD) stands for all of that type.",
            required=True,
        ),
        content("limit_amount", MONEY, "Greatest amount of one debit, unsigned.", required=True),
        LOCATOR,
    ),
    ("company_id",),
)

TREASURY_PRICE: Final = FrameSpec(
    "treasury_price",
    "One price of a bill in Treasury's own price file (FedInvest).",
    (
        content("cusip", "VARCHAR", "CUSIP of the bill.", required=True),
        content("price_date", "DATE", "Pricing date.", required=True),
        content("maturity_date", "DATE", "Maturity date."),
        content("buy", PRICE, "Buy price per 100; null when there is none."),
        content("sell", PRICE, "Sell price per 100; null when there is none."),
        content("end_of_day", PRICE, "End-of-day price per 100; null until it is published."),
        LOCATOR,
    ),
    ("cusip", "price_date"),
)

LIST_FRAMES: Final = (EXPECTED_PAYMENT, DEBIT_ALLOWANCE, TREASURY_PRICE)
