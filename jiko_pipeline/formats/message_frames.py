"""The frames of what happens around the money: requests, events, notifications, the audit log, earnings.

Belongs here: one declaration for each. Does not belong here: how an item becomes a row (`messages`).
"""

from typing import Final

from jiko_pipeline.formats.frame_spec import LOCATOR, MONEY, FrameSpec, content, provenance

_DETAILS: Final = content("details", "VARCHAR", "Unknown fields, as JSON with sorted keys.")

TRANSFER_REQUEST: Final = FrameSpec(
    "transfer_request",
    "One transfer that was asked for, with what became of it so far.",
    (
        content("request_id", "VARCHAR", "Request.", required=True),
        content("transfer_id", "VARCHAR", "Transfer, as its maker named it.", required=True),
        content("request_status", "VARCHAR", "Status; an open list.", required=True),
        content("transfer_type", "VARCHAR", "ON_US, WIRE, USDC; an open list.", required=True),
        content("origin_pocket_id", "VARCHAR", "Pocket that pays."),
        content("amount", MONEY, "Amount, unsigned."),
        content("counterparty_id", "VARCHAR", "Counterparty that is paid."),
        content("destination_pocket_id", "VARCHAR", "Own pocket that is paid."),
        content("on_us_details", "VARCHAR", "Other details of a transfer within the bank, as JSON with sorted keys."),
        content("description", "VARCHAR", "Description."),
        content("end_to_end_id", "VARCHAR", "End-to-end identification."),
        content("created_by_id", "VARCHAR", "Who asked for it."),
        content("reviewer_ids", "VARCHAR", "Who was asked to review it; sorted, with commas."),
        content("created_at_utc", "TIMESTAMP", "When it was asked for, UTC.", required=True),
        content("updated_at_utc", "TIMESTAMP", "When it was changed last, UTC."),
        _DETAILS,
        LOCATOR,
    ),
    ("request_id",),
)

EVENT: Final = FrameSpec(
    "event",
    "One event of the bank.",
    (
        content("event_id", "VARCHAR", "Event.", required=True),
        content("event_type", "VARCHAR", "Type, such as transfers.wire.out.success; an open list.", required=True),
        content("occurred_at_utc", "TIMESTAMP", "When, UTC.", required=True),
        content("payload", "VARCHAR", "What it is about, as JSON with sorted keys."),
        content("bank_customer_id", "VARCHAR", "The bank's id of the customer."),
        _DETAILS,
        LOCATOR,
    ),
    ("event_id",),
)

EVENT_DELIVERY_ATTEMPT: Final = FrameSpec(
    "event_delivery_attempt",
    "One try of the bank to deliver an event to a subscriber.",
    (
        content("delivery_attempt_id", "VARCHAR", "Try.", required=True),
        content("event_id", "VARCHAR", "Event.", required=True),
        content("occurred_at_utc", "TIMESTAMP", "When the event occurred, UTC.", required=True),
        content("subscription_id", "VARCHAR", "Subscription."),
        content("is_success", "BOOLEAN", "Whether the subscriber accepted it."),
        content("response_code", "BIGINT", "Status that the subscriber answered."),
        content("called_at_utc", "TIMESTAMP", "When it was tried, UTC."),
        LOCATOR,
    ),
    ("delivery_attempt_id",),
)

NOTIFICATION: Final = FrameSpec(
    "notification",
    "One notification to the customer.",
    (
        content("notification_id", "VARCHAR", "Notification.", required=True),
        content("notification_type", "VARCHAR", "Type; an open list."),
        content("notification_status", "VARCHAR", "READ or UNREAD; an open list."),
        content("title", "VARCHAR", "Title."),
        content("description", "VARCHAR", "Text."),
        content("created_at_utc", "TIMESTAMP", "When, UTC.", required=True),
        content("metadata", "VARCHAR", "What it is about, as JSON with sorted keys."),
        _DETAILS,
        LOCATOR,
    ),
    ("notification_id",),
)

AUDIT_LOG: Final = FrameSpec(
    "audit_log",
    "One entry of the team's audit log.",
    (
        content("entry_id", "VARCHAR", "Entry.", required=True),
        content("occurred_at_utc", "TIMESTAMP", "When, UTC.", required=True),
        content("member_id", "VARCHAR", "Who did it; null when nobody of the team."),
        content("action", "VARCHAR", "What was done; an open list."),
        content("action_details", "VARCHAR", "What it was done to, as JSON with sorted keys."),
        content("ip_address", "VARCHAR", "Where from."),
        _DETAILS,
        LOCATOR,
    ),
    ("entry_id",),
)

EARNINGS: Final = FrameSpec(
    "earnings",
    "What a pocket earned in a calendar month.",
    (
        content("pocket_id", "VARCHAR", "Pocket.", required=True),
        content("first_date", "DATE", "First day, included.", required=True),
        content("last_date", "DATE", "Last day, included.", required=True),
        content("earnings", MONEY, "Earnings, negative when value was lost.", required=True),
        content("currency", "VARCHAR", "Currency, ISO 4217.", required=True),
        provenance("priced_at_utc", "TIMESTAMP", "Time of the prices it was made with, UTC."),
        LOCATOR,
    ),
    ("pocket_id", "first_date"),
)

REPORT_REQUEST: Final = FrameSpec(
    "report_request",
    "One report that was ordered, by whomever.",
    (
        content("report_order_id", "VARCHAR", "Request.", required=True),
        content("report_type", "VARCHAR", "Type of report; an open list."),
        content("output_formats", "VARCHAR", "Forms asked for; sorted, with commas."),
        content("request_status", "VARCHAR", "Status; an open list.", required=True),
        content("parameters", "VARCHAR", "What was asked, as JSON with sorted keys."),
        content("reports", "VARCHAR", "Ids of the reports; sorted, with commas."),
        content("error", "VARCHAR", "Why it failed."),
        content("created_at_utc", "TIMESTAMP", "When it was ordered, UTC.", required=True),
        content("completed_at_utc", "TIMESTAMP", "When it was done, UTC."),
        _DETAILS,
        LOCATOR,
    ),
    ("report_order_id",),
)

MESSAGE_FRAMES: Final = (
    TRANSFER_REQUEST,
    EVENT,
    EVENT_DELIVERY_ATTEMPT,
    NOTIFICATION,
    AUDIT_LOG,
    EARNINGS,
    REPORT_REQUEST,
)
