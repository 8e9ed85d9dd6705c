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


def _frozen_texts(value: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(dict(value))


class Contract(BaseModel):
    """What the client assumes of the bank's wire. Immutable; change it with `model_copy(update=...)`."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    token_path: str = "/api/oauth2/token"
    paths: Annotated[Mapping[str, str], AfterValidator(_frozen_texts)] = {}
    """Paths that differ from those of `operations`, by operation; the parameters in braces keep their names."""
    names: Annotated[Mapping[str, str], AfterValidator(_frozen_texts)] = {}
    """Names on the wire that differ from ours: of fields (`TransferRequest.created_by`) by model, of query
    parameters (`transfer_requests.list.reviewer`) by operation."""
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
    token_seconds_when_unsaid: float = Field(default=300.0, gt=0)
    """Lifetime of an access token whose answer names none that makes sense."""
    assertion_seconds: int = Field(default=240, gt=0, le=300)
    """Lifetime of a signed assertion; Jiko advises at most 300 s."""

    cursor: str = "cursor"
    limit: str = "limit"
    order: str = "order"
    ascending: str = "asc"
    descending: str = "desc"
    next_page: str = "next_page"
    items: str = "items"
    total_count: str = "total_count"
    """How many rows a listing has, where the bank says so."""
    page_cap: int = Field(default=10_000, ge=1)
    """A listing with more pages than this is taken for one without an end."""
    listing_rereads: int = Field(default=3, ge=1)
    """How often a listing of several pages is read again at most, until it shows no row that was missed."""

    transactions_pocket: str = "pocket[]"
    transactions_from: str = "time_booked_from"
    transactions_to: str = "time_booked_to"
    transaction_time: str = "time_booked"
    trades_from: str = "trade_datetime_from"
    trades_to: str = "trade_datetime_to"
    statements_key: str = "key"
    audits_from: str = "timestamp_from"
    audits_to: str = "timestamp_to"
    events_after: str = "after"
    offset: str = "offset"
    earnings_period: str = "period"
    earnings_range: str = "range"
    earnings_from: str = "date_from"
    earnings_to: str = "date_to"

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

    transfer_approved: str = "APPROVED"
    transfer_denied: str = "DENIED"
    """The words by which a transfer request is decided."""

    status_open: frozenset[str] = frozenset({"PENDING", "IN_PROGRESS"})
    status_completed: frozenset[str] = frozenset({"COMPLETED"})
    status_failed: frozenset[str] = frozenset({"FAILED", "CANCELLED", "EXPIRED"})
    orders_per_pull: int = Field(default=2, ge=1)
    """How many orders one pull may make in all when the bank fails the first."""
    links_per_report: int = Field(default=3, ge=1)
    not_found_grace_seconds: float = Field(default=30.0, ge=0)
    """How long a report that the bank has just announced may still be unknown to it."""

    json_cap_bytes: int = Field(default=8 * 2**20, gt=0)
    csv_cap_bytes: int = Field(default=256 * 2**20, gt=0)
    xml_cap_bytes: int = Field(default=64 * 2**20, gt=0)
    pdf_cap_bytes: int = Field(default=32 * 2**20, gt=0)

    limits_per_minute: Annotated[Mapping[Group, Annotated[int, Field(ge=1)]], AfterValidator(_frozen_limits)] = {
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

    def wire_names(self) -> Mapping[str, str]:
        """`names` and the names of fields that have settings of their own, as `names` spells them."""
        settings = {
            "TransactionActivity.time_booked": self.transaction_time,
            "CreateReportRequest.report_type": self.report_type,
            "CreateReportRequest.output_formats": self.output_formats,
            "CreateReportRequest.pocket_ids": self.pocket_ids,
            "CreateReportRequest.date": self.report_day,
            "CreateReportRequest.date_from": self.report_first,
            "CreateReportRequest.date_to": self.report_last,
            "CreateReportRequest.date_type": self.date_type,
            "ReportRequest.report_type": self.report_type,
            "ReportRequest.output_formats": self.output_formats,
            "ReportRequest.status": self.report_status,
            "ReportRequest.reports": self.reports,
            "ReportRequest.parameters": self.parameters,
            "ReportRequest.error": self.report_error,
            "ReportRequest.created_at": self.created_at,
            "Report.report_type": self.report_type,
            "Report.output_format": self.output_format,
            "Report.pocket_id": self.pocket_id,
            "Report.file_name": self.file_name,
            "Report.created_at": self.created_at,
            "ReportDownload.url": self.link_url,
        }
        differing = {own: wire for own, wire in settings.items() if own.rpartition(".")[2] != wire}
        return {**differing, **self.names}

    def cap_bytes(self, output_format: OutputFormat) -> int:
        """The largest file accepted in a form."""
        if output_format is OutputFormat.CAMT053:
            return self.xml_cap_bytes
        return self.pdf_cap_bytes if output_format is OutputFormat.PDF else self.csv_cap_bytes


JIKO: Final = Contract()
"""The contract as it is assumed of Jiko, and as the simulated Jiko keeps it."""
