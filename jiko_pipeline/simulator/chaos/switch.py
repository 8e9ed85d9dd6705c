"""The chaos switch: the rules in force, their decisions, the log of what was injected, the incidents.

Belongs here: counting, seeded chance, the log. Decisions depend on the seed, the rule, the route and the number
of the request on that route, never on the wall clock, so the same requests meet the same faults again. Does not
belong here: making a fault.
"""

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from jiko_pipeline.simulator.chaos.catalogue import Layer
from jiko_pipeline.simulator.chaos.rules import Rule
from jiko_pipeline.simulator.draws import Draws

CONTROL_PREFIXES: Final = ("/__simulator__/", "/__chaos__/")
"""Paths that no rule ever disturbs."""

_MILLION: Final = 1_000_000
_IDENTIFIER: Final = re.compile(r"(?<=/)([0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[0-9]+)(?=/|$)")
_LINK: Final = re.compile(r"^/files/.*")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a rule looks at in a request."""

    method: str
    path: str
    query: Mapping[str, Sequence[str]]
    body: bytes = b""
    request_id: str | None = None

    @property
    def route(self) -> str:
        """Method and path with identifiers and link tokens left out, by which chance is counted."""
        path = _LINK.sub("/files/{}", _IDENTIFIER.sub("{}", self.path))
        return f"{self.method} {path}"


@dataclass(frozen=True, slots=True, eq=False)
class Firing:
    """A decision to inject the fault of a rule into a request. Each is its own."""

    rule: Rule
    seen: Seen
    draws: Draws
    request_id: str

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The fault's arguments."""
        return self.rule.arguments

    @property
    def fault(self) -> str:
        """The fault's name."""
        return self.rule.fault


@dataclass(slots=True)
class _Tally:
    """How often a rule was met: requests that fit, by route, and faults injected."""

    met: int = 0
    injected: int = 0
    by_route: Counter[str] = field(default_factory=Counter)


