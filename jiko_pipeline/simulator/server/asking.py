"""Asking the simulated bank within its own process: the bodies that the API would answer, without HTTP.

Belongs here: a bank that nobody else uses, read operations and their pages. Does not belong here: sign-in, limits and
chaos, which belong to requests; anything that changes the bank.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request

from jiko_pipeline.simulator.server.app import ALL_OPERATIONS
from jiko_pipeline.simulator.server.bank import Call, SimulatedBank
from jiko_pipeline.simulator.server.limits import LimitProfile
from jiko_pipeline.simulator.server.state import State
from jiko_pipeline.simulator.world import World

CLIENT: Final = "simulated-client"
"""The client who asks."""
_CLIENTS: Final = (CLIENT, "simulated-approver")
"""The clients that an embedded simulator makes for itself; their service users are in the team."""

_ORIGIN: Final = "http://127.0.0.1"
_PAGE: Final = 100
_NONE: Final[Mapping[str, str]] = {}
_READS: Final = {operation.name: operation for operation in ALL_OPERATIONS if operation.method == "GET"}


class Desk:
    """Answers questions to one world at one instant."""

    def __init__(self, bank: SimulatedBank, now: datetime) -> None:
        self._bank = bank
        self._now = now

    def ask(self, operation: str, path: Mapping[str, str] = _NONE, query: Mapping[str, str] = _NONE) -> bytes:
        """The body of a read operation by its name. Raises KeyError for another, RefusedError where it is refused."""
        declared = _READS[operation]
        request = Request(
            {
                "type": "http",
                "method": "GET",
                "path": declared.path,
                "path_params": dict(path),
                "query_string": urlencode(query).encode(),
                "headers": [],
            }
        )
        answer = declared.answer(Call(self._bank, request, b"", self._now, CLIENT))
        return bytes(answer.body)

    def pages(self, operation: str, **query: str) -> list[bytes]:
        """All pages of a cursor list, in order."""
        asked = {"limit": str(_PAGE), **query}
        pages = [self.ask(operation, query=asked)]
        while (cursor := json.loads(pages[-1])["next_page"]) is not None:
            pages.append(self.ask(operation, query={**asked, "cursor": cursor}))
        return pages

    def offset_pages(self, operation: str) -> list[bytes]:
        """All pages of an offset list, the empty one at its end among them."""
        pages = []
        offset = 0
        while True:
            pages.append(self.ask(operation, query={"limit": str(_PAGE), "offset": str(offset)}))
            items = json.loads(pages[-1])["items"]
            offset += len(items)
            if not items:
                return pages


@contextmanager
def desk(world: World, now: datetime) -> Iterator[Desk]:
    """A desk of a bank that has `world` and that nobody has ordered anything of, at the instant `now` (aware)."""
    with TemporaryDirectory(prefix="jiko-simulated-bank-") as folder, State(Path(folder) / "state.sqlite") as state:
        state.set_now(now)
        with state.transaction():
            yield Desk(
                SimulatedBank(
                    world=world,
                    state=state,
                    clients=dict.fromkeys(_CLIENTS, ()),
                    limits=LimitProfile.OFF,
                    api_origin=_ORIGIN,
                    storage_origin=_ORIGIN,
                    control_token="",
                    signing_secret=world.world_id,
                    config={},
                    stop=lambda: None,
                ),
                now,
            )
