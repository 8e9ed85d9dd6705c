"""A webhook's address inside a test: a server on loopback that answers as told and remembers what came.

Belongs here: the server. Does not belong here: assertions.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

PATIENCE_SECONDS = 30.0
"""How long a webhook is waited for before the test fails."""


@dataclass(frozen=True)
class Arrival:
    """One delivery: its raw body and its signature."""

    body: bytes
    signature: str

    @property
    def event(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document


@dataclass
class Hook:
    """What came, in order, and the statuses still to be answered; 202 after the last of them."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    arrivals: "Queue[Arrival]" = field(default_factory=Queue)

    def next(self) -> Arrival:
        """The next delivery."""
        return self.arrivals.get(timeout=PATIENCE_SECONDS)


@contextmanager
def hooked(*statuses: int) -> Iterator[Hook]:
    """A server for as long as the block lasts."""
    hook = Hook(statuses=list(statuses))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = hook.statuses.pop(0) if hook.statuses else 202
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            hook.arrivals.put(Arrival(body, self.headers["x-jiko-signature"]))

        def log_message(self, *_: object) -> None:
            """Nothing is told."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.url = f"http://127.0.0.1:{server.server_address[1]}/hook?from=jiko"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
