"""What is ordered and how an order looks on the wire.

Belongs here: `ReportPull`, the body of an order, reading a report request back, comparing it with what was
asked. Does not belong here: who orders when (`orders`), what was ordered before (`order_book`).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from jiko_pipeline.bank.api import safe_id
from jiko_pipeline.bank.contract import (
    RANGED_REPORTS,
    Contract,
    DateType,
    OutputFormat,
    ReportType,
)
from jiko_pipeline.bank.errors import ContractBrokenError
from jiko_pipeline.bank.listings import aware_instant
from jiko_pipeline.bank.operations import OPERATIONS

ORDER: Final = OPERATIONS["reports.order"]
LIST_REQUESTS: Final = OPERATIONS["reports.list_requests"]
GET_REQUEST: Final = OPERATIONS["reports.get_request"]
MAKE_LINK: Final = OPERATIONS["reports.link"]


class PullReason(StrEnum):
    """Why a document is fetched; the same document for another reason is another pull."""

    DAILY = "DAILY"
    AFTER_CUTOFF = "AFTER_CUTOFF"
    CONFIRM = "CONFIRM"
    MONTH_END = "MONTH_END"


@dataclass(frozen=True, slots=True)
class ReportPull:
    """One wish for a report, ordered at most once.

    `first` and `last` are New York days and equal for reports of one day. `round` tells two pulls of the same
    reason apart (the as-of date of a trailing re-read, for example). Raises ValueError where these
    contradict.
    """

    report_type: ReportType
    output_formats: tuple[OutputFormat, ...]
    pocket_id: str | None
    first: date
    last: date
    date_type: DateType | None = None
    reason: PullReason = PullReason.DAILY
    round: str = ""

    def __post_init__(self) -> None:
        if not self.output_formats or len(set(self.output_formats)) != len(self.output_formats):
            raise ValueError("a pull needs its output formats, each once")
        if self.last < self.first or (self.report_type not in RANGED_REPORTS and self.first != self.last):
            raise ValueError(f"{self.report_type} cannot cover {self.first} to {self.last}")
        if self.date_type is not None and self.report_type is not ReportType.TRADE:
            raise ValueError("only a trade report has a type of date")

    @property
    def key(self) -> str:
        """Stable name of the pull: sha256 over all of its fields."""
        parts = [
            self.report_type.value,
            sorted(form.value for form in self.output_formats),
            self.pocket_id,
            self.first.isoformat(),
            self.last.isoformat(),
            None if self.date_type is None else self.date_type.value,
            self.reason.value,
            self.round,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def title(self) -> str:
        """The pull for a person, pocket shortened."""
        pocket = f" of pocket {self.pocket_id[:8]}" if self.pocket_id else ""
        span = f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"
        return f"{self.report_type.value}{pocket} for {span}"


def parameters_of(pull: ReportPull, contract: Contract) -> dict[str, object]:
    """What an order says beside type and formats."""
    parameters: dict[str, object] = {}
    if pull.pocket_id is not None:
        parameters[contract.pocket_ids] = [pull.pocket_id]
    if pull.report_type in RANGED_REPORTS:
        parameters[contract.report_first] = pull.first.isoformat()
        parameters[contract.report_last] = pull.last.isoformat()
    else:
        parameters[contract.report_day] = pull.first.isoformat()
    if pull.date_type is not None:
        parameters[contract.date_type] = pull.date_type.value
    return parameters


def body_of(pull: ReportPull, contract: Contract) -> dict[str, object]:
    """The body of an order."""
    return {
        contract.report_type: pull.report_type.value,
        contract.output_formats: [form.value for form in pull.output_formats],
        **parameters_of(pull, contract),
    }


@dataclass(frozen=True, slots=True)
class MadeReport:
    """One report of a completed request. `file_name` is the bank's and data only."""

    report_id: str
    output_format: OutputFormat
    created_at: datetime | None
    file_name: str | None


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A report request as the bank states it. `raw` is all of it."""

    request_id: str
    status: str
    created_at: datetime | None
    raw: Mapping[str, Any]


def read_request(item: object, contract: Contract, where: str) -> ReportRequest:
    """A report request from its JSON object. Raises ContractBrokenError without a usable id or status."""
    if not isinstance(item, dict):
        raise ContractBrokenError(f"{where} answered a report request that is not an object.")
    status = item.get(contract.report_status)
    if not isinstance(status, str):
        raise ContractBrokenError(f"{where} answered a report request without a status.")
    created = item.get(contract.created_at)
    return ReportRequest(
        request_id=safe_id(item.get("id"), "id of a report request"),
        status=status,
        created_at=None if created is None else aware_instant(created, where),
        raw=item,
    )


def echo_problem(pull: ReportPull, request: ReportRequest, contract: Contract) -> str | None:
    """What of `request` differs from what `pull` asked for; None when nothing does.

    A part that the bank does not repeat cannot differ.
    """
    raw = request.raw
    stated_type = raw.get(contract.report_type, pull.report_type.value)
    if stated_type != pull.report_type.value:
        return f"it is of type {stated_type!r}"
    formats = raw.get(contract.output_formats)
    if formats is not None and (
        not isinstance(formats, list) or sorted(map(str, formats)) != sorted(form.value for form in pull.output_formats)
    ):
        return f"its formats are {formats!r}"
    stated = raw.get(contract.parameters)
    if isinstance(stated, dict):
        for name, asked in parameters_of(pull, contract).items():
            if name in stated and stated[name] != asked:
                return f"its {name} is not the one asked for"
        if pull.pocket_id is None and stated.get(contract.pocket_ids):
            return f"its {contract.pocket_ids} is not the one asked for"
    return None


def is_same_order(pull: ReportPull, request: ReportRequest, contract: Contract) -> bool:
    """True when `request` states everything that `pull` asks for, and nothing else: it may be adopted."""
    stated = request.raw.get(contract.parameters)
    if not isinstance(stated, dict) or echo_problem(pull, request, contract) is not None:
        return False
    if request.raw.get(contract.report_type) != pull.report_type.value:
        return False
    own_fields = {contract.report_type, contract.output_formats}
    said = {name: value for name, value in stated.items() if value is not None and name not in own_fields}
    asked = parameters_of(pull, contract)
    if pull.report_type is ReportType.TRADE and pull.date_type is None:
        said.pop(contract.date_type, None)
    return said == asked


def made_reports(pull: ReportPull, request: ReportRequest, contract: Contract, where: str) -> tuple[MadeReport, ...]:
    """The reports of a completed request, one for each format asked. Raises ContractBrokenError otherwise."""
    stated = request.raw.get(contract.reports)
    if not isinstance(stated, list) or not stated:
        raise ContractBrokenError(f"{where} calls a request completed that has no report.")
    made: dict[OutputFormat, MadeReport] = {}
    for item in stated:
        if not isinstance(item, dict):
            raise ContractBrokenError(f"{where} answered a report that is not an object.")
        word = item.get(contract.output_format)
        if word is None and len(pull.output_formats) == len(stated) == 1:
            word = pull.output_formats[0].value
        form = next((form for form in pull.output_formats if form.value == word), None)
        if form is None or form in made:
            raise ContractBrokenError(f"{where} answered a report in a form that was not asked for, or twice.")
        if item.get(contract.report_type, pull.report_type.value) != pull.report_type.value:
            raise ContractBrokenError(f"{where} answered a report of another type than the one asked for.")
        pocket = item.get(contract.pocket_id)
        if pocket is not None and pocket != pull.pocket_id:
            raise ContractBrokenError(f"{where} answered a report of another pocket than the one asked for.")
        created = item.get(contract.created_at)
        name = item.get(contract.file_name)
        made[form] = MadeReport(
            report_id=safe_id(item.get("id"), "id of a report"),
            output_format=form,
            created_at=request.created_at if created is None else aware_instant(created, where),
            file_name=_printable(name) if isinstance(name, str) else None,
        )
    if len(made) != len(pull.output_formats):
        raise ContractBrokenError(f"{where} answered fewer reports than forms that were asked for.")
    return tuple(made[form] for form in pull.output_formats)


def _printable(name: str) -> str:
    return "".join(character for character in name if character.isprintable())[:255]
