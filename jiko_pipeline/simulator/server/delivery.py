"""Delivering webhooks: a task beside the API that signs events and posts them to subscriptions, and tries again.

Belongs here: which event goes to which subscription, the request, its retries by the simulator's clock, the record
of each attempt. Does not belong here: what an event is (`events`), the subscriptions (`subscriptions`).

An event is delivered to a subscription that was enabled before it happened, at least once: an attempt that this
process did not live to record is made again. A failed one is repeated under the subscription's retry policy.
"""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from jiko_pipeline.calendars import new_york_date
from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.server.bank import SimulatedBank
from jiko_pipeline.simulator.server.events import details, events_of_days
from jiko_pipeline.simulator.server.ledger_messages import Event
from jiko_pipeline.simulator.server.subscriptions import ENABLED

SIGNATURE_HEADER: Final = "x-jiko-signature"
NO_ANSWER: Final = 0
"""The response code of an attempt that got no HTTP answer; it is always worth another one."""

DEFAULT_POLICY: Final[dict[str, Any]] = {
    "retry_on_status_codes": [408, 425, 429, 500, 502, 503, 504],
    "backoff_coefficient": 2.0,
    "maximum_attempts": 5,
    "initial_interval_seconds": 30.0,
    "maximum_interval_seconds": 300.0,
}
"""What holds for a subscription without a policy of its own."""

_LOOK_SECONDS: Final = 0.05
_LOOK_AGAIN: Final = timedelta(seconds=60)
_ANSWER_SECONDS: Final = 5.0
_AT_ONCE: Final = 8
_QUEUED_AT_ONCE: Final = timedelta(days=31)
_OVERLAP: Final = timedelta(seconds=60)
"""How far back is looked again for events that a call told a little late."""


@dataclass(frozen=True, slots=True)
class _Order:
    """One attempt that is to be made."""

    subscription_id: str
    event_id: str
    body: str
    attempts: int
    url: str
    secret: str = field(repr=False)
    policy: dict[str, Any]

    @property
    def key(self) -> tuple[str, str]:
        return self.subscription_id, self.event_id