class Switch:
    """The chaos of one simulated bank. Used from the event loop's thread only.

    `now` is the bank's clock; the log is kept in memory and, line by line, in `log_file`. `rounds` grows when the
    switch is reset, so that others forget with it.
    """

    def __init__(self, seed: int = 0, rules: Iterable[Rule] = (), log_file: Path | None = None) -> None:
        self.seed = seed
        self.now: Callable[[], datetime] | None = None
        self.adapt_wire: Callable[[], Awaitable[None]] | None = None
        """Brings the wire stages into line with the rules; called whenever these have changed."""
        self.rounds = 0
        self.evil_origin = ""
        self._start = tuple(rules)
        self._log_file = log_file
        self._rules: dict[str, Rule] = {}
        self._tallies: dict[str, _Tally] = {}
        self._log: list[dict[str, Any]] = []
        self._incidents: dict[str, list[dict[str, Any]]] = {"storage": [], "evil": []}
        self._requests: Counter[Layer] = Counter()
        self.add(self._start)

    def has_rules(self, layer: Layer) -> bool:
        """True while some rule of that layer is in force."""
        return any(rule.declared.layer is layer for rule in self._rules.values())

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in force, in the order in which they are asked."""
        return tuple(self._rules.values())

    def add(self, rules: Iterable[Rule]) -> None:
        """Put rules in force; one with a known id takes its place and counts anew."""
        for rule in rules:
            self._rules[rule.id] = rule
            self._tallies[rule.id] = _Tally()

    def reset(self, seed: int | None = None, rules: Iterable[Rule] = ()) -> None:
        """Forget rules, counts, log and incidents, and begin again with `rules`."""
        self.rounds += 1
        self.seed = self.seed if seed is None else seed
        self._rules.clear()
        self._tallies.clear()
        self._log.clear()
        self._requests.clear()
        for kept in self._incidents.values():
            kept.clear()
        self.add(rules)

    def decide(self, layer: Layer, seen: Seen) -> list[Firing]:
        """What is to be injected into a request, in order; a sole fault alone, else all that fire.

        Each is confirmed by `injected` once it was, or taken back by `spared`.
        """
        self._requests[layer] += 1
        request_id = seen.request_id or f"{layer.value}-{self._requests[layer]}"
        fired = [
            firing
            for rule in self._rules.values()
            if rule.declared.layer is layer
            and not rule.declared.standing
            and (firing := self._meet(rule, seen, request_id)) is not None
        ]
        sole = next((firing for firing in fired if firing.rule.declared.sole), None)
        if sole is not None:
            for other in fired:
                if other is not sole:
                    self.spared(other)
            return [sole]
        return fired

    def _meet(self, rule: Rule, seen: Seen, request_id: str) -> Firing | None:
        if not _fits(rule, seen):
            return None
        tally, route = self._tallies[rule.id], seen.route
        tally.met += 1
        tally.by_route[route] += 1
        draws = Draws("chaos", self.seed, rule.id, route, tally.by_route[route])
        match = rule.match
        wanted = (match.nth,) if isinstance(match.nth, int) else match.nth
        if (
            (rule.times is not None and tally.injected >= rule.times)
            or (wanted is not None and tally.met not in wanted)
            or (match.every is not None and tally.met % match.every != 0)
            or (match.p is not None and draws.below(_MILLION) >= round(match.p * _MILLION))
        ):
            return None
        tally.injected += 1
        return Firing(rule, seen, draws, request_id)

    def is_down(self, origin: str) -> bool:
        """True while no connection is to be accepted at an origin; entered in the log by each rule once."""
        down = False
        for rule in self._rules.values():
            if rule.fault == "down" and rule.arguments["origin"] == origin:
                down = True
                tally = self._tallies[rule.id]
                if not tally.injected:
                    tally.injected = 1
                    seen = Seen("CONNECT", origin, {})
                    self.injected(Firing(rule, seen, Draws("chaos", self.seed, rule.id), f"{Layer.WIRE.value}-port"))
        return down

    def spared(self, firing: Firing) -> None:
        """Take back a decision that had no effect."""
        tally = self._tallies.get(firing.rule.id)
        if tally is not None:
            tally.injected -= 1

    def injected(self, firing: Firing) -> None:
        """Enter an injected fault in the log."""
        line = {
            "n": len(self._log) + 1,
            "at": self._at(),
            "rule": firing.rule.id,
            "fault": firing.fault,
            "layer": firing.rule.declared.layer.value,
            "request_id": firing.request_id,
            "route": firing.seen.route,
        }
        self._log.append(line)
        self._write(line)

    def incident(self, origin: str, method: str, route: str, why: str) -> None:
        """Note a request that should never have come; neither query nor credentials are kept."""
        line = {"at": self._at(), "origin": origin, "method": method, "path": route, "why": why}
        self._incidents[origin].append(line)
        self._write({"incident": line})

    def log_lines(self) -> bytes:
        """The log as JSON lines."""
        return b"".join(_line(entry) for entry in self._log)

    @property
    def incidents(self) -> dict[str, list[dict[str, Any]]]:
        """What reached the storage origin with credentials, and what reached the evil one."""
        return {origin: list(kept) for origin, kept in self._incidents.items()}

    def _at(self) -> str | None:
        return None if self.now is None else self.now().isoformat()

    def _write(self, entry: Mapping[str, Any]) -> None:
        if self._log_file is not None:
            with self._log_file.open("ab") as file:
                file.write(_line(entry))


def _line(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _fits(rule: Rule, seen: Seen) -> bool:
    match = rule.match
    if match.method is not None and match.method.upper() != seen.method:
        return False
    if not fnmatchcase(seen.path, rule.path):
        return False
    for name, wanted in match.query.items():
        given = seen.query.get(name, ())
        if (wanted is None) != (not given):
            return False
        if wanted is not None and not any(fnmatchcase(value, wanted) for value in given):
            return False
    return match.body is None or match.body.encode() in seen.body
