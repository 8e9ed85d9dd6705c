"""The control routes below `/__simulator__/`: health, counters, the hidden truth, the clock, the end.

Belongs here: what tests and the process that owns the simulator ask. Does not belong here: anything Jiko has.
"""

import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jiko_pipeline.simulator.documents import delimited
from jiko_pipeline.simulator.server.answers import RefusedError, instant, invalid
from jiko_pipeline.simulator.server.bank import SimulatedBank, json_response
from jiko_pipeline.simulator.server.contract_changes import UnknownChangeError, checked
from jiko_pipeline.simulator.server.reports import delivered_reports
from jiko_pipeline.simulator.server.storage import INCIDENTS

CONTROL_HEADER: Final = "X-Simulator-Token"
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


def control_routes(bank: SimulatedBank) -> list[Route]:
    """The routes, to be mounted on the API's origin."""

    def health(_: Request, __: bytes) -> Response:
        return json_response({"status": "ok", "world_id": bank.world.world_id})

    def world(_: Request, __: bytes) -> Response:
        return json_response(
            {
                "world_id": bank.world.world_id,
                "config": dict(bank.config),
                "limits": bank.limits.value,
                "now": instant(bank.state.now()),
                "today": bank.today().isoformat(),
            }
        )

    def counters(_: Request, __: bytes) -> Response:
        calls = bank.state.counts()
        incidents = calls.pop(INCIDENTS, 0)
        return json_response(
            {"calls": calls, "reports_delivered": delivered_reports(bank), "storage_incidents": incidents}
        )

    def truth(_: Request, __: bytes) -> Response:
        return json_response(bank.world.truth())

    def clock(_: Request, body: bytes) -> Response:
        move_clock(bank, body)
        return json_response({"now": instant(bank.state.now())})

    def contract_changes(_: Request, body: bytes) -> Response:
        try:
            wanted = json.loads(body)["names"]
            bank.contract_changes = checked([str(name) for name in wanted])
        except UnknownChangeError as error:
            raise invalid("body", "names", f"Value error, {error}", "value_error") from None
        except (ValueError, KeyError, TypeError):
            raise invalid("body", "names", "Field required: a list of names", "missing") from None
        return json_response({"names": sorted(bank.contract_changes)})

    def shutdown(_: Request, __: bytes) -> Response:
        bank.stop()
        return json_response({"status": "stopping"})

    def reference(_: Request, __: bytes) -> Response:
        auctions = bank.world.reference_auctions(bank.today())
        return Response(delimited.reference_list(auctions), media_type=delimited.MEDIA_TYPE)

    def route(path: str, method: str, answer: Callable[[Request, bytes], Response], *, open_to_all: bool) -> Route:
        async def handle(request: Request) -> Response:
            body = await request.body()
            if not open_to_all and not may_control(bank, request):
                return json_response({"detail": "The control token is missing or wrong"}, 401)
            try:
                with bank.state.transaction():
                    return answer(request, body)
            except RefusedError as refusal:
                return json_response(refusal.body, refusal.status, refusal.headers)

        return Route(f"/__simulator__/{path}", handle, methods=[method])

    return [
        route("health", "GET", health, open_to_all=True),
        route("reference.csv", "GET", reference, open_to_all=True),
        route("world", "GET", world, open_to_all=False),
        route("counters", "GET", counters, open_to_all=False),
        route("truth", "GET", truth, open_to_all=False),
        route("clock", "POST", clock, open_to_all=False),
        route("contract-changes", "POST", contract_changes, open_to_all=False),
        route("shutdown", "POST", shutdown, open_to_all=False),
    ]


def may_control(bank: SimulatedBank, request: Request) -> bool:
    """True when a request carries the control token."""
    given = request.headers.get(CONTROL_HEADER, "").encode()
    return hmac.compare_digest(given, bank.control_token.encode())


def move_clock(bank: SimulatedBank, body: bytes) -> None:
    """Set the bank's clock as `{"now"}` or `{"advance_seconds"}` says. Raises RefusedError(422)."""
    now = _wanted_time(bank.state.now(), body)
    if not EARLIEST <= now < LATEST:
        raise invalid("body", "now", "Value error, the bank keeps time from 2000 to 2199", "value_error")
    bank.state.set_now(now)


def _wanted_time(present: datetime, body: bytes) -> datetime:
    try:
        order: Any = json.loads(body)
    except ValueError:
        order = None
    wanted = order if isinstance(order, dict) else {}
    now, seconds = wanted.get("now"), wanted.get("advance_seconds")
    try:
        if isinstance(now, str):
            at = datetime.fromisoformat(now)
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        if isinstance(seconds, int | float) and not isinstance(seconds, bool):
            return present + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        raise invalid("body", "now", "Input should be a valid datetime", "datetime_parsing") from None
    raise invalid("body", "now", "Field required: now or advance_seconds", "missing")
