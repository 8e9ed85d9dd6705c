"""The fields of a row as a tree of names, and one pass over an element that fills the row.

Belongs here: compiling paths, walking an element's children by them. Does not belong here: which paths there
are (`fields`), and what the text means (`columns`).

There is no search below a child: `.//Amt` in a balance finds the credit line's amount, and in an entry those
of its transactions. Namespaces are not compared, for banks write many that ISO never gave out; what no path
names is not entered, so foreign elements are never mistaken for the statement's own.
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from lxml import etree

from jiko_pipeline.formats.camt053.fields import Field, Kind

Row: TypeAlias = dict[int, str | None]
"""Slot -> text as it stands. The first element of a kind has the slot, even where it is empty."""

REPEATED: Final = -2
"""The slot of the name of the first element that came again where a row has room for one."""

BLANKS: Final = " \t\r\n"
"""What XML calls white space; no other is taken from around a text."""

Begun: TypeAlias = list[tuple[str, Row]]
"""Rows of other kinds that began below an element, with the name of their kind."""


class _Branch:
    """One element of the tree while it is being built."""

    __slots__ = ("begins", "children", "currency", "lines", "slot")

    def __init__(self) -> None:
        self.children: dict[str, _Branch] = {}
        self.slot: int | None = None
        self.currency: int | None = None
        self.lines: int | None = None
        self.begins: tuple[str, Layout] | None = None

    def at(self, path: str) -> "_Branch":
        """The branch at the end of a path, made where it is missing."""
        branch = self
        for name in path.split("/"):
            branch = branch.children.setdefault(name, _Branch())
        return branch


class Target:
    """What to do with an element that is more than a leaf with text or a way to others."""

    __slots__ = ("begins", "below", "currency", "lines", "slot")

    def __init__(self, branch: _Branch) -> None:
        self.slot = branch.slot
        self.currency = branch.currency
        self.lines = branch.lines
        self.begins = None if branch.begins is None else (branch.begins[0], branch.begins[1].tags())
        self.below = Tags(branch) if branch.children else None


class Tags(dict[str, "Tags | Target | int | None"]):
    """Full tag of a child -> the slot of its text, the tags below it, more to do, or None where it has no place.

    Filled as tags are met.
    """

    __slots__ = ("_branch",)

    def __init__(self, branch: _Branch) -> None:
        super().__init__()
        self._branch = branch

    def __missing__(self, tag: str) -> "Tags | Target | int | None":
        branch = self._branch.children.get(tag.rpartition("}")[2])
        found: Tags | Target | int | None = None
        if branch is not None:
            simple = branch.currency is None and branch.lines is None and branch.begins is None
            if simple and not branch.children:
                found = branch.slot
            elif simple and branch.slot is None:
                found = Tags(branch)
            else:
                found = Target(branch)
        self[tag] = found
        return found


class Layout:
    """The slots of one kind of row: `slots` says which of them a field takes its text from, in order.

    `begins` maps paths to the kinds of rows that each element there begins.
    """

    def __init__(self, fields: Sequence[Field], begins: Mapping[str, tuple[str, "Layout"]] | None = None) -> None:
        self.fields: Final = tuple(fields)
        self.slots: Final[dict[str, tuple[int, ...]]] = {}
        root = _Branch()
        taken: dict[str, int] = {}
        for field in fields:
            for path in field.paths:
                slot = taken.setdefault(path, len(taken))
                place, _, attribute = path.partition("@")
                branch = root.at(place)
                if attribute:
                    branch.currency = slot
                elif field.kind is Kind.LINES:
                    branch.lines = slot
                else:
                    branch.slot = slot
            self.slots[field.name] = tuple(taken[path] for path in field.paths)
        for path, kind in (begins or {}).items():
            root.at(path).begins = kind
        self._root = root

    def tags(self) -> Tags:
        """A fresh tree for one document, which remembers the document's tags."""
        return Tags(self._root)


def fill(element: "etree._Element", tags: Tags, row: Row, begun: Begun) -> None:
    """Put the text of everything below `element` that has a place into `row`; the first of a kind stays.

    That there was another is noted in the slot REPEATED. Of two that follow each other and share a text the second
    is not entered, or the row would hold some of the first and some of the second.
    """
    before: object = None
    for child in element:
        target = tags[child.tag]
        if type(target) is int:
            if target in row:
                _note_repeated(element, child, row)
            else:
                row[target] = child.text
        elif type(target) is Tags:
            if target is before and _has_again(child, target, row):
                _note_repeated(element, child, row)
            else:
                fill(child, target, row, begun)
        elif type(target) is Target:
            if (slot := target.slot) is not None:
                if slot in row:
                    _note_repeated(element, child, row)
                    if target.begins is None:
                        continue
                else:
                    row[slot] = child.text
            if (currency := target.currency) is not None:
                if currency not in row:
                    row[currency] = child.get("Ccy")
            elif target.lines is not None:
                _add_line(child, target.lines, row)
            if target.below is not None:
                fill(child, target.below, row, begun)
            if target.begins is not None:
                _begin(child, target.begins, begun)
        before = target


def _has_again(element: "etree._Element", tags: Tags, row: Row) -> bool:
    """True when `element` has a text that `row` has already."""
    for child in element:
        target = tags[child.tag]
        if type(target) is Target:
            if target.slot in row or (target.below is not None and _has_again(child, target.below, row)):
                return True
        elif target in row if type(target) is int else type(target) is Tags and _has_again(child, target, row):
            return True
    return False


def _note_repeated(element: "etree._Element", child: "etree._Element", row: Row) -> None:
    names = (each.tag.rpartition("}")[2] for each in (element, child))
    row.setdefault(REPEATED, "/".join(names))


def _add_line(child: "etree._Element", slot: int, row: Row) -> None:
    if child.text is not None and (line := child.text.strip(BLANKS)):
        row[slot] = line if slot not in row else f"{row[slot]}\n{line}"


def _begin(child: "etree._Element", begins: tuple[str, Tags], begun: Begun) -> None:
    kind, tags = begins
    fresh: Row = {}
    fill(child, tags, fresh, begun)
    if fresh:
        begun.append((kind, fresh))
