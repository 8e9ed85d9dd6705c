"""The rate budget: how many requests of each group all processes of a data directory may send in a minute.

Belongs here: counting requests in one SQLite file, waiting before the limit is reached, correction by the
bank's `X-RateLimit-*` headers. Does not belong here: what to do with a 429 (`jiko_pipeline.bank.api`).

Each group has one row, changed in an immediate transaction: the requests of the last minute and those to come by
second, the limit that is known for it, and until when the bank has nothing left. At most `share` of the limit is
used in any 60 seconds. Who has to wait is given the next free second there and then, so that whoever asked first
goes first, in whatever thread or process. A bank that states a limit of `_UNLIMITED` or more a minute is not
counted at all.
"""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jiko_pipeline.bank.clock import Clock
from jiko_pipeline.bank.contract import Group
from jiko_pipeline.bank.errors import RateLimitedError
from jiko_pipeline.bank.exchange import Answer
from jiko_pipeline.bank.private_files import private_database
from jiko_pipeline.bank.retry import too_long_a_wait

_UNLIMITED: Final = 60_000
_WINDOW_SECONDS: Final = 60
_RESET_AT_MOST_SECONDS: Final = 3600
_UNLIMITED_TRUSTED_SECONDS: Final = 60.0
_EARLY_SECONDS: Final = 0.001
"""A wait that ends this much before its second has reached it."""
_LATE_SECONDS: Final = 2.0
"""Who comes this much after its second has lost it: those after it may have gone already."""

_SCHEMA: Final = """
create table if not exists request_group (
  name text primary key,
  stated_limit integer,
  sent text not null default '[]',
  blocked_until real not null default 0
) strict
"""


class RateBudget:
    """The shared budget. Thread-safe; open one for each process and close it."""

    def __init__(
        self,
        file: Path,
        *,
        limits_per_minute: Mapping[Group, int],
        share: float,
        clock: Clock,
        longest_wait_seconds: float = 120.0,
    ) -> None:
        self._limits = dict(limits_per_minute)
        self._share = share
        self._clock = clock
        self._longest_wait = longest_wait_seconds
        self._lock = threading.Lock()
        self._unlimited_until: dict[Group, float] = {}
        self._noted_limit: dict[Group, int] = {}
        self._database = private_database(file, _SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def take(self, group: Group) -> None:
        """Wait until a request of `group` may be sent, and count it.

        Raises RateLimitedError when that would take longer than a run waits.
        """
        if self._clock.monotonic() < self._unlimited_until.get(group, float("-inf")):
            return
        patience = self._longest_wait
        pause, second = self._place(group, patience, None)
        while pause > 0:
            if pause > patience:
                raise self._too_long(group, pause)
            patience -= pause
            self._clock.sleep(pause)
            pause, second = self._place(group, patience, second)

    def observe(self, group: Group, answer: Answer) -> None:
        """Learn from `X-RateLimit-Limit`, `-Remaining` and `-Reset` (unix time); other values are ignored."""
        limit = _whole_number(answer.headers.get("x-ratelimit-limit"))
        if limit is None or limit == 0:
            return
        if limit >= _UNLIMITED:
            self._unlimited_until[group] = self._clock.monotonic() + _UNLIMITED_TRUSTED_SECONDS
            return
        self._unlimited_until.pop(group, None)
        blocked_until = self._nothing_left_until(answer.headers, limit)
        if blocked_until is None and self._noted_limit.get(group) == limit:
            return
        with self._lock, self._database:
            self._database.execute("begin immediate")
            self._database.execute(
                "insert into request_group (name, stated_limit, blocked_until) values (?1, ?2, ?3)"
                " on conflict (name) do update set stated_limit = ?2, blocked_until = max(blocked_until, ?3)",
                (group.value, limit, blocked_until or 0.0),
            )
            self._noted_limit[group] = limit

    def _nothing_left_until(self, headers: Mapping[str, str], limit: int) -> float | None:
        remaining = _whole_number(headers.get("x-ratelimit-remaining"))
        reset = _whole_number(headers.get("x-ratelimit-reset"))
        if remaining is None or reset is None or remaining > limit * (1 - self._share):
            return None
        now = self._clock.wall().timestamp()
        return float(reset) if now < reset <= now + _RESET_AT_MOST_SECONDS else None

    def _place(self, group: Group, patience: float, held: int | None) -> tuple[float, int | None]:
        """(seconds to wait, the second that is held for it); nothing is held for a wait beyond `patience`.

        `held` is what an earlier call gave; it is good while it is that second and the bank has not said otherwise.
        """
        now = self._clock.wall().timestamp()
        with self._lock, self._database:
            self._database.execute("begin immediate")
            row = self._database.execute(
                "select stated_limit, sent, blocked_until from request_group where name = ?", (group.value,)
            ).fetchone()
            stated, sent_text, blocked_until = row if row is not None else (None, "[]", 0.0)
            is_blocked = now < blocked_until <= now + _RESET_AT_MOST_SECONDS
            is_near = held is not None and held - now <= patience and now < held + _LATE_SECONDS
            if held is not None and is_near and not is_blocked:
                return (held - now if now < held - _EARLY_SECONDS else 0.0), held
            # A second counts until it lies wholly outside the window; one far ahead is of a clock set back.
            horizon = now + self._longest_wait + _WINDOW_SECONDS
            sent = {at: n for at, n in json.loads(sent_text) if int(now) - _WINDOW_SECONDS <= at <= horizon}
            if held is not None and held in sent:
                sent[held] -= 1
            allowed = max(1, int((stated or self._limits[group]) * self._share))
            second = self._free_second(sent, blocked_until if is_blocked else now, allowed)
            pause = float(second - now) if second > now else 0.0
            if is_blocked:
                pause = max(pause, float(blocked_until - now))
            if pause <= patience:
                sent[second] = sent.get(second, 0) + 1
            self._database.execute(
                "insert into request_group (name, sent) values (?1, ?2) on conflict (name) do update set sent = ?2",
                (group.value, json.dumps(sorted((at, n) for at, n in sent.items() if n > 0))),
            )
        return pause, second

    @staticmethod
    def _free_second(sent: Mapping[int, int], earliest: float, allowed: int) -> int:
        second = max([int(earliest), *(at for at, n in sent.items() if n > 0)])
        while True:
            counted = sorted(at for at, n in sent.items() if n > 0 and second - _WINDOW_SECONDS <= at <= second)
            if sum(sent[at] for at in counted) < allowed:
                return second
            second = counted[0] + _WINDOW_SECONDS + 1

    def _too_long(self, group: Group, pause: float) -> RateLimitedError:
        return too_long_a_wait(f"The bank's limit for {group.value}", pause, self._clock)


def _whole_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 16 else None
