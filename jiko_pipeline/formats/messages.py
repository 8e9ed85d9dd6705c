"""The API's listings of requests, events, notifications and the audit log, and a pocket's earnings.

Belongs here: which field fills which column. Does not belong here: what a field must be (`fields`), pages
(`listing_reader`).
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from jiko_pipeline.formats import message_frames as frames
from jiko_pipeline.formats.columns import typed_frame
from jiko_pipeline.formats.echo import days_outside
from jiko_pipeline.formats.fields import Field, cents, day, flag, ids, instant, integer, row_of, structure, text, words
from jiko_pipeline.formats.items import Item, Money, UnfitError
from jiko_pipeline.formats.listing_reader import Listing, body_of, distinct_items, read_listing
from jiko_pipeline.formats.reading import Expectation, Reading, RefusedDocumentError


def _t(*at: str) -> Field:
    return Field(at, text)


def _transfer_row() -> Callable[[Item], tuple[Any, ...]]:
    plain = row_of(
        frames.TRANSFER_REQUEST,
        {
            "request_id": _t("id"),
            "transfer_id": _t("transfer", "id"),
            "request_status": _t("status"),
            "transfer_type": _t("transfer", "type"),
            "origin_pocket_id": _t("transfer", "origin_pocket_id"),
            "amount": Field(("transfer", "amount", "amount_usdc"), cents),
            "counterparty_id": _t("transfer", "counterparty_id"),
            "destination_pocket_id": _t("transfer", "details", "destination_pocket_id"),
            "on_us_details": Field(("transfer", "details"), structure),
            "description": _t("transfer", "description"),
            "end_to_end_id": _t("transfer", "end_to_end_identification"),
            "created_by_id": _t("created_by", "user_id"),
            "reviewer_ids": Field(("reviewers",), ids),
            "created_at_utc": Field(("created_at",), instant),
            "updated_at_utc": Field(("updated_at",), instant),
        },
    )
    counterparty = [column.name for column in frames.TRANSFER_REQUEST.columns].index("counterparty_id")

    def row(item: Item) -> tuple[Any, ...]:
        values = plain(item)
        details = ((item.model_extra or {}).get("transfer") or {}).get("details")
        if values[counterparty] is None and isinstance(details, dict):
            other = details.get("destination_counterparty_id")
            if isinstance(other, str):
                return (*values[:counterparty], other, *values[counterparty + 1 :])
        return values

    return row


TRANSFER_REQUESTS: Final = Listing(
    frames.TRANSFER_REQUEST, Item, _transfer_row(), day="created_at_utc", holds_other_days=True
)
EVENTS: Final = Listing(
    frames.EVENT,
    Item,
    row_of(
        frames.EVENT,
        {
            "event_id": _t("event", "event_id"),
            "event_type": _t("event", "event_type"),
            "occurred_at_utc": Field(("event", "timestamp"), instant),
            "payload": Field(("event", "payload"), structure),
            "bank_customer_id": _t("event", "customer_id"),
        },
        elsewhere=("delivery_attempts",),
    ),
    day="occurred_at_utc",
    identity=("event", "event_id"),
    holds_other_days=True,
)
_ATTEMPT_ROW: Final = row_of(
    frames.EVENT_DELIVERY_ATTEMPT,
    {
        "delivery_attempt_id": _t("delivery_attempt_id"),
        "event_id": _t("event_id"),
        "occurred_at_utc": Field(("occurred_at",), instant),
        "subscription_id": _t("subscription_id"),
        "is_success": Field(("success",), flag),
        "response_code": Field(("response_code",), integer),
        "called_at_utc": Field(("called_at",), instant),
    },
)
NOTIFICATIONS: Final = Listing(
    frames.NOTIFICATION,
    Item,
    row_of(
        frames.NOTIFICATION,
        {
            "notification_id": _t("id"),
            "notification_type": _t("type"),
            "notification_status": _t("status"),
            "title": _t("title"),
            "description": _t("description"),
            "created_at_utc": Field(("created_at",), instant),
            "metadata": Field(("notification_metadata",), structure),
        },
    ),
    {"notification_status": frozenset({"READ", "UNREAD"})},
    day="created_at_utc",
    holds_other_days=True,
)
AUDIT_LOGS: Final = Listing(
    frames.AUDIT_LOG,
    Item,
    row_of(
        frames.AUDIT_LOG,
        {
            "entry_id": _t("id"),
            "occurred_at_utc": Field(("timestamp",), instant),
            "member_id": _t("member_id"),
            "action": _t("action"),
            "action_details": Field(("details",), structure),
            "ip_address": _t("ip_address"),
        },
    ),
    day="occurred_at_utc",
)
REPORT_REQUESTS: Final = Listing(
    frames.REPORT_REQUEST,
    Item,
    row_of(
        frames.REPORT_REQUEST,
        {
            "report_order_id": _t("id"),
            "report_type": _t("report_type"),
            "output_formats": Field(("output_formats",), words),
            "request_status": _t("status"),
            "parameters": Field(("parameters",), structure),
            "reports": Field(("reports",), ids),
            "error": _t("error"),
            "created_at_utc": Field(("created_at",), instant),
            "completed_at_utc": Field(("completed_at",), instant),
        },
    ),
    day="created_at_utc",
    holds_other_days=True,
)


def read_transfer_requests(parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """GET /api/v1/transfer-requests/, all pages: frame transfer_request, less the requests of other days."""
    return read_listing(TRANSFER_REQUESTS, parts, expectation)


def read_notifications(parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """GET /api/v1/notifications/, all pages: frame notification, less those of other days."""
    return read_listing(NOTIFICATIONS, parts, expectation)


def read_audit_logs(parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """GET /api/v1/team/audit-logs/, all pages: frame audit_log."""
    return read_listing(AUDIT_LOGS, parts, expectation)


def read_report_requests(parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """GET /api/v1/report-requests/, all pages: frame report_request, less those of other days."""
    return read_listing(REPORT_REQUESTS, parts, expectation)


def read_events(parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """GET /api/v1/events/, all pages: frames event and event_delivery_attempt, less those of other days.

    Raises RefusedDocumentError (BAD_ITEM) when a delivery attempt is not one: it has no row of its own to reject.
    """
    reading = read_listing(EVENTS, parts, expectation)
    kept = set(reading.frames[frames.EVENT.name]["event_id"])
    rows = []
    for locator, item in distinct_items(EVENTS, parts, []):
        event = item.get("event")
        attempts = item.get("delivery_attempts") or []
        if not isinstance(event, dict) or event.get("event_id") not in kept or not isinstance(attempts, list):
            continue
        for attempt in attempts:
            told = {**attempt} if isinstance(attempt, dict) else {}
            told |= {"event_id": event.get("event_id"), "occurred_at": event.get("timestamp")}
            try:
                rows.append((*_ATTEMPT_ROW(Item.model_validate(told)), locator))
            except UnfitError as error:
                raise RefusedDocumentError("BAD_ITEM", f"{locator.capitalize()}: {error}.", locator) from None
    attempts_frame = frames.EVENT_DELIVERY_ATTEMPT.empty()
    if rows:
        attempts_frame = typed_frame(frames.EVENT_DELIVERY_ATTEMPT, zip(*rows, strict=True))
    return Reading(
        {**reading.frames, frames.EVENT_DELIVERY_ATTEMPT.name: attempts_frame},
        reading.findings,
        reading.rejected,
        reading.rows_in_document,
    )


def read_earnings(parts: Sequence[bytes], expectation: Expectation | None = None) -> Reading:
    """GET /api/v2/pockets/{pocket_id}/earnings/ over a range of days: frame earnings, one row.

    The answer names no pocket: it is that of the expectation. Raises RefusedDocumentError when the answer is not
    of the days asked for.
    """
    pockets = expectation.pocket_ids if expectation is not None else None
    if expectation is None or pockets is None or len(pockets) != 1 or len(parts) != 1:
        raise RefusedDocumentError("PARTS", "Earnings are one answer, asked for one pocket.")
    body = body_of(parts[0])
    try:
        item = Item.model_validate(body)
        row = _earnings_row(item, next(iter(pockets)))
    except (UnfitError, ValueError) as error:
        raise RefusedDocumentError("BAD_ITEM", f"The earnings cannot be read: {error}.", "page 1") from None
    frame = typed_frame(frames.EARNINGS, [[value] for value in row])
    if days_outside(Expectation(first=expectation.first), frame, "first_date").any():
        raise RefusedDocumentError("ECHO_MISMATCH", "The earnings are of days that were not asked for.", "page 1")
    return Reading({frames.EARNINGS.name: frame}, rows_in_document=1)


def _earnings_row(item: Item, pocket_id: str) -> tuple[Any, ...]:
    told = item.model_extra or {}
    money = Money.model_validate(told.get("earnings"))
    plain = row_of(
        frames.EARNINGS,
        {
            "pocket_id": Field(("pocket_id",), text),
            "first_date": Field(("date_from",), day),
            "last_date": Field(("date_to",), day),
            "earnings": Field(("earnings", "value"), cents),
            "currency": Field(("earnings", "currency"), text),
            "priced_at_utc": Field(("pricing_timestamp",), instant),
        },
    )
    return (*plain(Item.model_validate({**told, "pocket_id": pocket_id, "earnings": money.model_dump()})), "page 1")
