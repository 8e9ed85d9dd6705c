"""The two applications of the simulated bank: API with sign-in and control, and storage.

Belongs here: which path is which operation, its limit group and scope. Does not belong here: what it answers.
Scopes are those that `openapi.yaml` guesses; source of the groups: Jiko's rate limit table.
"""

import time
from email.utils import format_datetime
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jiko_pipeline.simulator.server import holdings, movements, reports
from jiko_pipeline.simulator.server.bank import Operation, SimulatedBank, endpoint, json_response
from jiko_pipeline.simulator.server.control import control_routes
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.sign_in import token
from jiko_pipeline.simulator.server.storage import file_endpoint

LONGEST_BODY_BYTES: Final = 65_536

_READ: Final = "pockets.read"
_OPERATIONS: Final = (
    ("GET", "/api/v2/pockets/", Operation("list_pockets", LimitGroup.POCKETS, _READ, holdings.list_pockets)),
    (
        "GET",
        "/api/v2/pockets/{pocket_id}/",
        Operation("get_pocket", LimitGroup.POCKETS, _READ, holdings.get_pocket),
    ),
    (
        "GET",
        "/api/v2/transactions/",
        Operation("list_transactions", LimitGroup.TRANSACTIONS, _READ, movements.list_transactions),
    ),
    (
        "GET",
        "/api/v2/transactions.csv",
        Operation("export_transactions", LimitGroup.TRANSACTIONS, _READ, movements.export_transactions),
    ),
    (
        "GET",
        "/api/v1/trades/",
        Operation("list_trades_v1", LimitGroup.TRADES, _READ, movements.list_trades_v1),
    ),
    (
        "GET",
        "/api/v1/trades.csv",
        Operation("export_trades", LimitGroup.TRADES, _READ, movements.export_trades),
    ),
    (
        "GET",
        "/api/v2/trades/",
        Operation("list_trades_v2", LimitGroup.TRADES, _READ, movements.list_trades_v2),
    ),
    (
        "GET",
        "/api/v1/statements/",
        Operation("list_statements", LimitGroup.STATEMENTS, _READ, movements.list_statements),
    ),
    (
        "POST",
        "/api/v1/report-requests/",
        Operation("create_report_request", LimitGroup.REPORTS, "reports.write", reports.create_request),
    ),
    (
        "GET",
        "/api/v1/report-requests/",
        Operation("list_report_requests", LimitGroup.REPORTS, "reports.read", reports.list_requests),
    ),
    (
        "GET",
        "/api/v1/report-requests/{report_request_id}/",
        Operation("get_report_request", LimitGroup.REPORTS, "reports.read", reports.get_request),
    ),
    (
        "GET",
        "/api/v1/reports/{report_id}/",
        Operation("get_report", LimitGroup.REPORTS, "reports.read", reports.get_report),
    ),
    (
        "POST",
        "/api/v1/reports/{report_id}/download/",
        Operation("link_report", LimitGroup.REPORTS, "reports.read", reports.link_report),
    ),
)


def api_application(bank: SimulatedBank) -> ASGIApp:
    """The API's origin: Jiko's operations, the token endpoint, the control routes."""

    async def sign_in(request: Request) -> Response:
        return await token(bank, request)

    routes = [Route(path, endpoint(bank, operation), methods=[method]) for method, path, operation in _OPERATIONS]
    routes += [Route("/api/oauth2/token", sign_in, methods=["POST"]), *control_routes(bank)]
    application = Starlette(
        routes=routes, exception_handlers={404: _plain, 405: _plain}, max_body_size=LONGEST_BODY_BYTES
    )
    return _Clocked(application, bank)


def storage_application(bank: SimulatedBank) -> ASGIApp:
    """The storage origin."""
    application = Starlette(routes=[Route("/files/{token}", file_endpoint(bank), methods=["GET"])])
    return _Clocked(application, bank)


def _plain(_: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    return json_response({"detail": "Not Found" if status == 404 else "Method Not Allowed"}, status)


class _Clocked:
    """Notes that the bank is in use and dates every answer by the simulator's clock."""

    def __init__(self, application: ASGIApp, bank: SimulatedBank) -> None:
        self._application = application
        self._bank = bank

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._bank.last_request = time.monotonic()

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                stamp = format_datetime(self._bank.state.now(), usegmt=True)
                message["headers"] = [*message["headers"], (b"date", stamp.encode())]
            await send(message)

        await self._application(scope, receive, dated if scope["type"] == "http" else send)
