"""Entries that look like others before them: one pattern for each shape, matched instead of parsed.

Belongs here: telling the shape of an entry from its tags, and the pattern that takes all its texts at once.
Does not belong here: which entries are tried (`skeleton`), which fields there are (`fields`).

Most entries of a long statement have the same elements in the same order, and differ only in their texts. A
pattern of a shape names every tag in full, lets no text hold markup, and so matches nothing but an entry of
exactly these elements. It presumes a document that a parser found well formed and that has no
comments, sections or instructions: there every `<` begins a tag. What has another attribute than `Ccy`, or
too many elements, has no shape and is parsed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, TypeAlias

from jiko_pipeline.formats.camt053 import layouts
from jiko_pipeline.formats.camt053.paths import Row, Tags, Target

MOST_TAGS: Final = 600

_ASIDE: Final = "SplmtryData"
"""What is kept aside is told, so an entry that has it is parsed."""
_TAG: Final = re.compile(r"""<(/?)([^\s<>/"'=&]++)(?:( Ccy=)"[^"<]*+")?+(/?)>""")
_BLANK: Final = r"[ \t\r\n]*+"
_TEXT: Final = r"((?![ \t\n])[^<\r]*+(?<![ \t\n]))"
"""A text without blanks around it, or none; references are resolved by `resolved`."""
_ANY: Final = "[^<]*+"
_CURRENCY: Final = r"""([^"<&\t\n\r]*+)"""
_ANY_VALUE: Final = '[^"<]*+'
_NOTHING: Final = "(?:(?!)())?"
"""A last group that is always None: the text of what is empty."""
_NO_GROUP: Final = -1
_REFERENCES: Final = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))

Signature: TypeAlias = tuple[tuple[str, str, str, str], ...]
"""The tags of an entry in order: ("/" at an end, name, " Ccy=" where it has one, "/" when empty)."""
Groups: TypeAlias = tuple[str | None, ...]
"""What the groups of a match hold; the last is None."""
MatchedRow: TypeAlias = "Row | tuple[RowPlan, Groups]"
"""A row as it was parsed, or the groups of a match with the plan for them: texts without blanks around."""


class RowPlan:
    """Which groups of a match go into which slots of a row, and which rows begin below it."""

    __slots__ = ("_getters", "begun", "lines", "slots")

    def __init__(self) -> None:
        self.slots: dict[int, int] = {}
        self.lines: dict[int, list[int]] = {}
        self.begun: list[tuple[str, RowPlan]] = []
        self._getters: dict[tuple[int, ...], Callable[[Groups], tuple[str | None, ...]]] = {}

    def close(self) -> None:
        """Called once, when nothing is added any more: a line that stands alone is a text like any other."""
        if self.slots and all(len(groups) == 1 for groups in self.lines.values()):
            self.slots.update((slot, groups[0]) for slot, groups in self.lines.items())
            self.lines.clear()
        for _, plan in self.begun:
            plan.close()

    def row(self, groups: Groups) -> "MatchedRow | None":
        """The row of a match; None when nothing stands in it."""
        if not self.lines:
            return (self, groups) if self.slots else None
        row: Row = {slot: groups[group] for slot, group in self.slots.items()}
        for slot, places in self.lines.items():
            if kept := [line for place in places if (line := groups[place])]:
                row[slot] = "\n".join(kept)
        return row or None

    def getter(self, slots: tuple[int, ...]) -> Callable[[Groups], tuple[str | None, ...]]:
        """From the groups of a match to the texts of these slots (two or more), None where it has none."""
        found = self._getters.get(slots)
        if found is None:
            found = self._getters[slots] = itemgetter(*(self.slots.get(slot, _NO_GROUP) for slot in slots))
        return found


class Shape:
    """The pattern of one sequence of tags, and the plans of its entry and of its transactions."""

    def __init__(self, signature: Signature) -> None:
        compiler = _Compiler(signature)
        self.match: Final = re.compile(compiler.pattern).match
        self.is_lossless: Final = not compiler.repeats
        """False where an element comes again that a row has room for once: that is told, so such an entry is parsed."""
        self.entry: Final = compiler.entry
        self.details: Final = tuple(
            (number, plan, *position)
            for number, (plan, position) in enumerate(zip(compiler.details, compiler.positions, strict=True), start=1)
        )
        """(number, plan, block, number in the block) of each transaction."""
        self.entry.close()
        for plan in compiler.details:
            plan.close()


def resolved(groups: Groups) -> Groups | None:
    """The groups of a match with XML's five named references resolved; None where a text has a numbered one.

    A numbered one may stand for a blank or a carriage return, which would be treated otherwise than as text.
    """
    texts: list[str | None] = []
    for text in groups:
        if text is not None and "&" in text:
            if "&#" in text:
                return None
            for reference, character in _REFERENCES:
                text = text.replace(reference, character)
        texts.append(text)
    return tuple(texts)


def signature_of(text: str) -> Signature | None:
    """The tags of an entry; None when it is no whole element or has other tags than a shape can have."""
    number = text.count("<")
    if number > MOST_TAGS:
        return None
    tags = tuple(_TAG.findall(text))
    if len(tags) != number or any(name.endswith(_ASIDE) for _, name, _, _ in tags):
        return None
    return tags if _is_one_element(tags) else None


def _is_one_element(tags: Signature) -> bool:
    """Whether every tag is ended, and the first by the last: an entry within an entry ends before it."""
    open_tags: list[str] = []
    for place, (end, name, _, empty) in enumerate(tags):
        if place and not open_tags:
            return False
        if not end:
            open_tags.append(name)
        if (end or empty) and open_tags.pop() != name:
            return False
    return not open_tags


class _Compiler:
    """One walk over the tags of an entry as `paths.fill` walks over its elements."""

    def __init__(self, signature: Signature) -> None:
        self.entry = RowPlan()
        self.details: list[RowPlan] = []
        self.positions: list[tuple[int, int]] = []
        self.repeats = False
        self._groups = 0
        self._parts: list[str] = []
        self._block = 0
        self._in_block: dict[int, int] = {}
        self._walk(signature)
        self.pattern = "".join(self._parts) + _NOTHING

    def _walk(self, signature: Signature) -> None:
        names: list[str] = []
        walkers: list[list[tuple[RowPlan, Tags]]] = [[(self.entry, layouts.ENTRY.tags())]]
        endings: list[list[tuple[RowPlan, str, RowPlan]]] = []
        for place, (end, name, currency, empty) in enumerate(signature):
            if end:
                self._parts.append(f"</{re.escape(name)}>")
                self._end(names, walkers, endings)
            elif place == 0:
                # What is in the entry itself is walked by the first walkers.
                self._parts.append(f"<{re.escape(name)}>")
                names.append("")
                walkers.append(walkers[0])
                endings.append([])
            else:
                local = name.rpartition(":")[2]
                names.append(local)
                wanted = self._begin(local, names, walkers, endings)
                self._parts.append(f"<{re.escape(name)}")
                if currency:
                    self._parts.append(f' Ccy="{_CURRENCY if wanted.currencies else _ANY_VALUE}"')
                if wanted.currencies:
                    wanted.give_currency(self._next_group() if currency else _NO_GROUP)
                if empty:
                    self._parts.append("/>")
                    wanted.give_nothing()
                    self._end(names, walkers, endings)
                else:
                    self._parts.append(">")
                    if wanted.texts or wanted.lines:
                        if signature[place + 1][0]:
                            self._parts.append(_TEXT)
                            wanted.give_text(self._next_group())
                        else:
                            # Text beside other elements would be a text; blanks are none.
                            self._parts.append(_BLANK)
                            wanted.give_nothing()
                        continue
            if names:
                self._parts.append(_ANY)

    def _next_group(self) -> int:
        self._groups += 1
        return self._groups - 1

    def _begin(
        self,
        local: str,
        names: list[str],
        walkers: list[list[tuple[RowPlan, Tags]]],
        endings: list[list[tuple[RowPlan, str, RowPlan]]],
    ) -> "_Wanted":
        wanted = _Wanted()
        deeper: list[tuple[RowPlan, Tags]] = []
        ending: list[tuple[RowPlan, str, RowPlan]] = []
        for plan, tags in walkers[-1]:
            target = tags[local]
            if isinstance(target, int):
                self.repeats |= target in plan.slots
                wanted.texts.append((plan, target))
            elif isinstance(target, Tags):
                deeper.append((plan, target))
            elif isinstance(target, Target):
                if target.slot is not None:
                    self.repeats |= target.slot in plan.slots
                    wanted.texts.append((plan, target.slot))
                if target.currency is not None:
                    wanted.currencies.append((plan, target.currency))
                elif target.lines is not None:
                    wanted.lines.append((plan, target.lines))
                if target.below is not None:
                    deeper.append((plan, target.below))
                if target.begins is not None:
                    fresh = RowPlan()
                    ending.append((plan, target.begins[0], fresh))
                    deeper.append((fresh, target.begins[1]))
        if local == "NtryDtls" and len(names) == 2:
            self._block += 1
        if local == "TxDtls" and (len(names) == 2 or (len(names) == 3 and names[1] == "NtryDtls")):
            block = 0 if len(names) == 2 else self._block
            self._in_block[block] = self._in_block.get(block, 0) + 1
            self.positions.append((block, self._in_block[block]))
            self.details.append(RowPlan())
            deeper.append((self.details[-1], layouts.DETAIL.tags()))
        walkers.append(deeper)
        endings.append(ending)
        return wanted

    @staticmethod
    def _end(
        names: list[str],
        walkers: list[list[tuple[RowPlan, Tags]]],
        endings: list[list[tuple[RowPlan, str, RowPlan]]],
    ) -> None:
        names.pop()
        walkers.pop()
        for plan, kind, fresh in endings.pop():
            plan.begun.append((kind, fresh))


@dataclass(slots=True)
class _Wanted:
    """What the rows take of one element; the first of a kind stays, and lines are added."""

    texts: list[tuple[RowPlan, int]] = field(default_factory=list)
    currencies: list[tuple[RowPlan, int]] = field(default_factory=list)
    lines: list[tuple[RowPlan, int]] = field(default_factory=list)

    def give_text(self, group: int) -> None:
        """The text of the element is this group."""
        for plan, slot in self.texts:
            plan.slots.setdefault(slot, group)
        for plan, slot in self.lines:
            plan.lines.setdefault(slot, []).append(group)

    def give_currency(self, group: int) -> None:
        """The currency of the element is this group."""
        for plan, slot in self.currencies:
            plan.slots.setdefault(slot, group)

    def give_nothing(self) -> None:
        """The element is empty: it stays the first of its kind all the same."""
        for plan, slot in self.texts:
            plan.slots.setdefault(slot, _NO_GROUP)
