"""Questions about what has been done, for the checks that Dagster shows.

Belongs here: counts of control results over a window, and what would make the whole file wrong. Does not belong
here: judging (`reconciliation`) and showing (`orchestration`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse import self_check
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.load_transaction import miscounted_documents


@dataclass(slots=True)
class Tally:
    """Results of one control. `reasons` counts why keys were not tested."""

    passed: int = 0
    broken: int = 0
    not_tested: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


def control_counts(settings: Settings, window: Window) -> Mapping[str, Tally]:
    """A tally for each control with a result on a day of the window, by control id."""
    text = (resources.files("jiko_pipeline.pipeline") / "control_counts.sql").read_text(encoding="utf-8")
    tallies: dict[str, Tally] = {}
    with Warehouse(settings).existing() as con:
        rows = con.execute(text, [settings.profile, window.first, window.last]).fetchall()
    for control_id, status, reason, number in rows:
        tally = tallies.setdefault(control_id, Tally())
        if status == "PASS":
            tally.passed += number
        elif status == "BREAK":
            tally.broken += number
        else:
            tally.not_tested += number
            tally.reasons[reason] = tally.reasons.get(reason, 0) + number
    return tallies


def schema_differences(settings: Settings) -> list[str]:
    """Where the tables differ from their declarations, a sentence each."""
    with Warehouse(settings).existing() as con:
        return self_check.schema_differences(con)


def manifest_differences(settings: Settings) -> list[str]:
    """Days of documents whose current rows are not as many as the manifest states, a sentence each."""
    with Warehouse(settings).existing() as con:
        return [
            f"{wrong.document_kind} of {wrong.day}: the manifest states {wrong.stated} current rows,"
            f" the tables hold {wrong.held}"
            for wrong in miscounted_documents(con)
        ]


def published_differences(settings: Settings) -> list[str]:
    """Where the published file differs from what it was verified with, a sentence each."""
    return self_check.published_differences(settings)
