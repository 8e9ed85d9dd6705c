"""What goes over the wire in place of an answer: bytes, pauses, and how the connection ends.

Belongs here: the faults of the wire layer, as functions of an answer. Does not belong here: sockets (`wire`).
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from jiko_pipeline.simulator.chaos.switch import Firing

_MEGABYTE: Final = 1 << 20
_LINE: Final = b"X-Filler-%d: " + b"a" * 1000 + b"\r\n"
_SETTLE_SECONDS: Final = 0.05
"""So long the other side has to read what came before a reset, which takes back what was not read."""


class End(Enum):
    """What becomes of the connection after the last byte."""

    KEPT = "kept"
    CLOSED = "closed"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence."""

    seconds: float


@dataclass(frozen=True, slots=True)
class WholeAnswer:
    """An answer as the bank gave it: status line, headers in order, body without transfer coding."""

    status_line: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    end: End

    def head(self, *, without: Iterable[bytes] = (), more: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
        """The head with headers left out and others added."""
        left_out = {name.lower() for name in without}
        kept = [(name, value) for name, value in self.headers if name.lower() not in left_out]
        lines = [self.status_line, *(name + b": " + value for name, value in (*kept, *more))]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    @property
    def own_head(self) -> bytes:
        """The head as the bank gave it, with the true length of a body that came in chunks."""
        if any(name.lower() == b"content-length" for name, _ in self.headers) or not self.body:
            return self.head(without=(b"transfer-encoding",))
        return self.sized(len(self.body))

    def sized(self, length: int) -> bytes:
        """The head with that Content-Length."""
        return self.head(
            without=(b"content-length", b"transfer-encoding"), more=((b"content-length", str(length).encode()),)
        )

    def coded(self, coding: bytes, length: int) -> bytes:
        """The head of a body in a content coding."""
        return self.head(
            without=(b"content-length", b"transfer-encoding", b"content-encoding"),
            more=((b"content-encoding", coding), (b"content-length", str(length).encode())),
        )


Part = bytes | Pause


@dataclass(frozen=True, slots=True)
class Course:
    """The head, what follows it, and the end."""

    head: tuple[Part, ...]
    rest: Iterable[Part]
    end: End


def has_occasion(firing: Firing, answer: WholeAnswer) -> bool:
    """False for a break after more bytes than the body has: the answer would be whole."""
    if firing.fault not in ("reset_peer", "limit_data"):
        return True
    after = firing.arguments["bytes"]
    return after is None or int(after) < len(answer.body)


def course_of(answer: WholeAnswer, firings: Iterable[Firing]) -> Course:
    """How an answer goes out under the faults that fired; without any, as it is."""
    course = Course((answer.own_head,), (answer.body,), answer.end)
    for firing in firings:
        if firing.rule.declared.sole:
            return _broken(firing, answer)
        course = _shaped(firing, course)
    return course


def _shaped(firing: Firing, course: Course) -> Course:
    arguments = firing.arguments
    match firing.fault:
        case "latency":
            return Course((Pause(arguments["ms"] / 1000), *course.head), course.rest, course.end)
        case "jitter":
            pause = firing.draws.below(int(arguments["ms"]) * 1000 + 1) / 1_000_000
            return Course((Pause(pause), *course.head), course.rest, course.end)
        case "bandwidth":
            size = max(1, int(arguments["bytes_per_second"]) // 20)
            return Course(course.head, _sliced(course.rest, size, size / arguments["bytes_per_second"]), course.end)
        case "slicer":
            size, seconds = max(1, int(arguments["bytes"])), arguments["ms"] / 1000
            return Course(tuple(_sliced(course.head, size, seconds)), _sliced(course.rest, size, seconds), course.end)
        case "drip":
            size, seconds = max(1, int(arguments["bytes"])), arguments["ms"] / 1000
            return Course(course.head, _sliced(course.rest, size, seconds), course.end)
        case _:
            return Course(course.head, (*course.rest, Pause(arguments["ms"] / 1000)), End.CLOSED)


def _sliced(parts: Iterable[Part], size: int, seconds: float) -> Iterator[Part]:
    for part in parts:
        if isinstance(part, Pause):
            yield part
            continue
        for start in range(0, len(part), size):
            yield part[start : start + size]
            yield Pause(seconds)


def _broken(firing: Firing, answer: WholeAnswer) -> Course:
    arguments, body = firing.arguments, answer.body

    def closed(head: bytes, *rest: Part) -> Course:
        return Course((head,), rest, End.CLOSED)

    match firing.fault:
        case "timeout":
            silence = Pause(arguments["ms"] / 1000)
            if arguments["then"] == "close":
                return Course((silence,), (), End.CLOSED)
            return Course((silence, answer.own_head), (body,), answer.end)
        case "reset_peer":
            if arguments["bytes"] is None:
                return Course((), (), End.RESET)
            return Course((answer.own_head,), (body[: int(arguments["bytes"])], Pause(_SETTLE_SECONDS)), End.RESET)
        case "limit_data":
            limit = int(len(body) * arguments["share"]) if arguments["bytes"] is None else int(arguments["bytes"])
            return closed(answer.own_head, body[:limit])
        case "bad_length":
            return closed(answer.sized(len(body) + int(arguments["by"])), body)
        case "bad_length2":
            return closed(answer.head(without=(b"content-length",), more=_lengths(arguments["how"], len(body))), body)
        case "bad_chunk":
            head = answer.head(
                without=(b"content-length", b"transfer-encoding"), more=((b"transfer-encoding", b"chunked"),)
            )
            size = b"no-size" if arguments["how"] == "size" else b"%x" % max(1, len(body))
            return closed(head, size + b"\r\n" + (body or b" ") + b"\r\n")
        case "close_delimited":
            head = answer.head(
                without=(b"content-length", b"transfer-encoding", b"connection"), more=((b"connection", b"close"),)
            )
            return closed(head, body[: int(len(body) * arguments["share"])])
        case "gz_cut":
            packed = gzip.compress(body, mtime=0)
            packed = packed[: int(len(packed) * arguments["share"])]
            return Course((answer.coded(b"gzip", len(packed)),), (packed,), answer.end)
        case "gz_crc":
            packed = gzip.compress(body, mtime=0)
            packed = packed[:-8] + bytes([packed[-8] ^ 0xFF]) + packed[-7:]
            return Course((answer.coded(b"gzip", len(packed)),), (packed,), answer.end)
        case "gz_bomb":
            packed = _bomb(int(arguments["megabytes"]))
            return Course((answer.coded(b"gzip", len(packed)),), (packed,), answer.end)
        case "gz_bomb2":
            packed = gzip.compress(_bomb(int(arguments["megabytes"])), mtime=0)
            return Course((answer.coded(b"gzip, gzip", len(packed)),), (packed,), answer.end)
        case "hdr":
            if arguments["endless"]:
                return Course((answer.status_line + b"\r\n",), _lines(), End.CLOSED)
            return Course((answer.head(more=((b"x-filler", b"a" * int(arguments["bytes"])),)),), (body,), answer.end)
        case "garbage":
            return closed(bytes(0x80 | firing.draws.below(128) for _ in range(int(arguments["bytes"]))))
        case _:
            early = b"HTTP/1.1 %d Early\r\n\r\n" % int(arguments["status"])
            if arguments["then"] == "close":
                return closed(early)
            return Course((early, answer.own_head), (body,), answer.end)


def _lengths(how: str, true: int) -> tuple[tuple[bytes, bytes], ...]:
    match how:
        case "negative":
            stated = [b"-1"]
        case "text":
            stated = [b"many"]
        case _:
            stated = [str(true).encode(), str(true + 1).encode()]
    return tuple((b"content-length", length) for length in stated)


def _lines() -> Iterator[Part]:
    number = 0
    while True:
        number += 1
        yield _LINE % number
        yield Pause(0)


@lru_cache(maxsize=2)
def _bomb(megabytes: int) -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    nothing = bytes(_MEGABYTE)
    return b"".join([*(packing.compress(nothing) for _ in range(megabytes)), packing.flush()])
