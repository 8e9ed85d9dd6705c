"""The control routes below `/__chaos__/`: rules, log, reset, truth, clock, incidents.

Belongs here: what tests ask of the chaos switch, all with the control token. Does not belong here: the switch.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jiko_pipeline.simulator.chaos.profiles import PROFILES, rules_of
from jiko_pipeline.simulator.chaos.rules import RuleRefusedError, read_rules
from jiko_pipeline.simulator.server.answers import RefusedError, instant
from jiko_pipeline.simulator.server.bank import SimulatedBank, json_response
from jiko_pipeline.simulator.server.control import may_control, move_clock

Answering = Callable[[bytes], Awaitable[Response]]


def chaos_routes(bank: SimulatedBank) -> list[Route]:
    """The routes, to be mounted on the API's origin."""
    switch = bank.chaos

    async def in_force() -> Response:
        if switch.adapt_wire is not None:
            await switch.adapt_wire()
        return json_response({"rules": [rule.model_dump(mode="json") for rule in switch.rules]})

    async def add(body: bytes) -> Response:
        switch.add(read_rules(body, len(switch.rules)))
        return await in_force()

    async def rules(_: bytes) -> Response:
        return await in_force()

    async def reset(body: bytes) -> Response:
        order = _object(body)
        profile, seed = order.get("profile", "none"), order.get("seed")
        if profile not in PROFILES:
            raise RuleRefusedError(f"profile: must be {' or '.join(PROFILES)}")
        if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
            raise RuleRefusedError("seed: must be an integer")
        switch.reset(seed, rules_of(profile))
        return await in_force()

    async def log(_: bytes) -> Response:
        return Response(switch.log_lines(), media_type="application/x-ndjson")

    async def truth(_: bytes) -> Response:
        return json_response(bank.world.truth())

    async def clock(_: bytes) -> Response:
        return json_response({"now": instant(bank.state.now())})

    async def set_clock(body: bytes) -> Response:
        with bank.state.transaction():
            move_clock(bank, body)
        return await clock(body)

    async def incidents(_: bytes) -> Response:
        return json_response(switch.incidents)

    def route(path: str, method: str, answer: Answering) -> Route:
        async def handle(request: Request) -> Response:
            if not may_control(bank, request):
                return json_response({"detail": "The control token is missing or wrong"}, 401)
            try:
                return await answer(await request.body())
            except RuleRefusedError as refusal:
                return json_response({"detail": str(refusal)}, 422)
            except RefusedError as refusal:
                return json_response(refusal.body, refusal.status, refusal.headers)

        return Route(f"/__chaos__/{path}", handle, methods=[method])

    return [
        route("rules", "POST", add),
        route("rules", "GET", rules),
        route("reset", "POST", reset),
        route("log", "GET", log),
        route("truth", "GET", truth),
        route("clock", "GET", clock),
        route("clock", "POST", set_clock),
        route("incidents", "GET", incidents),
    ]


def _object(body: bytes) -> dict[str, Any]:
    try:
        order: Any = json.loads(body or b"{}")
    except ValueError:
        raise RuleRefusedError("The body is no JSON.") from None
    if not isinstance(order, dict):
        raise RuleRefusedError("The body is no JSON object.")
    return order
