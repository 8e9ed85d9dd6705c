"""The running bank: the ledger, its state, its clients, and how a request is let in.

Belongs here: the object all handlers work on, and the way of every API request (count, sign-in, scope, limit,
answer). Does not belong here: what an operation answers.
"""

import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from joserfc.jwk import OKPKey, RSAKey
from starlette.requests import Request
from starlette.responses import Response

from jiko_pipeline.calendars import new_york_date
from jiko_pipeline.simulator.chaos.switch import Switch
from jiko_pipeline.simulator.server.answers import RefusedError, invalid
from jiko_pipeline.simulator.server.contract_changes import changed
from jiko_pipeline.simulator.server.limits import LimitGroup, LimitProfile, spend
from jiko_pipeline.simulator.server.queries import Query
from jiko_pipeline.simulator.server.state import State
from jiko_pipeline.simulator.world import World

Key = OKPKey | RSAKey
LONGEST_BODY_BYTES: Final = 65_536


@dataclass(slots=True)
class SimulatedBank:
    """Everything a handler needs. Used from the event loop's thread only, so the ledger needs no lock."""

    world: World
    state: State
    clients: Mapping[str, tuple[Key, ...]]
    limits: LimitProfile
    api_origin: str
    storage_origin: str
    control_token: str
    signing_secret: str
    config: Mapping[str, Any]
    stop: Callable[[], None]
    last_request: float = field(default_factory=time.monotonic)
    chaos: Switch = field(default_factory=Switch)
    contract_changes: frozenset[str] = frozenset()

    @property
    def token_url(self) -> str:
        """The full URL of the token endpoint, which assertions must name as their audience."""
        return f"{self.api_origin}/api/oauth2/token"

    def today(self) -> date:
        """The New York date of the simulator's clock."""
        return new_york_date(self.state.now())


@dataclass(frozen=True, slots=True)
class Call:
    """One API request that was let in."""

    bank: SimulatedBank
    request: Request
    body: bytes
    now: datetime
    client_id: str

    @property
    def query(self) -> Query:
        """The query parameters."""
        return Query(self.request.query_params)

    @property
    def today(self) -> date:
        """The New York date of `now`."""
        return new_york_date(self.now)

    def path(self, name: str) -> str:
        """A path parameter."""
        return str(self.request.path_params[name])

    def identifier(self, name: str) -> str:
        """A path parameter that is a UUID, in lower case. Raises RefusedError(422) for one that is none."""
        value = self.path(name)
        try:
            return str(UUID(value))
        except ValueError:
            raise invalid("path", name, "Input should be a valid UUID", "uuid_parsing", value) from None

    def filters(self) -> dict[str, list[str]]:
        """The query without paging, which a cursor is bound to."""
        parameters = self.request.query_params
        return {name: sorted(parameters.getlist(name)) for name in parameters if name not in ("cursor", "limit")}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API: its route, its counter, its limit group, the scope it needs, what answers it.

    A body of more than `longest_body` bytes is refused with 413 before it is read.
    """

    method: str
    path: str
    name: str
    group: LimitGroup
    scope: str
    answer: Callable[[Call], Response]
    longest_body: int = LONGEST_BODY_BYTES


def hashed(secret: str) -> str:
    """How a token is kept: only its hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def json_response(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    content = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return Response(content, status, headers, "application/json")


def endpoint(bank: SimulatedBank, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    """The handler of a route: one state transaction for each request, kept also when it is refused."""

    async def answer(request: Request) -> Response:
        body = await request.body()
        with bank.state.transaction():
            bank.state.count(operation.name)
            answered = _answer(bank, operation, request, body)
            return changed(answered, operation.method, operation.path, bank.contract_changes)

    return answer


def _answer(bank: SimulatedBank, operation: Operation, request: Request, body: bytes) -> Response:
    now = bank.state.now()
    client = _signed_in(bank, request, now)
    allowance, excess = spend(bank.state, bank.limits, operation.group, None if client is None else client[0], now)
    try:
        if client is None:
            raise RefusedError(401, {"detail": "Not authenticated"}, {"WWW-Authenticate": "Bearer"})
        if excess is not None:
            raise excess
        if operation.scope not in client[1]:
            raise RefusedError(403, {"detail": f"The token lacks the scope {operation.scope}"})
        response = operation.answer(Call(bank, request, body, now, client[0]))
    except RefusedError as refusal:
        response = json_response(refusal.body, refusal.status, refusal.headers)
    response.headers.update(allowance.headers())
    return response


def _signed_in(bank: SimulatedBank, request: Request, now: datetime) -> tuple[str, frozenset[str]] | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    with bank.state.transaction() as connection:
        row = connection.execute(
            "select client_id, scope from access_token where token_hash = ? and expires_at > ?",
            (hashed(token.strip()), now.timestamp()),
        ).fetchone()
    return None if row is None else (str(row[0]), frozenset(str(row[1]).split()))
