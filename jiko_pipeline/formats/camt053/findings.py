"""Collecting findings without letting one hostile or careless document produce millions of them.

Belongs here: the collector. Does not belong here: what is a finding (`checks`, `elements`, `gate`).
"""

from collections import Counter
from typing import Final

from jiko_pipeline.formats.reading import Finding, Severity

MOST_OF_ONE_CODE: Final = 25
"""So many findings of one code are told one by one; the rest of them is told as a number."""


class Findings:
    """Findings in the order they were met; drained once for each statement and once for the document."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._met: Counter[tuple[str, Severity]] = Counter()

    def add(self, code: str, severity: Severity, message: str, locator: str = "") -> None:
        """Keep one more finding."""
        self._met[code, severity] += 1
        if self._met[code, severity] <= MOST_OF_ONE_CODE:
            self._kept.append(Finding(code, severity, message, locator))

    def drain(self) -> tuple[Finding, ...]:
        """What was collected since the last call."""
        kept = list(self._kept)
        for (code, severity), met in self._met.items():
            if met > MOST_OF_ONE_CODE:
                kept.append(Finding(code, severity, f"The same holds for {met - MOST_OF_ONE_CODE} more places."))
        self._kept.clear()
        self._met.clear()
        return tuple(kept)
