"""The storage origin: files behind temporary links, and nothing else.

Belongs here: `/files/{token}` and its refusals, worded as object stores word them. A request that carries
credentials is refused and counted, as signed links of object stores refuse a second sign-in. Does not belong
here: making links, making files.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from jiko_pipeline.simulator.documents import monthly_pdf
from jiko_pipeline.simulator.server.agreements import agreement_file
from jiko_pipeline.simulator.server.bank import SimulatedBank
from jiko_pipeline.simulator.server.confirmations import confirmation_file
from jiko_pipeline.simulator.server.links import (
    AGREEMENT,
    MONTHLY_STATEMENT,
    REPORT,
    TRADE_CONFIRMATION,
    LinkRefusedError,
    read_link,
)
from jiko_pipeline.simulator.server.reports import ReportFile, mark_delivered, report_file

INCIDENTS: Final = "storage_incidents"
CREDENTIAL_HEADERS: Final = ("authorization", "cookie", "x-api-key")


class _DeliveredResponse(Response):
    """A file that notes when all of it was sent."""

    def __init__(self, file: ReportFile, delivered: Callable[[], None]) -> None:
        super().__init__(
            file.body,
            headers={"Content-Disposition": f'attachment; filename="{file.name}"'},
            media_type=file.media_type,
        )
        self._delivered = delivered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if await Request(scope, receive).is_disconnected():
            return
        await super().__call__(scope, receive, send)
        self._delivered()


def file_endpoint(bank: SimulatedBank) -> Callable[[Request], Awaitable[Response]]:
    """The handler of GET /files/{token}."""

    async def answer(request: Request) -> Response:
        with bank.state.transaction():
            bank.state.count("download_file")
            if any(name in request.headers for name in CREDENTIAL_HEADERS):
                bank.state.count(INCIDENTS)
                return _error(400, "InvalidRequest", "Only one auth mechanism is allowed")
            try:
                subject, subject_id = read_link(bank, request.path_params["token"], bank.state.now())
            except LinkRefusedError as refusal:
                return _error(403, "AccessDenied", str(refusal))
            file = _FILES[subject](bank, subject_id)
        if file is None:
            return _error(404, "NoSuchKey", "The file does not exist")
        if request.method == "HEAD" or subject != REPORT:
            return _DeliveredResponse(file, lambda: None)
        return _DeliveredResponse(file, lambda: mark_delivered(bank, subject_id))

    return answer


def _monthly(bank: SimulatedBank, statement_id: str) -> ReportFile | None:
    today = bank.today()
    for statement in (*bank.world.monthly_statements(today), *bank.world.tax_documents(today)):
        if statement.id == statement_id:
            pocket = next(p for p in bank.world.pockets(today) if p.id == statement.pocket_id)
            name = f"{statement.type.lower()}-statement-{statement.pocket_id}-{statement.key}.pdf"
            return ReportFile(name, monthly_pdf.MEDIA_TYPE, monthly_pdf.render(statement, pocket))
    return None


_FILES: Final[Mapping[str, Callable[[SimulatedBank, str], ReportFile | None]]] = {
    AGREEMENT: agreement_file,
    MONTHLY_STATEMENT: _monthly,
    REPORT: report_file,
    TRADE_CONFIRMATION: confirmation_file,
}
"""What gives the file of each subject of a link."""


def _error(status: int, code: str, message: str) -> Response:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>\n"
    )
    return Response(body, status, media_type="application/xml")
