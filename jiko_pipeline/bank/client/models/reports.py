"""Reports: what is asked for, how far it is, what was made, and the link to it."""

from typing import Annotated, Any

from pydantic import Field

from jiko_pipeline.bank.client.models.base import Change, Day, Identifier, Instant, Known, Model
from jiko_pipeline.bank.contract import DateType, OutputFormat, ReportType

ReportTypeWord = Annotated[str, Known(tuple(word.value for word in ReportType))]
OutputFormatWord = Annotated[str, Known(tuple(word.value for word in OutputFormat))]
ReportRequestStatus = Annotated[str, Known(("PENDING", "IN_PROGRESS", "COMPLETED", "FAILED"))]


class CreateReportRequest(Change):
    """A report to be made: of one `date`, or of the days `date_from` to `date_to` (at most 31)."""

    report_type: ReportTypeWord
    output_formats: Annotated[tuple[OutputFormatWord, ...], Field(min_length=1)]
    pocket_ids: tuple[Identifier, ...] = ()
    date: Day | None = None
    date_from: Day | None = None
    date_to: Day | None = None
    date_type: Annotated[str, Known(tuple(word.value for word in DateType))] | None = None


class Report(Model):
    """A report that was made; `file_name` is the bank's and no path of ours."""

    id: Identifier
    report_request_id: Identifier | None = None
    report_type: ReportTypeWord | None = None
    output_format: OutputFormatWord | None = None
    pocket_id: Identifier | None = None
    file_name: str | None = None
    created_at: Instant | None = None


class ReportRequest(Model):
    """How far a report is; `parameters` repeats what was asked for."""

    id: Identifier
    report_type: ReportTypeWord | None = None
    output_formats: tuple[OutputFormatWord, ...] = ()
    status: ReportRequestStatus
    reports: tuple[Report, ...] = ()
    parameters: dict[str, Any] | None = None
    error: str | None = None
    created_at: Instant | None = None
    completed_at: Instant | None = None


class ReportDownload(Model):
    """A link to a report's file, good for a short time."""

    url: str = Field(repr=False)
    expires_at: Instant | None = None