def signature(secret: str, body: bytes) -> str:
    """The signature header's value: base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


async def deliver(bank: SimulatedBank, stopping: asyncio.Event) -> None:
    """Deliver until `stopping` is set. What is under way then is left to the next process."""
    under_way: dict[tuple[str, str], asyncio.Task[None]] = {}
    stop = asyncio.create_task(stopping.wait())
    seen_changes, look_at = -1, bank.state.now()
    try:
        while not stopping.is_set():
            now = bank.state.now()
            if bank.state.changes != seen_changes or now >= look_at or len(under_way) == _AT_ONCE:
                look_at = _queue(bank, now)
                for order in _due(bank, now, under_way.keys()):
                    if len(under_way) == _AT_ONCE:
                        break
                    under_way[order.key] = asyncio.create_task(_attempt(bank, order))
                seen_changes = bank.state.changes
            done, _ = await asyncio.wait(
                {stop, *under_way.values()}, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            for key, task in list(under_way.items()):
                if task in done:
                    del under_way[key]
                    task.result()
    finally:
        stop.cancel()
        for task in under_way.values():
            task.cancel()
        await asyncio.gather(stop, *under_way.values(), return_exceptions=True)


def _queue(bank: SimulatedBank, now: datetime) -> datetime:
    """Enter what has happened since the last look; when to look again although nothing else has changed."""
    look_at = now + _LOOK_AGAIN
    told: dict[tuple[date, date], list[Event]] = {}
    with bank.state.transaction() as connection:
        for identifier, types, enabled_at, queued_to in connection.execute(
            "select id, events, enabled_at, queued_to from subscription where status = ?", (ENABLED,)
        ).fetchall():
            told_to = min(datetime.fromisoformat(queued_to), now)
            until = min(now, told_to + _QUEUED_AT_ONCE)
            after = max(datetime.fromisoformat(enabled_at), told_to - _OVERLAP)
            ahead = until + _LOOK_AGAIN
            span = new_york_date(after), new_york_date(ahead)
            if span not in told:
                told[span] = events_of_days(bank, *span)
            for event in told[span]:
                if event.event_type not in json.loads(types) or not after < event.at <= ahead:
                    continue
                if event.at > until:
                    look_at = min(look_at, event.at)
                    break
                connection.execute(
                    "insert or ignore into delivery values (?, ?, ?, 0, ?)",
                    (identifier, event.event_id, _body(bank, event), instant_text(event.at)),
                )
            if until < now:
                look_at = now
            if until - datetime.fromisoformat(queued_to) > _OVERLAP or until < told_to or queued_to > instant_text(now):
                connection.execute(
                    "update subscription set queued_to = ? where id = ?", (instant_text(until), identifier)
                )
        (due_at,) = connection.execute(
            "select min(due_at) from delivery where due_at > ?", (instant_text(now),)
        ).fetchone()
    return look_at if due_at is None else min(look_at, datetime.fromisoformat(due_at))


def _body(bank: SimulatedBank, event: Event) -> str:
    return json.dumps(details(bank, event), separators=(",", ":"), ensure_ascii=False)


def _due(bank: SimulatedBank, now: datetime, under_way: Any) -> Iterator[_Order]:
    with bank.state.transaction() as connection:
        rows = connection.execute(
            "select d.subscription_id, d.event_id, d.body, d.attempts, s.url, s.shared_secret, s.retry_policy"
            " from delivery as d join subscription as s on s.id = d.subscription_id"
            " where d.due_at <= ? and s.status = ? order by d.due_at, d.event_id limit ?",
            (instant_text(now), ENABLED, 2 * _AT_ONCE),
        ).fetchall()
    for subscription_id, event_id, body, attempts, url, secret, policy in rows:
        if (subscription_id, event_id) not in under_way:
            own = DEFAULT_POLICY if policy is None else json.loads(policy)
            yield _Order(subscription_id, event_id, body, attempts, url, secret, own)


async def _attempt(bank: SimulatedBank, order: _Order) -> None:
    called_at = bank.state.now()
    code, words = await _post(order.url, order.body.encode(), signature(order.secret, order.body.encode()))
    success = 200 <= code < 300
    number = order.attempts + 1
    policy = order.policy
    again = (
        not success
        and number < policy["maximum_attempts"]
        and (code == NO_ANSWER or code in policy["retry_on_status_codes"])
    )
    due_at = instant_text(bank.state.now() + _pause(policy, number)) if again else None
    with bank.state.transaction() as connection:
        changed = connection.execute(
            "update delivery set attempts = ?, due_at = ?, body = iif(? is null, null, body)"
            " where subscription_id = ? and event_id = ?",
            (number, due_at, due_at, *order.key),
        ).rowcount
        if changed:  # else the subscription was removed meanwhile
            connection.execute(
                "insert into delivery_attempt values (?, ?, ?, ?, ?, ?, ?)",
                (
                    drawn_uuid(bank.world.config.seed, "attempt", *order.key, number),
                    *order.key,
                    int(success),
                    code,
                    words,
                    instant_text(called_at),
                ),
            )


def _pause(policy: dict[str, Any], attempts: int) -> timedelta:
    """How long after so many failed attempts the next one is made."""
    longest = min(policy["maximum_interval_seconds"], timedelta(days=365).total_seconds())
    pause = policy["initial_interval_seconds"]
    for _ in range(attempts - 1):
        pause = min(pause * policy["backoff_coefficient"], longest)
    return timedelta(seconds=min(pause, longest))


async def _post(url: str, body: bytes, signed: str) -> tuple[int, str]:
    """(status code, words) of a POST; the code is `NO_ANSWER` when there was none. No proxy is ever asked."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = (
        f"POST {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{SIGNATURE_HEADER}: {signed}\r\nConnection: close\r\n\r\n"
    )
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
            writer.write(head.encode("ascii") + body)
            await writer.drain()
            line = (await reader.readline()).decode("latin-1").strip()
        version, _, rest = line.partition(" ")
        code, _, words = rest.partition(" ")
        if not version.startswith("HTTP/1.") or len(code) != 3 or not code.isdecimal():
            return NO_ANSWER, "no HTTP answer"
        return int(code), words[:100]
    except TimeoutError:
        return NO_ANSWER, f"no answer within {_ANSWER_SECONDS:g} s"
    except OSError:
        return NO_ANSWER, "no connection"
    except ValueError:
        return NO_ANSWER, "no HTTP answer"
    finally:
        if writer is not None:
            writer.close()
