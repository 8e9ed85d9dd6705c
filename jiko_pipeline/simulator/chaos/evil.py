"""The evil origin: nobody has a reason to ask it, so each request to it is an incident.

Belongs here: noting and answering them. Does not belong here: the links that lead here (`changes`, `pages`).
"""

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from jiko_pipeline.simulator.chaos.circumstances import header
from jiko_pipeline.simulator.chaos.switch import Switch

_CREDENTIALS = (b"authorization", b"cookie", b"x-api-key")


class EvilOrigin:
    """Answers everything with an empty list, so that whoever follows it goes on."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the request."""
        if scope["type"] != "http":
            return
        why = _credentials(scope)
        self._switch.incident("evil", scope["method"], scope["path"], f"it came with {why}" if why else "it came")
        page = b'{"prev_page":null,"next_page":null,"items":[],"object_type":"CursorList"}'
        await Response(page, media_type="application/json")(scope, receive, send)


class WatchedStorage:
    """The storage origin with an eye on credentials: none belongs there."""

    def __init__(self, application: ASGIApp, switch: Switch) -> None:
        self._application = application
        self._switch = switch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note a request with credentials, and let it through to its refusal."""
        if scope["type"] == "http" and (found := _credentials(scope)):
            self._switch.incident("storage", scope["method"], "/files/{}", f"it came with {found}")
        await self._application(scope, receive, send)


def _credentials(scope: Scope) -> str:
    return ", ".join(name.decode() for name in _CREDENTIALS if header(scope, name))
