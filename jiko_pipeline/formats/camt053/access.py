"""Reaching into the XML one child at a time, by local name.

Belongs here: child, text, the memory of names and days. Does not belong here: which element holds what
(`elements`).

There is no search below a child: `.//Amt` in a balance finds the credit line's amount, and in an entry those
of its transactions. Namespaces are not compared, for banks write many that ISO never gave out; supplementary
data, the one place where foreign elements may stand, is passed over whole (`stream`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from lxml import etree

from jiko_pipeline.formats.camt053.columns import Days
from jiko_pipeline.formats.camt053.findings import Findings
from jiko_pipeline.formats.reading import Severity


class LocalNames(dict[str, str]):
    """Full tag to local name."""

    def __missing__(self, tag: str) -> str:
        self[tag] = name = tag.rpartition("}")[2]
        return name


@dataclass(slots=True)
class Scope:
    """What the builders need to know of the document they work in."""

    names: LocalNames = field(default_factory=LocalNames)
    findings: Findings = field(default_factory=Findings)
    days: Days = field(default_factory=Days)

    def child(self, element: etree._Element, name: str) -> etree._Element | None:
        """The first child of that name."""
        names = self.names
        for candidate in element:
            if names[candidate.tag] == name:
                return candidate
        return None

    def children(self, element: etree._Element, name: str) -> Iterator[etree._Element]:
        """All children of that name, in order."""
        names = self.names
        return (candidate for candidate in element if names[candidate.tag] == name)

    def text(self, element: etree._Element | None, *path: str) -> str | None:
        """The stripped text at the end of a path of first children; None when empty or absent."""
        for name in path:
            if element is None:
                return None
            element = self.child(element, name)
        if element is None or element.text is None:
            return None
        return element.text.strip() or None

    def first_text(self, element: etree._Element, *paths: tuple[str, ...]) -> str | None:
        """The text of the first of several paths that has any: versions differ in where a value stands."""
        for path in paths:
            if (text := self.text(element, *path)) is not None:
                return text
        return None

    def day(self, text: str | None, locator: str) -> date | None:
        """The calendar day as written. Text that is no date is a finding."""
        if text is None:
            return None
        day = self.days[text]
        if day is None:
            self.findings.add("ODD_DATE", Severity.WARNING, f"'{text[:40]}' is not a date.", locator)
        return day
