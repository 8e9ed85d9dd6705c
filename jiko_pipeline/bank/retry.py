"""When to try again, and how long to wait before.

Belongs here: the retry rules and the reading of `Retry-After`. Does not belong here: which request may be
repeated at all (`jiko_pipeline.bank.api`).
"""

import email.utils
import math
import random
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from jiko_pipeline.bank.clock import Clock
from jiko_pipeline.bank.errors import RateLimitedError

RETRYABLE_STATUS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `tries` tries and `total_seconds` an operation; full jitter between 0 and a doubling pause.

    A bank that asks to wait longer than `longest_wait_seconds` is not waited for at all.
    """

    tries: int = 5
    total_seconds: float = 120.0
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 20.0
    longest_wait_seconds: float = 120.0


class RetryBudget:
    """How many further tries one connection may make. Thread-safe.

    A bank in trouble is not helped by clients that ask it several times as often: `free` further tries may be made
    at once, and each request that was answered gives back `each_answer` of one. So a bank that fails one request in
    five is read to the end, however long that takes, and one that fails them all is soon left alone. Waits that the
    bank itself asked for need not be put to it.
    """

    def __init__(self, *, free: int = 50, each_answer: float = 0.5) -> None:
        self._free = free
        self._each_answer = each_answer
        self._left = float(free)
        self._lock = threading.Lock()

    def answered(self) -> None:
        """Count a request that was answered, to our liking or not."""
        with self._lock:
            self._left = min(float(self._free), self._left + self._each_answer)

    def allow(self) -> bool:
        """Take one further try from the budget; False when none is left."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True


@dataclass(slots=True)
class Attempts:
    """The tries of one operation: how many were made and whether there is another."""

    clock: Clock
    policy: RetryPolicy
    made: int = 0
    dice: random.Random = field(default_factory=random.Random)
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock.monotonic()

    @property
    def deadline(self) -> float:
        """Monotonic instant after which this operation has taken too long."""
        return self.started + self.policy.total_seconds

    def pardon(self, seconds: float) -> None:
        """Leave out of the operation's time what it waited for the rate budget: the bank had no part in it."""
        self.started += seconds

    def wait(self, asked_seconds: float | None = None) -> bool:
        """Wait before the next try; False at once when none is left or the wait would pass the deadline.

        `asked_seconds` is what the bank asked for; without it the wait is drawn at random.
        """
        if self.made >= self.policy.tries:
            return False
        pause = asked_seconds
        if pause is None:
            ceiling = self.policy.first_pause_seconds * 2 ** max(self.made - 1, 0)
            pause = self.dice.uniform(0.0, min(ceiling, self.policy.longest_pause_seconds))
        if self.clock.monotonic() + pause >= self.deadline:
            return False
        self.clock.sleep(pause)
        return True


def server_time(date_header: str | None) -> datetime | None:
    """The instant of a `Date` header (RFC 9110); None when absent or not a date."""
    if not date_header:
        return None
    try:
        instant = email.utils.parsedate_to_datetime(date_header)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def retry_after_seconds(value: str | None, date_header: str | None, now: datetime) -> float | None:
    """Seconds to wait by a `Retry-After` header (RFC 9110: seconds or a date); None when it is not usable.

    A date is compared with the server's own `Date` where there is one, so that a wrong clock here does not
    matter. Negative and not-a-number values are not usable, nor is a date in the past.
    """
    if value is None:
        return None
    text = value.strip()
    try:
        seconds = float(text)
    except ValueError:
        then = server_time(text)
        if then is None:
            return None
        seconds = (then - (server_time(date_header) or now)).total_seconds()
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def too_long_a_wait(where: str, asked_seconds: float, clock: Clock) -> RateLimitedError:
    """The error for a bank that asks to wait longer than a run waits."""
    until = clock.wall() + timedelta(seconds=min(asked_seconds, 366 * 86_400.0))
    moment = until.strftime("%Y-%m-%d %H:%M UTC")
    return RateLimitedError(
        f"{where} asks to be left alone until {moment}.",
        retry_at=until,
        remedy=f"Run the same command again after {moment}.",
    )


def too_many(where: str, asked_seconds: float | None, clock: Clock) -> RateLimitedError:
    """The error for a bank that answered the last try with 429; without its own word a minute is waited."""
    retry_at = clock.wall() + timedelta(seconds=60.0 if asked_seconds is None else asked_seconds)
    moment = retry_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    return RateLimitedError(
        f"{where} took none of our tries (429).",
        retry_at=retry_at,
        remedy=f"Run the same command again after {moment}.",
    )
