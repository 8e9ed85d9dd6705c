"""Seeded draws: the only source of chance in the simulated bank.

Belongs here: turning a key (seed, pocket, day, ...) into integers and ids that are the same on every machine
and every Python. Does not belong here: what is drawn for. A draw depends on its key alone, so a day can be
computed without the days before it having been asked for.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


def _key(parts: tuple[object, ...]) -> bytes:
    return "|".join(str(part) for part in parts).encode()


def drawn_integer(bound: int, *key: object) -> int:
    """One integer in [0, bound) that depends on `key` alone."""
    return int.from_bytes(blake2b(_key(key), digest_size=8).digest(), "big") % bound


def drawn_uuid(*key: object) -> str:
    """A UUID (version 4 in form) that depends on `key` alone."""
    raw = bytearray(blake2b(_key(key), digest_size=16).digest())
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Draws:
    """A stream of draws from one key: the n-th draw is the n-th eight bytes of hashes in counter mode."""

    __slots__ = ("_block", "_key", "_offset", "_pool")

    def __init__(self, *key: object) -> None:
        self._key = _key(key)
        self._block = 0
        self._pool = b""
        self._offset = 0

    def below(self, bound: int) -> int:
        """An integer in [0, bound)."""
        if self._offset == len(self._pool):
            self._pool = blake2b(self._key, digest_size=64, salt=self._block.to_bytes(16, "big")).digest()
            self._block += 1
            self._offset = 0
        self._offset += 8
        return int.from_bytes(self._pool[self._offset - 8 : self._offset], "big") % bound

    def between(self, low: int, high: int) -> int:
        """An integer in [low, high], both included."""
        return low + self.below(high - low + 1)

    def happens(self, percent: int) -> bool:
        """True in `percent` of a hundred cases."""
        return self.below(100) < percent

    def choice(self, options: Sequence[T]) -> T:
        """One of `options`."""
        return options[self.below(len(options))]
