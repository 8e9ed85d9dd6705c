"""How the header of a CSV document differs from the layout that the contract has for it. Pure, names only."""

import csv

from jiko_pipeline.formats.delimited.contracts import Contract
from jiko_pipeline.pipeline.probe.differences import Difference, Kind, shown

_PLACE = "header"


def header_differences(contract: Contract, body: bytes) -> list[Difference]:
    """The columns that are not there and those that are not known, in one difference; none when they are the same."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [Difference(_PLACE, Kind.FORM, "is not UTF-8 text")]
    line = text.partition("\n")[0].rstrip("\r")
    names = next(csv.reader([line], delimiter=contract.separator), [])
    due = contract.header
    lacking = [f"without {name}" for name in due if name not in names]
    more = [f"with {shown(name)}" for name in names if name not in due]
    repeated = [f"with {shown(name)} again" for name in dict.fromkeys(names) if names.count(name) > 1]
    parts = [*lacking, *more, *repeated]
    return [Difference(_PLACE, Kind.HEADER, ", ".join(parts))] if parts else []
