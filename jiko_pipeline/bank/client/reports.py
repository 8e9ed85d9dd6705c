"""Reports (`client.reports`): order, look, and ask for a link.

The pipeline orders and fetches reports through `jiko_pipeline.bank.orders`, which remembers what it ordered.
"""

from datetime import date
from uuid import UUID

from jiko_pipeline.bank.client.calling import Caller, due
from jiko_pipeline.bank.client.listed import Listed
from jiko_pipeline.bank.client.models.reports import CreateReportRequest, Report, ReportDownload, ReportRequest


class Reports:
    """Reports that the bank makes on request."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def order(self, request: CreateReportRequest) -> ReportRequest:
        """Order a report. After AmbiguousOutcomeError, look for it in `list_requests` first."""
        ordered: ReportRequest = self._caller.read(
            "reports.order", ReportRequest, body=due(request, CreateReportRequest)
        )
        return ordered

    def list_requests(
        self, *, date_from: date | None = None, date_to: date | None = None, limit: int | None = None
    ) -> Listed[ReportRequest]:
        """Report requests, newest first."""
        contract = self._caller.contract
        query = self._caller.query(
            "reports.list_requests", **{contract.requests_first: date_from, contract.requests_last: date_to}
        )
        return Listed(self._caller, "reports.list_requests", ReportRequest, query, limit)

    def get_request(self, report_request_id: str | UUID) -> ReportRequest:
        """One report request and, once it is completed, its reports. Raises NotFoundError."""
        found: ReportRequest = self._caller.read(
            "reports.get_request", ReportRequest, report_request_id=report_request_id
        )
        return found

    def get(self, report_id: str | UUID) -> Report:
        """One report that was made. Raises NotFoundError."""
        found: Report = self._caller.read("reports.get", Report, report_id=report_id)
        return found

    def link(self, report_id: str | UUID) -> ReportDownload:
        """A link to a report's file, good for a short time; it may be asked for as often as needed."""
        link: ReportDownload = self._caller.read("reports.link", ReportDownload, report_id=report_id)
        return link

    def download(self, report_id: str | UUID) -> bytes:
        """The file of a report: a fresh link, followed once without credentials, and forgotten."""
        cap = max(self._caller.contract.csv_cap_bytes, self._caller.contract.pdf_cap_bytes)
        return self._caller.fetch(self.link(report_id).url, cap)
