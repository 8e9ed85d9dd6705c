"""Mart: the answers, one row a pocket and day."""

from typing import Final

from jiko_pipeline.formats.frames import MONEY
from jiko_pipeline.warehouse.tables.spec import POCKET_DAY, TableSpec, content, provenance

DAILY_CLOSE: Final = TableSpec(
    "mart",
    "daily_close",
    "May the balance of this pocket and day be booked, and if not, why not.",
    (
        *POCKET_DAY,
        content(
            "ready_to_book",
            "BOOLEAN",
            "True only when every required control passed on final inputs.",
            required=True,
        ),
        content("not_ready_reasons", "VARCHAR", "Why not, JSON list; [] when ready.", required=True),
        content("open_s1", "BIGINT", "Open breaks of severity S1 of the day.", required=True),
        content("open_s2", "BIGINT", "Open breaks of severity S2 of the day.", required=True),
        content("open_s3", "BIGINT", "Open breaks of severity S3 of the day.", required=True),
        content("controls_passed", "BIGINT", "Results that passed.", required=True),
        content("controls_broken", "BIGINT", "Results that broke.", required=True),
        content("controls_not_tested", "BIGINT", "Results not tested.", required=True),
        content("opening_value", MONEY, "Opening value of the brokerage statement."),
        content("closing_value", MONEY, "Closing value of the brokerage statement."),
        content("day_change", MONEY, "Closing less opening value."),
        content(
            "explained_by",
            "VARCHAR",
            "The bridge from opening to closing, JSON object of label to amount.",
            required=True,
        ),
        content(
            "unexplained",
            MONEY,
            "What the bridge leaves over; 0.00 when the day is fully explained; null when it cannot be built.",
        ),
        provenance("run_id", "VARCHAR", "Run of the controls it rests on.", required=True),
    ),
    ("customer_id", "pocket_id", "business_date"),
)

RECON_BRIDGE: Final = TableSpec(
    "mart",
    "recon_bridge",
    "From yesterday's value to today's, line by line; the last line is what is left unexplained.",
    (
        *POCKET_DAY,
        content("line_no", "INTEGER", "Order of the lines.", required=True),
        content("label", "VARCHAR", "What the line is.", required=True),
        content("amount", MONEY, "Signed amount; null when it cannot be computed."),
    ),
    ("customer_id", "pocket_id", "business_date", "line_no"),
)

MART: Final = (DAILY_CLOSE, RECON_BRIDGE)
