"""The catalogue of faults: a TOML file each, written by hand.

Belongs here: reading the files. Does not belong here: choosing what a fault hits and changing it
(`planting`).
"""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Expectation:
    """A break that the fault must cause.

    `day_offset` is in business days after the day that is hit. `per` is "pocket" (one break) or "holding"
    (one for each pocket and CUSIP that is hit). `difference` is a word of `planting.DIFFERENCES`.
    """

    control: str
    code: str
    day_offset: int
    per: str
    sub_code: str | None
    report_type: str | None
    difference: str | None


@dataclass(frozen=True, slots=True)
class FaultDefinition:
    """A fault as its file describes it."""

    name: str
    title: str
    what: str
    target: str
    expects: tuple[Expectation, ...]


@lru_cache(maxsize=1)
def _definitions() -> dict[str, FaultDefinition]:
    found = {}
    for file in resources.files("jiko_pipeline.simulator.faults").iterdir():
        if file.name.endswith(".toml"):
            values = tomllib.loads(file.read_text(encoding="utf-8"))
            found[values["name"]] = _definition(values)
    return dict(sorted(found.items()))


def _definition(values: dict[str, Any]) -> FaultDefinition:
    expects = tuple(
        Expectation(
            control=row["control"],
            code=row["code"],
            day_offset=row["day_offset"],
            per=row["per"],
            sub_code=row.get("sub_code"),
            report_type=row.get("report_type"),
            difference=row.get("difference"),
        )
        for row in values["expects"]
    )
    return FaultDefinition(values["name"], values["title"], values["what"], values["target"], expects)


def names() -> tuple[str, ...]:
    """The names of all faults, in the order of the alphabet."""
    return tuple(_definitions())


def definition(name: str) -> FaultDefinition:
    """The fault called `name`. Raises LookupError with the names there are."""
    try:
        return _definitions()[name]
    except KeyError:
        raise LookupError(f"there is no fault {name!r}; there are {', '.join(names())}") from None
