"""Speaks to the chaos switch of a served bank.

Belongs here: the control routes below `/__chaos__/`, for any simulator whose announcement is at hand. Does not belong
here: assertions on the faults.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import httpx

Json = dict[str, Any]


class Announced(Protocol):
    """Anything that knows what a simulator announced: `ServedBank`, or a data directory of a test."""

    @property
    def announcement(self) -> Mapping[str, Any] | None:
        """The content of `simulator.json`."""


def ask(
    bank: Announced, method: str, route: str, content: object = None, *, token: str | None = None
) -> httpx.Response:
    """A control route below `/__chaos__/`, with the control token unless another is given."""
    announcement = bank.announcement
    assert announcement is not None
    headers = {"X-Simulator-Token": announcement["control_token"] if token is None else token}
    with httpx.Client(trust_env=False, timeout=60) as client:
        return client.request(method, f"{announcement['control_url']}/__chaos__/{route}", headers=headers, json=content)


def _done(answer: httpx.Response) -> httpx.Response:
    assert answer.status_code == 200, answer.text
    return answer


def rule(
    fault: str, *, id: str | None = None, times: int | None = None, match: Json | None = None, **args: Any
) -> Json:
    """A rule as it is written on the wire."""
    named = {"id": id} if id is not None else {}
    return {**named, "fault": fault, "match": match or {}, "args": args, "times": times}


def rules(bank: Announced, *given: Json) -> None:
    """Put rules in force, beside those that are."""
    _done(ask(bank, "POST", "rules", list(given)))


def log(bank: Announced) -> list[Json]:
    """What was injected since the last reset, oldest first."""
    return [json.loads(line) for line in _done(ask(bank, "GET", "log")).text.splitlines()]


def injected(bank: Announced) -> list[str]:
    """The names of the faults in the log, oldest first."""
    return [entry["fault"] for entry in log(bank)]


def incidents(bank: Announced) -> Json:
    """What reached the storage origin with credentials, and what reached the evil origin."""
    found: Json = _done(ask(bank, "GET", "incidents")).json()
    return found


def reset(bank: Announced, *, profile: str = "none", seed: int | None = None) -> None:
    """Forget rules, counts, log and incidents; begin again with a profile."""
    _done(ask(bank, "POST", "reset", {"profile": profile, **({} if seed is None else {"seed": seed})}))


@contextmanager
def chaos(bank: Announced, *given: Json) -> Iterator[None]:
    """The rules for as long as the block lasts, with an empty log at its start."""
    reset(bank)
    rules(bank, *given)
    try:
        yield
    finally:
        reset(bank)
