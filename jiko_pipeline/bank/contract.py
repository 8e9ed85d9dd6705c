"""Everything about Jiko's wire that is not documented by Jiko, in one place.

Belongs here: paths, names of fields and parameters, words of status, limits for each group of operations. A
bank that differs is another instance of `Contract`. Does not belong here: the layout of documents
(`jiko_pipeline.formats`).

Source: the public pages of Jiko's Customer API as far as they reach; the names of report requests, reports
and download links are assumptions.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Group(StrEnum):
    """Operations that share one rate limit at the bank."""

    AGREEMENTS = "agreements"
    AUTH = "auth"
    COUNTERPARTIES = "counterparties"
    CUSTOMER = "customer"
    EVENTS = "events"
    NOTIFICATIONS = "notifications"
    POCKETS = "pockets"
    PORTALS = "portals"
    REPORTS = "reports"
    STATEMENTS = "statements"
    SUBSCRIPTIONS = "subscriptions"
    TEAM = "team"
    TEAM_AUDITS = "team audits"
    TRADES = "trades"
    TRADING_STRATEGIES = "trading strategies"
    TRANSACTIONS = "transactions"
    TRANSFER_REQUESTS = "transfer requests"
    TRANSFER_REQUESTS_CREATE = "transfer requests created"
    USER = "user"


class ReportType(StrEnum):
    """The reports that can be ordered."""

    BANK_STATEMENT = "BANK_STATEMENT_REPORT"
    BROKERAGE_STATEMENT = "BROKERAGE_STATEMENT_REPORT"
    TRADE = "TRADE_REPORT"
    SECURITY_PRICE = "SECURITY_PRICE_REPORT"
    POSITION_SUMMARY = "POSITION_SUMMARY_REPORT"


class OutputFormat(StrEnum):
    """The forms in which a report is delivered."""

    CAMT053 = "CAMT053"
    CSV = "CSV"
    KYRIBA_CSV = "KYRIBA_CSV"
    PDF = "PDF"


class DateType(StrEnum):
    """Which date of a trade the range of a TRADE_REPORT means."""

    TRADE_DATE = "TRADE_DATE"
    SETTLEMENT_DATE = "SETTLEMENT_DATE"
    BOOK_DATE = "BOOK_DATE"


RANGED_REPORTS: Final = frozenset({ReportType.TRADE, ReportType.SECURITY_PRICE})
"""Reports over a range of days; the others are of one day."""


def _frozen_limits(value: Mapping[Group, int]) -> Mapping[Group, int]:
    return MappingProxyType(dict(value))


class Contract(BaseModel):
    """What the client assumes of the bank's wire. Immutable; change it with `model_copy(update=...)`."""

    model_config = ConfigDict(frozen=True)

    token_path: str = "/api/oauth2/token"
    pockets_path: str = "/api/v2/pockets/"
    transactions_path: str = "/api/v2/transactions/"
    transactions_csv_path: str = "/api/v2/transactions.csv"
    trades_v1_path: str = "/api/v1/trades/"
    trades_v2_path: str = "/api/v2/trades/"
    trades_csv_path: str = "/api/v1/trades.csv"
    statements_path: str = "/api/v1/statements/"
    report_requests_path: str = "/api/v1/report-requests/"
    report_request_path: str = "/api/v1/report-requests/{id}/"
    report_download_path: str = "/api/v1/reports/{id}/download/"
    simulated_health_path: str = "/__simulator__/health"
    simulated_reference_path: str = "/__simulator__/reference.csv"

    scopes: tuple[str, ...] = (
        "profile",
        "pockets.read",
        "transfers.read",
        "customer.read",
        "team.read",
        "reports.read",
        "reports.write",
        "subscriptions.read",
        "notifications.read",
        "agreements.read",
    )
    token_seconds_when_unsaid: float = 300.0
    """Lifetime of an access token whose answer names none that makes sense."""
    assertion_seconds: int = Field(default=240, le=300)
    """Lifetime of a signed assertion; Jiko advises at most 300 s."""

    cursor: str = "cursor"
    limit: str = "limit"
    order: str = "order"
    ascending: str = "asc"
    descending: str = "desc"
    next_page: str = "next_page"
    items: str = "items"
    page_cap: int = 10_000
    """A listing with more pages than this is taken for one without an end."""

    transactions_pocket: str = "pocket[]"
    transactions_from: str = "time_booked_from"
    transactions_to: str = "time_booked_to"
    transaction_time: str = "time_booked"
    trades_from: str = "trade_datetime_from"
    trades_to: str = "trade_datetime_to"
    statements_key: str = "key"

    report_type: str = "report_type"
    output_formats: str = "output_formats"
    output_format: str = "output_format"
    pocket_ids: str = "pocket_ids"
    pocket_id: str = "pocket_id"
    pockets_per_request: int = Field(default=1, ge=1, le=1)
    """How many pockets one request may name; more than one is not known to be accepted."""
    report_day: str = "date"
    report_first: str = "date_from"
    report_last: str = "date_to"
    date_type: str = "date_type"
    parameters: str = "parameters"
    reports: str = "reports"
    report_status: str = "status"
    report_error: str = "error"
    created_at: str = "created_at"
    file_name: str = "file_name"
    link_url: str = "url"
    requests_first: str = "date_from"
    requests_last: str = "date_to"
    requests_page_limit: int = Field(default=100, ge=1, le=100)

    status_open: frozenset[str] = frozenset({"PENDING", "IN_PROGRESS"})
    status_completed: frozenset[str] = frozenset({"COMPLETED"})
    status_failed: frozenset[str] = frozenset({"FAILED", "CANCELLED", "EXPIRED"})
    orders_per_pull: int = 2
    """How many orders one pull may make in all when the bank fails the first."""
    links_per_report: int = 3
    not_found_grace_seconds: float = 30.0
    """How long a report that the bank has just announced may still be unknown to it."""

    json_cap_bytes: int = 8 * 2**20
    csv_cap_bytes: int = 256 * 2**20
    xml_cap_bytes: int = 64 * 2**20
    pdf_cap_bytes: int = 32 * 2**20

    limits_per_minute: Annotated[Mapping[Group, int], AfterValidator(_frozen_limits)] = {
        Group.AGREEMENTS: 300,
        Group.AUTH: 300,
        Group.COUNTERPARTIES: 300,
        Group.CUSTOMER: 300,
        Group.EVENTS: 120,
        Group.NOTIFICATIONS: 300,
        Group.POCKETS: 120,
        Group.PORTALS: 300,
        Group.REPORTS: 300,
        Group.STATEMENTS: 120,
        Group.SUBSCRIPTIONS: 300,
        Group.TEAM: 300,
        Group.TEAM_AUDITS: 120,
        Group.TRADES: 120,
        Group.TRADING_STRATEGIES: 300,
        Group.TRANSACTIONS: 120,
        Group.TRANSFER_REQUESTS: 120,
        Group.TRANSFER_REQUESTS_CREATE: 60,
        Group.USER: 300,
    }
    """Requests a minute; Jiko names none for events, statements and audits, so the lowest of the reads is kept to."""

    def cap_bytes(self, output_format: OutputFormat) -> int:
        """The largest file accepted in a form."""
        if output_format is OutputFormat.CAMT053:
            return self.xml_cap_bytes
        return self.pdf_cap_bytes if output_format is OutputFormat.PDF else self.csv_cap_bytes


JIKO: Final = Contract()
"""The contract as it is assumed of Jiko, and as the simulated Jiko keeps it."""
