"""Rules of the chaos switch: which requests, which fault, how often.

Belongs here: the form of a rule and its check against the catalogue. Does not belong here: counting and chance
(`switch`).
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jiko_pipeline.simulator.chaos.catalogue import FAULTS, Argument, Fault

_WORDS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("drift", "change"): ("insert", "remove", "shift", "repeat", "change"),
    ("down", "origin"): ("api", "storage"),
    ("cursor_form", "form"): ("empty", "blank", "null", "absent", "url"),
    ("report_ids", "change"): ("longer", "shorter"),
    ("timeout", "then"): ("answer", "close"),
    ("informational", "then"): ("answer", "close"),
    ("bad_length2", "how"): ("two", "negative", "text"),
    ("bad_chunk", "how"): ("unfinished", "size"),
}
"""Arguments that take one of a few words."""

_OF_ANY_TYPE: Final = frozenset(
    {
        ("status", "body"),
        ("status", "media_type"),
        ("token_expires_in", "value"),
        ("field_value", "value"),
        ("new_field", "value"),
        ("header", "value"),
        ("rate_headers", "reset"),
    }
)


class RuleRefusedError(Exception):
    """A rule that cannot be followed; the message says why."""


class Match(BaseModel):
    """Which requests: patterns with `*` for path and query values, a text within the body, and how often.

    Query values of null mean that the parameter is absent. `nth` and `every` count the requests that fit the
    rule, `p` is the chance of each. Without a path the fault's own applies.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str | None = None
    path: str | None = None
    query: Mapping[str, str | None] = Field(default_factory=dict)
    body: str | None = None
    nth: tuple[int, ...] | int | None = None
    every: int | None = Field(default=None, ge=1)
    p: float | None = Field(default=None, ge=0, le=1)


class Rule(BaseModel):
    """One rule. `times` is how often its fault is injected at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    match: Match = Match()
    fault: str
    args: Mapping[str, Any] = Field(default_factory=dict)
    times: int | None = Field(default=None, ge=1)

    @property
    def declared(self) -> Fault:
        """The fault that the rule injects."""
        return FAULTS[self.fault]

    @property
    def arguments(self) -> dict[str, Any]:
        """The fault's arguments, its defaults included."""
        return {**self.declared.arguments, **self.args}

    @property
    def path(self) -> str:
        """The pattern of paths."""
        return self.match.path or self.declared.path


def read_rules(body: bytes, taken: int) -> tuple[Rule, ...]:
    """The rules of a request: one, a list, or `{"rules": [...]}`; rules without an id are numbered from `taken`.

    Raises RuleRefusedError.
    """
    try:
        document: Any = json.loads(body)
    except ValueError:
        raise RuleRefusedError("The body is no JSON.") from None
    if isinstance(document, dict) and set(document) == {"rules"}:
        document = document["rules"]
    listed = document if isinstance(document, list) else [document]
    return tuple(rule_of(item, f"rule-{taken + number}") for number, item in enumerate(listed, start=1))


def rule_of(document: object, default_id: str) -> Rule:
    """A rule from its JSON form. Raises RuleRefusedError naming what is wrong."""
    try:
        rule = Rule.model_validate({"id": default_id, **document} if isinstance(document, dict) else document)
    except ValidationError as error:
        (first, *_) = error.errors(include_input=False, include_url=False)
        where = ".".join(str(part) for part in first["loc"]) or "rule"
        raise RuleRefusedError(f"{where}: {first['msg']}") from None
    if rule.fault not in FAULTS:
        raise RuleRefusedError(f"fault: {rule.fault!r} is none; there are {', '.join(FAULTS)}")
    for name, value in rule.args.items():
        _check_argument(rule, name, value)
    return rule


def _check_argument(rule: Rule, name: str, value: object) -> None:
    known = rule.declared.arguments
    if name not in known:
        raise RuleRefusedError(f"args.{name}: {rule.fault} has {', '.join(known) or 'no arguments'}")
    words = _WORDS.get((rule.fault, name))
    if words is not None and value not in words:
        raise RuleRefusedError(f"args.{name}: must be {' or '.join(words)}")
    if (rule.fault, name) in _OF_ANY_TYPE or value is None:
        return
    if not _is_like(known[name], value):
        raise RuleRefusedError(f"args.{name}: {value!r} is not of the kind that {rule.fault} takes")


def _is_like(default: Argument, value: object) -> bool:
    match default:
        case bool():
            return isinstance(value, bool)
        case None | int() | float():
            return isinstance(value, int | float) and not isinstance(value, bool)
        case str():
            return isinstance(value, str)
        case list():
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)
