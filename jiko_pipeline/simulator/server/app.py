"""The two applications of the simulated bank: API with sign-in and control, and storage.

Belongs here: putting the operations of all subjects together. Does not belong here: what they answer, which
scope and limit group each has (the module of its subject; scopes are those that the description of the API
guesses, groups those of Jiko's rate limit table).
"""

import time
from email.utils import format_datetime
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jiko_pipeline.simulator.chaos.application import Disturbed
from jiko_pipeline.simulator.chaos.control import chaos_routes
from jiko_pipeline.simulator.chaos.evil import WatchedStorage
from jiko_pipeline.simulator.server import (
    agreements,
    audits,
    confirmations,
    counterparties,
    customer,
    documents_upload,
    earnings,
    events,
    holdings,
    movements,
    notifications,
    people,
    pockets,
    portals,
    reports,
    strategies,
    subscriptions,
    transfers,
)
from jiko_pipeline.simulator.server.bank import LONGEST_BODY_BYTES, SimulatedBank, endpoint, json_response
from jiko_pipeline.simulator.server.control import control_routes
from jiko_pipeline.simulator.server.sign_in import token
from jiko_pipeline.simulator.server.storage import file_endpoint

ALL_OPERATIONS: Final = (
    *holdings.OPERATIONS,
    *movements.OPERATIONS,
    *pockets.OPERATIONS,
    *earnings.OPERATIONS,
    *confirmations.OPERATIONS,
    *transfers.OPERATIONS,
    *reports.OPERATIONS,
    *agreements.OPERATIONS,
    *audits.OPERATIONS,
    *counterparties.OPERATIONS,
    *customer.OPERATIONS,
    *documents_upload.OPERATIONS,
    *people.OPERATIONS,
    *portals.OPERATIONS,
    *strategies.OPERATIONS,
    *subscriptions.OPERATIONS,
    *events.OPERATIONS,
    *notifications.OPERATIONS,
)
"""Every operation of the API."""


def api_application(bank: SimulatedBank) -> ASGIApp:
    """The API's origin: Jiko's operations, the token endpoint, the control routes."""

    async def sign_in(request: Request) -> Response:
        return await token(bank, request)

    routes = [
        Route(
            operation.path,
            endpoint(bank, operation),
            methods=[operation.method],
            max_body_size=operation.longest_body,
        )
        # A path without parameters comes before one whose parameter could be its last part.
        for operation in sorted(ALL_OPERATIONS, key=lambda operation: operation.path.count("{"))
    ]
    routes += [Route("/api/oauth2/token", sign_in, methods=["POST"]), *control_routes(bank), *chaos_routes(bank)]
    application = Starlette(
        routes=routes, exception_handlers={404: _plain, 405: _plain}, max_body_size=LONGEST_BODY_BYTES
    )
    return _Clocked(Disturbed(application, bank), bank)


def storage_application(bank: SimulatedBank) -> ASGIApp:
    """The storage origin."""
    application = Starlette(routes=[Route("/files/{token}", file_endpoint(bank), methods=["GET"])])
    return _Clocked(WatchedStorage(Disturbed(application, bank), bank.chaos), bank)


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
