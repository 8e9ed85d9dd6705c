"""The receiver: an HTTP server that takes signed events and answers at once.

Belongs here: the one route, its refusals, serving it. Does not belong here: the signature (`signature`), keeping
events (`inbox`), acting on them (`jiko_pipeline.pipeline.events`).

Nothing is parsed before the signature holds, and 202 is answered only after the event is on disk. An address on
loopback is the default: behind a reverse proxy that ends TLS.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from jiko_pipeline.errors import StorageError
from jiko_pipeline.webhooks.event import BankEvent, UnreadableEventError, parse_event
from jiko_pipeline.webhooks.inbox import Inbox
from jiko_pipeline.webhooks.patience import ImpatientProtocol
from jiko_pipeline.webhooks.signature import SIGNATURE_HEADER, is_signed

PATH: Final = "/webhooks"
LARGEST_BODY_BYTES: Final = 1_000_000
_BODY_SECONDS: Final = 10.0
CONNECTIONS: Final = 64


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one request: the status answered, and the event where there is one."""

    status: int
    event: BankEvent | None = None
    is_new: bool = False


Observer = Callable[[Receipt], None]
"""Is told of every request that was answered."""


def application(secret: bytes, inbox: Inbox, observe: Observer = lambda _: None) -> Starlette:
    """The receiver as an ASGI application.

    202 for an event that is on disk, now or before; 401 for a signature that is missing or wrong; 400 for signed
    bytes that are no event; 413 for a body over 1 MB; 408 for one that does not come; 503 when it cannot be kept,
    so that the bank tries again.
    """

    async def receive(request: Request) -> Response:
        receipt = await _receive(request, secret, inbox)
        observe(receipt)
        return JSONResponse({"detail": _WORDS[receipt.status]}, receipt.status)

    receiver = Starlette(routes=[Route(PATH, receive, methods=["POST"])])
    # Behind a proxy a redirect would name an address that the bank cannot reach.
    receiver.router.redirect_slashes = False
    return receiver


_WORDS: Final = {
    202: "Received",
    400: "The body is no event",
    401: "The signature is missing or wrong",
    408: "The body did not come",
    413: "The body is too large",
    503: "The event cannot be kept now",
}


async def _receive(request: Request, secret: bytes, inbox: Inbox) -> Receipt:
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            body = await _body(request)
    except (TimeoutError, ClientDisconnect):
        return Receipt(408)
    if body is None:
        return Receipt(413)
    signatures = request.headers.getlist(SIGNATURE_HEADER)
    if len(signatures) != 1 or not is_signed(secret, body, signatures[0].encode("latin-1")):
        return Receipt(401)
    try:
        event = parse_event(body)
    except UnreadableEventError:
        return Receipt(400)
    try:
        new = await run_in_threadpool(inbox.put, body)
    except StorageError:
        return Receipt(503, event)
    return Receipt(202, event, bool(new))


async def _body(request: Request) -> bytes | None:
    """The raw body; None when it is larger than a webhook's may be."""
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated[:20]) > LARGEST_BODY_BYTES:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY_BYTES:
            return None
    return bytes(body)


def serve(receiver: Starlette, host: str, port: int, listening: Callable[[int], None] = lambda _: None) -> None:
    """Serve until SIGTERM or SIGINT; port 0 takes a free one, and `listening` is told which.

    Raises StorageError when the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
        except OSError as error:
            raise StorageError(
                f"Port {port} of {host} cannot be bound: {error.strerror}.", remedy="Name another --port or --host."
            ) from None
        bound.listen()
        listening(bound.getsockname()[1])
        # What uvicorn would log at INFO names every caller; the receiver tells of events itself.
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        uvicorn.Server(server_of(receiver)).run([bound])


def server_of(receiver: Starlette) -> uvicorn.Config:
    """How the receiver is served: few connections, none of which waits long for what does not come."""
    return uvicorn.Config(
        receiver,
        http=ImpatientProtocol,
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        lifespan="off",
        ws="none",
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
