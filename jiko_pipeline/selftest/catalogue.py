"""The catalogue of faults: one TOML file each, written by hand before the control that must see it.

Belongs here: reading the files, what a planted fault must cause, what nothing can see. Does not belong here: how a
fault is planted (`planting`).

A file gives `name`, `title`, `what`, `target` and one `[[expects]]` for each break, and may give `[[answers]]`: what is
no break and must be answered all the same, lest a control fall silent. `reach` is "pocket" (the default:
faults of other pockets may share the day), "month" (nothing else is planted in that pocket's month), "customer"
(nothing else is planted within ten business days) or "world" (nothing else is planted in its world). `over_http`
names the fault of the simulator that is the same one on the whole way. Each `[[cannot_exist]]` names in `when` the
banks at which there is no such fault, and gives the `reason`.

An expectation gives `control`, `code` and, where they are not the default, `sub_code` (""), `day` (business days after
the day hit, 0), `pocket` (the pocket hit), `entity` ("") and `when` (every bank). Sub-code, day, pocket and entity may
be templates over what the planting answers, a day as YYYY-MM-DD; a name that stands for several things, or for none,
makes as many expectations. An answer gives `control`, `reason` (why the key is not tested; left out, it is tested and
passes), `day`, `pocket`, `entity` and `when` alike.

`when` is a condition on how the bank books: words of `books.WORDS`, each with the values it may have.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from jiko_pipeline import calendars
from jiko_pipeline.selftest.books import Books, Condition, holds, unknown_words
from jiko_pipeline.selftest.planting.registry import Names

_NAME: Final = re.compile(r"\{([a-z_]+)\}")
_KEYS: Final = frozenset(
    {"name", "title", "what", "target", "expects", "answers", "reach", "over_http", "cannot_exist"}
)
_EXPECTED_KEYS: Final = frozenset({"control", "code", "sub_code", "day", "pocket", "entity", "when"})
_ANSWERED_KEYS: Final = frozenset({"control", "reason", "day", "pocket", "entity", "when"})

NO_FAULT_SEES: Final = (
    "A pocket whose statements, positions, trades and prices are all forged and agree with each other.",
    "A payment of the right amount to a wrong beneficiary whose details the counterparty list agrees with.",
    "Two equal trades of one day and bill exchanged between two pockets of the same price and quantity.",
    "Whatever happened before the first document; the take-on is taken at its word.",
    "A price that every source states alike and that moves as other bills do.",
    "Two sweeps of a day exchanged for each other: totals are compared before references.",
)
"""What no control of this catalogue can see; only records of the customer or of the public reach it."""


class Raised(NamedTuple):
    """One break, as a fault's file foretells it and as a run finds it. `pocket_id` is empty for the customer."""

    control: str
    code: str
    sub_code: str
    pocket_id: str
    business_date: date
    entity: str


class Answer(NamedTuple):
    """An answer that is no break: a pass where `reason` is empty, else why its key is not tested."""

    control: str
    reason: str
    pocket_id: str
    business_date: date
    entity: str


class Reach(StrEnum):
    """How much a fault may cause beyond its own pocket and day."""

    POCKET = "pocket"
    MONTH = "month"
    CUSTOMER = "customer"
    WORLD = "world"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One break that a fault must cause; templates are filled by `Fault.foretold`."""

    control: str
    code: str
    sub_code: str
    day: int | str
    pocket: str
    entity: str
    when: Condition = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExpectedAnswer:
    """One answer that is no break and must be given; templates are filled by `Fault.answered`."""

    control: str
    reason: str
    day: int | str
    pocket: str
    entity: str
    when: Condition = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Impossible:
    """Banks at which a fault cannot exist, and why."""

    when: Condition
    reason: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as its file describes it."""

    name: str
    title: str
    what: str
    target: str
    expects: tuple[Expectation, ...]
    reach: Reach
    over_http: str | None
    cannot_exist: tuple[Impossible, ...] = ()
    answers: tuple[ExpectedAnswer, ...] = ()

    def exists_under(self, books: Books) -> bool:
        """True when a bank that books so can have the fault."""
        return not any(holds(one.when, books) for one in self.cannot_exist)

    def expects_under(self, books: Books) -> list[Expectation]:
        """What it must cause at a bank that books so."""
        return [one for one in self.expects if holds(one.when, books)]

    def foretold(self, pocket_id: str, day: date, names: Names, books: Books) -> set[Raised]:
        """The breaks that must follow from planting it at this pocket and day. Raises KeyError for an unknown name."""
        known = {"pocket": pocket_id, **names}
        return {
            Raised(one.control, one.code, sub_code, pocket, date.fromisoformat(on), entity)
            for one in self.expects_under(books)
            for sub_code, pocket, on, entity in _filled(
                (one.sub_code, one.pocket, _day(one.day, day), one.entity), known
            )
        }

    def answered(self, pocket_id: str, day: date, names: Names, books: Books) -> set[Answer]:
        """The answers that must be given beside the breaks. Raises KeyError for an unknown name."""
        known = {"pocket": pocket_id, **names}
        return {
            Answer(one.control, one.reason, pocket, date.fromisoformat(on), entity)
            for one in self.answers
            if holds(one.when, books)
            for pocket, on, entity in _filled((one.pocket, _day(one.day, day), one.entity), known)
        }


