"""The life of a report request: ordered, looked at, finished or failed, its reports linked.

Belongs here: ids, status words, looks, the report endpoints. A request is finished by looking at it (a GET,
alone or in a list) or by the clock. Does not belong here: what may be ordered (`report_orders`).
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from starlette.responses import Response

from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.server.answers import Json, RefusedError, instant, not_found
from jiko_pipeline.simulator.server.bank import Call, Operation, SimulatedBank, json_response
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.links import REPORT, make_link
from jiko_pipeline.simulator.server.paging import Cursors, Key, cut
from jiko_pipeline.simulator.server.report_orders import ReportOrder, check_order, plan, read_order, render

FINISHED_AFTER: Final = timedelta(seconds=3)
_COLUMNS: Final = "number, id, body, created_at, looks, status, error, completed_at"


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A report request as the state keeps it."""

    number: int
    id: str
    body: str
    created_at: datetime
    looks: int
    status: str
    error: str | None
    completed_at: datetime | None

    @property
    def is_open(self) -> bool:
        """True until it is COMPLETED or FAILED."""
        return self.status in ("PENDING", "IN_PROGRESS")

    @property
    def looks_needed(self) -> int:
        """How many looks see it unfinished: 2 to 4, by its id."""
        return 2 + int(self.id[-4:], 16) % 3

    def order(self) -> ReportOrder:
        """What was asked for."""
        return read_order(json.loads(self.body))


def _record(row: Sequence[Any]) -> RequestRecord:
    number, identifier, body, created_at, looks, status, error, completed_at = row
    return RequestRecord(
        number,
        identifier,
        body,
        datetime.fromisoformat(created_at),
        looks,
        status,
        error,
        None if completed_at is None else datetime.fromisoformat(completed_at),
    )


def derived_id(*parts: object) -> str:
    """A UUID-shaped id: the same for the same parts."""
    text = json.dumps([str(part) for part in parts], separators=(",", ":"))
    return str(UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))


def create_request(call: Call) -> Response:
    """POST /api/v1/report-requests/."""
    try:
        body = json.loads(call.body)
    except ValueError:
        detail = [{"type": "json_invalid", "loc": ["body", 0], "msg": "JSON decode error", "input": {}}]
        raise RefusedError(422, {"detail": detail}) from None
    check_order(call.bank, read_order(body), call.today)
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    with call.bank.state.transaction() as connection:
        (same,) = connection.execute("select count(*) from report_request where body = ?", (text,)).fetchone()
        cursor = connection.execute(
            "insert into report_request (id, body, created_at, created_day, status) values (?, ?, ?, ?, 'PENDING')",
            (
                derived_id(call.bank.world.world_id, text, same),
                text,
                instant_text(call.now),
                call.today.isoformat(),
            ),
        )
        row = connection.execute(
            f"select {_COLUMNS} from report_request where number = ?", (cursor.lastrowid,)
        ).fetchone()
    return json_response(_show(_record(row), []), 201)


def get_request(call: Call) -> Response:
    """GET /api/v1/report-requests/{report_request_id}/: a look."""
    with call.bank.state.transaction() as connection:
        row = connection.execute(
            f"select {_COLUMNS} from report_request where id = ?", (call.path("report_request_id").lower(),)
        ).fetchone()
    if row is None:
        raise not_found()
    (record,) = _look(call.bank, [_record(row)], call.now)
    return json_response(_show(record, _reports_of(call.bank, [record]).get(record.number, [])))


def list_requests(call: Call) -> Response:
    """GET /api/v1/report-requests/, newest first: a look at each request on the page."""
    query = call.query
    limit = query.limit(30)
    date_from, date_to = query.day("date_from"), query.day("date_to")
    first = "0001-01-01" if date_from is None else date_from.isoformat()
    last = "9999-12-31" if date_to is None else date_to.isoformat()

    def walk(descending: bool, start: Key | None) -> Iterator[RequestRecord]:
        comparison, direction = ("<=", "desc") if descending else (">=", "asc")
        edge = start or (("9999", "") if descending else ("", ""))
        with call.bank.state.transaction() as connection:
            rows = connection.execute(
                f"""
                select {_COLUMNS} from report_request
                where created_day between ? and ? and created_at {comparison} ?
                order by created_at {direction}, number {direction}
                """,
                (first, last, edge[0]),
            )
            yield from map(_record, rows)

    page = cut(
        walk,
        lambda record: (instant_text(record.created_at), f"{record.number:012d}"),
        cursors=Cursors(call.bank.signing_secret, "report-requests", call.filters()),
        cursor=query.text("cursor"),
        limit=limit,
        descending=True,
    )
    page = replace(page, items=tuple(_look(call.bank, page.items, call.now)))
    reports = _reports_of(call.bank, page.items)
    return json_response(page.as_cursor_list(lambda record: _show(record, reports.get(record.number, []))))


def _look(bank: SimulatedBank, records: Sequence[RequestRecord], now: datetime) -> list[RequestRecord]:
    """The records after one more look at those that are still open."""
    seen = []
    for record in records:
        if record.is_open:
            seen.append(_finish(bank, record, now) if _is_due(record, now) else _progress(bank, record))
        else:
            seen.append(record)
    return seen


def _is_due(record: RequestRecord, now: datetime) -> bool:
    return record.looks >= record.looks_needed or now >= record.created_at + FINISHED_AFTER


def _progress(bank: SimulatedBank, record: RequestRecord) -> RequestRecord:
    status = "PENDING" if record.looks == 0 else "IN_PROGRESS"
    with bank.state.transaction() as connection:
        connection.execute(
            "update report_request set looks = looks + 1, status = ? where number = ?",
            (status, record.number),
        )
    return replace(record, looks=record.looks + 1, status=status)


