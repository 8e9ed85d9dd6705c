"""The wire layer: a small HTTP/1.1 stage on the announced port, the bank's server behind it.

Belongs here: reading whole requests and answers, and putting on the wire what the faults make of them. Does not
belong here: the faults (`broken_answers`). The stage is put up with the first rule of the wire and stays; before,
the bank's server has the announced port itself. Control has a port that no rule reaches.
"""

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

import uvicorn

from jiko_pipeline.simulator.chaos.broken_answers import End, Pause, WholeAnswer, course_of, has_occasion
from jiko_pipeline.simulator.chaos.catalogue import Layer
from jiko_pipeline.simulator.chaos.switch import CONTROL_PREFIXES, Firing, Seen, Switch

_LONGEST_HEAD: Final = 1 << 20
_NO_LINGER: Final = struct.pack("ii", 1, 0)
_BODILESS: Final = (b"204", b"304")

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class _Request:
    """A whole request: its bytes as they came, and what the stage reads of them."""

    raw: bytes
    method: str
    path: str
    headers: Headers
    seen: Seen


class Stage:
    """The stage in front of one server. `announced` is the socket that the server listens on until `rise`."""

    def __init__(
        self, origin: str, switch: Switch, server: uvicorn.Server, announced: socket.socket, behind: socket.socket
    ) -> None:
        self._origin = origin
        self._switch = switch
        self._server = server
        self._announced = announced
        self._behind = behind
        self._port: tuple[str, int] | None = None
        self._closed: socket.socket | None = None
        self._listening: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def adapt(self) -> None:
        """Stand as the rules want it: not at all, before the server, or with the port closed."""
        if self._port is None and self._switch.has_rules(Layer.WIRE):
            await self._rise()
        if self._port is None:
            return
        if self._switch.is_down(self._origin):
            self._close_port(self._port)
        elif self._closed is not None:
            self._listening = await self._listen(self._closed)
            self._closed = None

    async def _rise(self) -> None:
        """Take the announced port over from the server. Connections that it has end with their present request."""
        own = self._announced.dup()
        taken = self._announced.getsockname()
        for listener in self._server.servers:
            if any(bound.getsockname() == taken for bound in listener.sockets):
                listener.close()
        self._port = taken
        self._listening = await self._listen(own)
        for connection in list(self._server.server_state.connections):
            connection.shutdown()

    async def _listen(self, bound: socket.socket) -> asyncio.Server:
        return await asyncio.start_server(self._accept, sock=bound, limit=_LONGEST_HEAD)

    def _close_port(self, port: tuple[str, int]) -> None:
        """Refuse connections, and keep the port: a socket that is bound and does not listen."""
        if self._closed is not None or self._listening is None:
            return
        self._listening.close()
        self._listening = None
        self._closed = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._closed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._closed.bind(port)
        present = asyncio.current_task()
        for task in list(self._connections):
            if task is not present:
                task.cancel()

    async def fall(self) -> None:
        """Close the stage and what goes through it."""
        if self._listening is not None:
            self._listening.close()
        if self._closed is not None:
            self._closed.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        bank: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        try:
            while (request := await _read_request(reader)) is not None:
                fired = self._decide(request)
                if any(firing.fault == "refuse" for firing in fired):
                    self._switch.injected(fired[0])
                    _reset(writer)
                    return
                if bank is None:
                    bank = await asyncio.open_connection(*self._behind.getsockname()[:2], limit=_LONGEST_HEAD)
                bank[1].write(request.raw)
                answer = await _read_answer(bank[0], request.method)
                if answer is None:
                    return
                for firing in [each for each in fired if not has_occasion(each, answer)]:
                    self._switch.spared(firing)
                    fired.remove(firing)
                for firing in fired:
                    self._switch.injected(firing)
                if await _put(writer, answer, fired) is not End.KEPT:
                    return
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            # Either side went away, or the stage falls: nobody awaits the outcome of a connection.
            return
        finally:
            for side in (writer, bank[1] if bank is not None else None):
                if side is not None:
                    side.close()

    def _decide(self, request: _Request) -> list[Firing]:
        if request.path.startswith(CONTROL_PREFIXES):
            return []
        return self._switch.decide(Layer.WIRE, request.seen)


async def _put(writer: asyncio.StreamWriter, answer: WholeAnswer, fired: list[Firing]) -> End:
    course = course_of(answer, fired)
    for parts in (course.head, course.rest):
        for part in parts:
            if isinstance(part, Pause):
                await asyncio.sleep(part.seconds)
            else:
                writer.write(part)
                await writer.drain()
    if course.end is End.RESET:
        _reset(writer)
    return course.end


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()


async def _read_request(reader: asyncio.StreamReader) -> _Request | None:
    """The next request of a connection; None when there is none."""
    with suppress(asyncio.IncompleteReadError):
        head = await reader.readuntil(b"\r\n\r\n")
        line, headers = _parsed(head)
        method, _, rest = line.decode("latin-1").partition(" ")
        target = rest.rpartition(" ")[0]
        path, _, query = target.partition("?")
        raw, body = await _read_body(reader, headers)
        seen = Seen(
            method,
            path,
            parse_qs(query, keep_blank_values=True),
            body,
            _value(headers, b"x-request-id").decode("latin-1") or None,
        )
        return _Request(head + raw, method, path, headers, seen)
    return None


async def _read_answer(reader: asyncio.StreamReader, method: str) -> WholeAnswer | None:
    """The bank's answer; None when the bank closed the connection instead."""
    with suppress(asyncio.IncompleteReadError):
        line, headers = _parsed(await reader.readuntil(b"\r\n\r\n"))
        status = line.split(b" ", 2)[1]
        body = b"" if method == "HEAD" or status in _BODILESS else (await _read_body(reader, headers))[1]
        end = End.CLOSED if _value(headers, b"connection").lower() == b"close" else End.KEPT
        return WholeAnswer(line, headers, body, end)
    return None


async def _read_body(reader: asyncio.StreamReader, headers: Headers) -> tuple[bytes, bytes]:
    """(bytes as they came, body without transfer coding)."""
    if _value(headers, b"transfer-encoding").lower() == b"chunked":
        raw, body = b"", b""
        while True:
            size_line = await reader.readuntil(b"\r\n")
            chunk = await reader.readexactly(int(size_line.split(b";")[0], 16) + 2)
            raw += size_line + chunk
            body += chunk[:-2]
            if len(chunk) == 2:
                return raw, body
    body = await reader.readexactly(int(_value(headers, b"content-length") or b"0"))
    return body, body


def _parsed(head: bytes) -> tuple[bytes, Headers]:
    line, *lines = head[:-4].split(b"\r\n")
    pairs = (each.partition(b":") for each in lines)
    return line, tuple((name, value.strip()) for name, _, value in pairs)


def _value(headers: Headers, wanted: bytes) -> bytes:
    return next((value for name, value in headers if name.lower() == wanted), b"")
