"""What each break code asks of a person, what its sides are measured in, when it clears by itself.

Belongs here: reading `codes.toml`, the one table of codes, and entering it into the warehouse. Does not belong here:
class and severity of a code, which its control's header says (`jiko_pipeline.reconciliation.registry`).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType

import duckdb

from jiko_pipeline.errors import JikoPipelineError
from jiko_pipeline.reconciliation.registry import Registry


class Unit(StrEnum):
    """What the two sides of a break are."""

    USD = "USD"
    PRICE = "PRICE"
    """Per 100 of face; the money is face times the difference times 0.01."""
    FACE = "FACE"
    BP = "BP"
    COUNT = "COUNT"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class CodeGuide:
    """One code. `clears_within` in Fed business days, None for what does not clear by itself."""

    code: str
    unit: Unit
    clears_within: int | None
    is_authorisation: bool
    next_step: str


class CodeGuideError(JikoPipelineError):
    """The table of codes is not as it must be; a defect of the package."""

    means = "No control has run; the results of earlier runs stand."


UNKNOWN_STEP = "Look at both sides below, find out which of them is right, and ask Jiko to correct the other."
"""For a code that a caller's own control brings and the table does not know."""


@cache
def code_guides() -> Mapping[str, CodeGuide]:
    """Every code of the table that travels inside the package. Raises CodeGuideError."""
    text = (resources.files("jiko_pipeline.reconciliation") / "codes.toml").read_text(encoding="utf-8")
    return parse_codes(text)


def parse_codes(text: str) -> Mapping[str, CodeGuide]:
    """The codes in `text`, TOML with one table a code. Raises CodeGuideError naming the code that is wrong."""
    guides = {}
    for code, told in tomllib.loads(text).items():
        unknown = told.keys() - {"unit", "clears_within", "authorisation", "next"}
        step = told.get("next", "")
        within = told.get("clears_within")
        if unknown or not step.endswith(".") or told.get("unit") not in list(Unit):
            raise CodeGuideError(f"The code {code} lacks its unit or its next step, or says more: {sorted(unknown)}.")
        if within is not None and (not isinstance(within, int) or within < 1):
            raise CodeGuideError(f"The code {code} clears within a whole number of business days, not {within}.")
        guides[code] = CodeGuide(code, Unit(told["unit"]), within, told.get("authorisation", False) is True, step)
    return MappingProxyType(guides)


def guide_of(code: str) -> CodeGuide:
    """The guide of a code; a plain one for a code that the table does not know."""
    return code_guides().get(code) or CodeGuide(code, Unit.NONE, None, False, UNKNOWN_STEP)


def store_codes(con: duckdb.DuckDBPyConnection, registry: Registry) -> None:
    """Makes `recon.break_code` say what `registry` and the table of codes say; writes nothing when it does."""
    rows = [
        (
            control.control_id,
            code,
            break_class.value,
            control.severity_of(code).value,
            guide.unit.value,
            guide.clears_within,
            guide.is_authorisation,
            guide.next_step,
        )
        for control in registry.controls
        for code, break_class in sorted(control.codes.items())
        for guide in (guide_of(code),)
    ]
    if con.execute("select * from recon.break_code order by control_id, code").fetchall() == rows:
        return
    con.execute("delete from recon.break_code")
    con.executemany("insert into recon.break_code values (?, ?, ?, ?, ?, ?, ?, ?)", rows)
