"""The catalogue of faults: one TOML file each, written by hand before the control that must see it.

Belongs here: reading the files, what a planted fault must cause, what nothing can see. Does not belong here: how a
fault is planted (`planting`).

A file gives `name`, `title`, `what`, `target` and one `[[expects]]` for each break. `reach` is "pocket" (the default:
faults of other pockets may share the day), "month" (nothing else is planted in that pocket's month), "customer"
(nothing else is planted within ten business days) or "world" (nothing else is planted in its world). `over_http`
names the fault of the simulator that is the same one on the whole way. `switches` gives, by name, the values of
ledger switches with which the expectations hold, where they do not hold with every one.

An expectation gives `control`, `code` and, where they are not the default, `sub_code` (""), `day` (business days after
the day hit, 0), `pocket` (the pocket hit) and `entity` (""). All but the first two may be templates over what the
planting answers, a day as YYYY-MM-DD; a name that stands for several things, or for none, makes as many expectations.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from jiko_pipeline import calendars
from jiko_pipeline.selftest.planting.registry import Names

_NAME: Final = re.compile(r"\{([a-z_]+)\}")
_KEYS: Final = frozenset({"name", "title", "what", "target", "expects", "reach", "over_http", "switches"})
_EXPECTED_KEYS: Final = frozenset({"control", "code", "sub_code", "day", "pocket", "entity"})

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
    switches: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def holds_under(self, switches: Mapping[str, str]) -> bool:
        """True when a bank with these ledger switches raises exactly what the file says."""
        return all(str(switches[name]) in values for name, values in self.switches)

    def foretold(self, pocket_id: str, day: date, names: Names) -> set[Raised]:
        """The breaks that must follow from planting it at this pocket and day. Raises KeyError for an unknown name."""
        known = {"pocket": pocket_id, **names}
        return {raised for expectation in self.expects for raised in _filled(expectation, day, known)}


def _filled(expectation: Expectation, hit: date, names: Names) -> Iterator[Raised]:
    day = expectation.day if isinstance(expectation.day, str) else _later(hit, expectation.day).isoformat()
    templates = (expectation.sub_code, expectation.pocket, day, expectation.entity)
    used = {name for template in templates for name in _NAME.findall(template)}
    several = {name: value for name in used if not isinstance(value := names[name], str)}
    for place in range(max((len(value) for value in several.values()), default=1)):
        chosen = {name: several[name][place] if name in several else names[name] for name in used}
        sub_code, pocket, on, entity = (template.format_map(chosen) for template in templates)
        yield Raised(expectation.control, expectation.code, sub_code, pocket, date.fromisoformat(on), entity)


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
        key for row in values.get("expects", ()) for key in row.keys() - _EXPECTED_KEYS
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
                )
                for row in values["expects"]
            ),
            reach=Reach(values.get("reach", "pocket")),
            over_http=values.get("over_http"),
            switches=tuple((name, tuple(words)) for name, words in values.get("switches", {}).items()),
        )
    except KeyError as missing:
        raise FaultFileError(f"{file_name} lacks {missing}") from None
    if f"{fault.name}.toml" != file_name or not fault.expects:
        raise FaultFileError(f"{file_name} is not named after its fault, or expects nothing")
    return fault
