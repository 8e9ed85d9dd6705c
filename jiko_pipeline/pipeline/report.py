"""What a step tells: counts for each day, sentences for a person, and how it ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from jiko_pipeline.errors import ExitCode, most_serious


@dataclass(frozen=True, slots=True)
class StepReport:
    """Counts by day (what a step did), notes (sentences), and the exit code that they amount to.

    `unfinished` are the days for which something is still to come that a later run can fetch; a document that was
    refused or quarantined is no such thing.
    """

    step: str
    per_day: Mapping[date, Mapping[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    exit_code: ExitCode = ExitCode.OK
    unfinished: frozenset[date] = frozenset()

    def total(self, name: str) -> int:
        """The sum of one count over all days."""
        return sum(counts.get(name, 0) for counts in self.per_day.values())


def combined(reports: Iterable[StepReport]) -> tuple[ExitCode, tuple[str, ...]]:
    """The most serious exit code of several steps, and all of their notes without repetition."""
    reports = list(reports)
    notes = dict.fromkeys(note for report in reports for note in report.notes)
    return most_serious(*(report.exit_code for report in reports)), tuple(notes)