def _finish(bank: SimulatedBank, record: RequestRecord, now: datetime) -> RequestRecord:
    planned = plan(bank, record.order(), record.created_at)
    completed_at = max(record.created_at, min(now, record.created_at + FINISHED_AFTER))
    error = planned if isinstance(planned, str) else None
    status = "COMPLETED" if error is None else "FAILED"
    with bank.state.transaction() as connection:
        connection.execute(
            "update report_request set looks = looks + 1, status = ?, error = ?, completed_at = ? where number = ?",
            (status, error, instant_text(completed_at), record.number),
        )
        if not isinstance(planned, str):
            connection.executemany(
                "insert into report (id, request_number, position, output_format, pocket_id, file_name)"
                " values (?, ?, ?, ?, ?, ?)",
                [
                    (
                        derived_id(record.id, position),
                        record.number,
                        position,
                        report.output_format,
                        report.pocket_id,
                        report.file_name,
                    )
                    for position, report in enumerate(planned)
                ],
            )
    return replace(record, looks=record.looks + 1, status=status, error=error, completed_at=completed_at)


_REPORT_COLUMNS: Final = (
    "select report.id, report.output_format, report.pocket_id, report.file_name,"
    " request.number, request.id, request.body, request.created_at"
    " from report join report_request as request on request.number = report.request_number"
)


def _reports_of(bank: SimulatedBank, records: Sequence[RequestRecord]) -> dict[int, list[Json]]:
    finished = [record.number for record in records if record.status == "COMPLETED"]
    reports: dict[int, list[Json]] = {}
    with bank.state.transaction() as connection:
        marks = ",".join("?" * len(finished))
        for row in connection.execute(
            f"{_REPORT_COLUMNS} where request.number in ({marks}) order by request.number, report.position",
            finished,
        ):
            reports.setdefault(row[4], []).append(_show_report(row))
    return reports


def _show(record: RequestRecord, reports: list[Json]) -> Json:
    parameters = json.loads(record.body)
    return {
        "id": record.id,
        "report_type": parameters["report_type"],
        "output_formats": parameters["output_formats"],
        "status": record.status,
        "reports": reports,
        "parameters": parameters,
        "error": record.error,
        "created_at": instant(record.created_at),
        "completed_at": instant(record.completed_at),
    }


def _show_report(row: Sequence[Any]) -> Json:
    identifier, output_format, pocket_id, file_name, _, request_id, body, created_at = row
    return {
        "id": identifier,
        "report_request_id": request_id,
        "report_type": json.loads(body)["report_type"],
        "output_format": output_format,
        "pocket_id": pocket_id,
        "file_name": file_name,
        "created_at": created_at,
    }


def _report_row(connection: sqlite3.Connection, report_id: str) -> Sequence[Any] | None:
    row: Sequence[Any] | None = connection.execute(
        f"{_REPORT_COLUMNS} where report.id = ?", (report_id.lower(),)
    ).fetchone()
    return row


def get_report(call: Call) -> Response:
    """GET /api/v1/reports/{report_id}/."""
    with call.bank.state.transaction() as connection:
        row = _report_row(connection, call.path("report_id"))
    if row is None:
        raise not_found()
    return json_response(_show_report(row))


def link_report(call: Call) -> Response:
    """POST /api/v1/reports/{report_id}/download/: a fresh temporary link."""
    with call.bank.state.transaction() as connection:
        row = _report_row(connection, call.path("report_id"))
    if row is None:
        raise not_found()
    url, expires = make_link(call.bank, REPORT, row[0], call.now)
    return json_response({"url": url, "expires_at": instant(expires)})


@dataclass(frozen=True, slots=True)
class ReportFile:
    """The bytes of a report."""

    name: str
    media_type: str
    body: bytes


def report_file(bank: SimulatedBank, report_id: str) -> ReportFile | None:
    """The file of a report, made anew each time and always the same; None for an unknown id."""
    with bank.state.transaction() as connection:
        row = _report_row(connection, report_id)
    if row is None:
        return None
    identifier, output_format, pocket_id, file_name, _, _, body, created_at = row
    content, media_type = render(
        bank,
        read_order(json.loads(body)),
        report_id=identifier,
        output_format=output_format,
        pocket_id=pocket_id,
        created_at=datetime.fromisoformat(created_at),
    )
    return ReportFile(file_name, media_type, content)


def mark_delivered(bank: SimulatedBank, report_id: str) -> None:
    """Note that a report's file was fetched completely."""
    with bank.state.transaction() as connection:
        connection.execute("update report set delivered = 1 where id = ? and delivered = 0", (report_id,))


def delivered_reports(bank: SimulatedBank) -> int:
    """How many different reports were fetched completely."""
    with bank.state.transaction() as connection:
        (number,) = connection.execute("select count(*) from report where delivered = 1").fetchone()
    return int(number)


OPERATIONS: Final = (
    Operation(
        "POST", "/api/v1/report-requests/", "create_report_request", LimitGroup.REPORTS, "reports.write", create_request
    ),
    Operation(
        "GET", "/api/v1/report-requests/", "list_report_requests", LimitGroup.REPORTS, "reports.read", list_requests
    ),
    Operation(
        "GET",
        "/api/v1/report-requests/{report_request_id}/",
        "get_report_request",
        LimitGroup.REPORTS,
        "reports.read",
        get_request,
    ),
    Operation("GET", "/api/v1/reports/{report_id}/", "get_report", LimitGroup.REPORTS, "reports.read", get_report),
    Operation(
        "POST", "/api/v1/reports/{report_id}/download/", "link_report", LimitGroup.REPORTS, "reports.read", link_report
    ),
)
