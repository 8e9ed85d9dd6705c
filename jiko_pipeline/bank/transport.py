"""Connections whose reads end by a deadline, not by pauses alone.

Belongs here: the transport that both clients send through. Does not belong here: which deadline (`exchange`).

A read timeout bounds the pause between two pieces of an answer; a server that sends a byte now and then never
runs into it, and within the headers nobody else sees the pieces. So the time that is left is looked up anew
before every read.
"""

from collections.abc import Callable, Iterable
from functools import cache
from ssl import SSLContext
from typing import Any

import httpcore
import httpx


class TimeLeft(float):
    """A read timeout of so many seconds, less where `left` (seconds until the deadline) is less."""

    left: Callable[[], float]

    def __new__(cls, seconds: float, left: Callable[[], float]) -> "TimeLeft":
        """A timeout that looks at the deadline whenever it is used."""
        timeout = super().__new__(cls, seconds)
        timeout.left = left
        return timeout

    def now(self) -> float:
        """Seconds that a read may take from here. Raises httpcore.ReadTimeout when none are left."""
        left = self.left()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer took too long")
        return min(float(self), left)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout.now() if isinstance(timeout, TimeLeft) else timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(host, port, timeout, local_address, socket_options))


@cache
def _trust() -> SSLContext:
    """The certificates that are trusted: read once, for all clients of a process."""
    return httpx.create_ssl_context(trust_env=False)


class DeadlineTransport(httpx.HTTPTransport):
    """HTTP/1.1 without proxies, whose reads know a `TimeLeft`."""

    def __init__(self, limits: httpx.Limits) -> None:
        context = _trust()
        super().__init__(verify=context, trust_env=False, limits=limits)
        # httpx has no way to hand a network backend to the pool it makes.
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Backend(),
        )
