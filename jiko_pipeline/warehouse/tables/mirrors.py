"""Core tables whose columns are those of a frame: dimensions with all their versions, and flows as they are now.

Belongs here: which frame makes which table. Does not belong here: filling them (`warehouse.mirror_build`), tables
whose columns differ from what the bank states (`core`).

A dimension has one row a version, from `known_from_utc` to `known_to_utc`, half-open; what is no longer listed is
closed. A flow has one row a fact, as it was stated last; its versions are in staging.
"""

from dataclasses import dataclass
from typing import Final

from jiko_pipeline.formats.frame_spec import LOCATOR, FrameSpec
from jiko_pipeline.formats.frames import MONTHLY_STATEMENT, POCKET
from jiko_pipeline.formats.list_frames import DEBIT_ALLOWANCE, EXPECTED_PAYMENT, TREASURY_PRICE
from jiko_pipeline.formats.message_frames import (
    AUDIT_LOG,
    EARNINGS,
    EVENT,
    EVENT_DELIVERY_ATTEMPT,
    NOTIFICATION,
    REPORT_REQUEST,
    TRANSFER_REQUEST,
)
from jiko_pipeline.formats.party_frames import (
    AGREEMENT,
    BENEFICIAL_OWNER,
    COUNTERPARTY,
    CUSTOMER,
    MEMBERSHIP,
    PORTAL,
    REVIEWER,
    SIGNED_IN_USER,
    SUBSCRIPTION,
    TEAM_MEMBER,
    TRADING_STRATEGY,
)
from jiko_pipeline.warehouse.tables.spec import CUSTOMER as OWNER
from jiko_pipeline.warehouse.tables.spec import TableSpec, content, provenance


@dataclass(frozen=True, slots=True)
class Mirror:
    """A core table made of the staged rows of one kind of document."""

    table: TableSpec
    frame: FrameSpec
    kind: str


_SOURCE: Final = (
    provenance("document_sha256", "VARCHAR", "Hash of the document the row comes from."),
    provenance("document_locator", "VARCHAR", "Where in that document."),
)


def _dimension(kind: str, frame: FrameSpec, name: str = "") -> Mirror:
    table = TableSpec(
        "core",
        name or frame.name,
        f"{frame.comment} One row a version.",
        (
            *OWNER,
            *(column for column in frame.columns if column.name != LOCATOR.name),
            *_SOURCE,
            provenance("known_from_utc", "TIMESTAMP", "When the version became known, UTC.", required=True),
            provenance("known_to_utc", "TIMESTAMP", "When it was no longer listed so, UTC; null while it is."),
        ),
        ("customer_id", *frame.key, "known_from_utc"),
    )
    return Mirror(table, frame, kind)


def _flow(kind: str, frame: FrameSpec) -> Mirror:
    table = TableSpec(
        "core",
        frame.name,
        f"{frame.comment} As it was stated last.",
        (
            *OWNER,
            *(column for column in frame.columns if column.name != LOCATOR.name),
            content("stated_on", "DATE", "Day in New York it belongs to; for a month its first day.", required=True),
            *_SOURCE,
            provenance("known_from_utc", "TIMESTAMP", "When the row became known, UTC."),
        ),
        ("customer_id", *frame.key),
    )
    return Mirror(table, frame, kind)


DIMENSIONS: Final = (
    _dimension("POCKETS", POCKET, "pocket_history"),
    _dimension("PORTALS", PORTAL),
    _dimension("TRADING_STRATEGIES", TRADING_STRATEGY),
    _dimension("COUNTERPARTIES", COUNTERPARTY),
    _dimension("REVIEWERS", REVIEWER),
    _dimension("SUBSCRIPTIONS", SUBSCRIPTION),
    _dimension("CUSTOMER", CUSTOMER),
    _dimension("BENEFICIAL_OWNERS", BENEFICIAL_OWNER),
    _dimension("TEAM", TEAM_MEMBER),
    _dimension("USER", SIGNED_IN_USER),
    _dimension("MEMBERSHIPS", MEMBERSHIP),
    _dimension("AGREEMENTS", AGREEMENT),
    _dimension("EXPECTED_PAYMENTS", EXPECTED_PAYMENT),
    _dimension("DEBIT_ALLOW_LIST", DEBIT_ALLOWANCE),
    _dimension("TREASURY_PRICES", TREASURY_PRICE),
)
FLOWS: Final = (
    _flow("TRANSFER_REQUESTS", TRANSFER_REQUEST),
    _flow("EVENTS", EVENT),
    _flow("EVENTS", EVENT_DELIVERY_ATTEMPT),
    _flow("NOTIFICATIONS", NOTIFICATION),
    _flow("AUDIT_LOGS", AUDIT_LOG),
    _flow("EARNINGS", EARNINGS),
    _flow("MONTHLY_STATEMENTS", MONTHLY_STATEMENT),
    _flow("REPORT_REQUESTS", REPORT_REQUEST),
)

TRADE_CONFIRMATION_CHECK: Final = TableSpec(
    "core",
    "trade_confirmation_check",
    "One comparison of a trade with its confirmation; the confirmation itself is not kept.",
    (
        *OWNER,
        content("trade_id", "VARCHAR", "Trade.", required=True),
        content("pocket_id", "VARCHAR", "Pocket.", required=True),
        content("trade_date", "DATE", "Trade date in New York.", required=True),
        content(
            "outcome",
            "VARCHAR",
            "AGREES, DIFFERS, UNREADABLE, MISSING, or REFUSED when it is not open to us.",
            required=True,
        ),
        content("fields", "VARCHAR", "Fields that differ or are missing, with commas; empty when none.", required=True),
        content("fields_compared", "INTEGER", "Number of fields compared.", required=True),
        provenance("confirmation_sha256", "VARCHAR", "Hash of the confirmation's bytes; null when there was none."),
        provenance("checked_at_utc", "TIMESTAMP", "When it was fetched and compared, UTC.", required=True),
    ),
    ("customer_id", "trade_id"),
)

MIRRORS: Final = (*(mirror.table for mirror in (*DIMENSIONS, *FLOWS)), TRADE_CONFIRMATION_CHECK)