def _day(day: int | str, hit: date) -> str:
    return day if isinstance(day, str) else _later(hit, day).isoformat()


def _filled(templates: tuple[str, ...], names: Names) -> Iterator[list[str]]:
    used = {name for template in templates for name in _NAME.findall(template)}
    several = {name: value for name in used if not isinstance(value := names[name], str)}
    for place in range(max((len(value) for value in several.values()), default=1)):
        chosen = {name: several[name][place] if name in several else names[name] for name in used}
        yield [template.format_map(chosen) for template in templates]


def _later(day: date, business_days: int) -> date:
    for _ in range(abs(business_days)):
        day = calendars.next_fed_business_day(day) if business_days > 0 else calendars.previous_fed_business_day(day)
    return day


class FaultFileError(Exception):
    """A fault's file is incomplete or says something that is not known."""


@cache
def catalogue() -> dict[str, Fault]:
    """Every fault by name. Raises FaultFileError naming the file."""
    found = {}
    for file in resources.files("jiko_pipeline.selftest.faults").iterdir():
        if file.name.endswith(".toml"):
            fault = _fault(file.name, tomllib.loads(file.read_text(encoding="utf-8")))
            found[fault.name] = fault
    return dict(sorted(found.items()))


def _fault(file_name: str, values: dict[str, Any]) -> Fault:
    strangers = values.keys() - _KEYS | {
        key
        for part, keys in (("expects", _EXPECTED_KEYS), ("answers", _ANSWERED_KEYS))
        for row in values.get(part, ())
        for key in row.keys() - keys
    }
    if strangers or values.get("reach", "pocket") not in list(Reach):
        raise FaultFileError(f"{file_name} says what is not known: {sorted(strangers) or values['reach']}")
    try:
        fault = Fault(
            name=values["name"],
            title=values["title"],
            what=values["what"],
            target=values["target"],
            expects=tuple(
                Expectation(
                    control=row["control"],
                    code=row["code"],
                    sub_code=row.get("sub_code", ""),
                    day=row.get("day", 0),
                    pocket=row.get("pocket", "{pocket}"),
                    entity=row.get("entity", ""),
                    when=_condition(row),
                )
                for row in values.get("expects", ())
            ),
            reach=Reach(values.get("reach", "pocket")),
            over_http=values.get("over_http"),
            cannot_exist=tuple(Impossible(_condition(row), row["reason"]) for row in values.get("cannot_exist", ())),
            answers=tuple(
                ExpectedAnswer(
                    control=row["control"],
                    reason=row.get("reason", ""),
                    day=row.get("day", 0),
                    pocket=row.get("pocket", "{pocket}"),
                    entity=row.get("entity", ""),
                    when=_condition(row),
                )
                for row in values.get("answers", ())
            ),
        )
    except KeyError as missing:
        raise FaultFileError(f"{file_name} lacks {missing}") from None
    if f"{fault.name}.toml" != file_name or not (fault.expects or fault.answers):
        raise FaultFileError(f"{file_name} is not named after its fault, or expects nothing")
    conditions = [
        *(one.when for one in fault.expects),
        *(one.when for one in fault.answers),
        *(one.when for one in fault.cannot_exist),
    ]
    if words := unknown_words(conditions):
        raise FaultFileError(f"{file_name} asks for what no bank has: {', '.join(words)}")
    return fault


def _condition(row: dict[str, Any]) -> Condition:
    return {name: tuple(words) for name, words in row.get("when", {}).items()}
