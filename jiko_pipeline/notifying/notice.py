"""What is told: a notice, in words that may leave the house.

Belongs here: the kinds of notices, their text, and masking. Does not belong here: how they are sent (`channels`), when
(`telling`).

A notice holds no amount, no identifier of a pocket, a person or a transaction. In names that others chose, and in
sentences of errors, every run of more than four digits is masked to its last four.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final


class NoticeKind(StrEnum):
    """Why somebody is told."""

    FAILURE = "failure"
    BREAKS = "breaks"
    LATE = "late"


_DIGITS: Final = re.compile(r"\d(?:[ .\-/]?\d){4,}")
"""Five digits or more, also where they are grouped."""

_DAY: Final = re.compile(r"(?<!\d)(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)")
_LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell. `summary` is a sentence for a subject line, `lines` the rest; `at` is aware, UTC.

    `first` and `last` are the business days concerned, None where none are. `subjects` are ids of breaks by which it
    is remembered what was told; they are not sent.
    """

    kind: NoticeKind
    profile: str
    environment: str
    at: datetime
    summary: str
    lines: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    run_id: str | None = None
    subjects: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """One printable line."""
        return printable(f"[jiko {self.profile}] {self.summary}")

    @property
    def text(self) -> str:
        """The whole as plain text."""
        days = "" if self.first is None else f"Days: {self.first} to {self.last}"
        run = "" if self.run_id is None else f"Run: {self.run_id}"
        bank = "SIMULATED bank" if self.environment == "simulator" else f"{self.environment} bank"
        told = (
            self.summary,
            *self.lines,
            "",
            days,
            run,
            f"Profile: {self.profile}, {bank}",
            f"At: {self.at:%F %T} UTC",
        )
        return "\n".join(line for place, line in enumerate(told) if line or place == len(self.lines) + 1) + "\n"

    def to_json(self) -> bytes:
        """The whole for a program. `text` is also what Slack and its like show of a webhook."""
        told: Mapping[str, object] = {
            "kind": self.kind.value,
            "profile": self.profile,
            "environment": self.environment,
            "at": self.at.isoformat(),
            "summary": self.summary,
            "lines": list(self.lines),
            "first": None if self.first is None else self.first.isoformat(),
            "last": None if self.last is None else self.last.isoformat(),
            "run_id": self.run_id,
            "text": self.text,
        }
        return json.dumps(told, ensure_ascii=False).encode()


def masked(words: str) -> str:
    """`words` on one printable line, with every run of more than four digits masked to its last four; days stay."""
    line = printable(words)
    told, at = [], 0
    for day in _DAY.finditer(line):
        told += [_DIGITS.sub(_last_four, line[at : day.start()]), day.group()]
        at = day.end()
    return "".join((*told, _DIGITS.sub(_last_four, line[at:])))


def masked_name(name: str) -> str:
    """A name that somebody chose: masked, and shortened to 80 characters. A day in it is masked as well."""
    line = _DIGITS.sub(_last_four, printable(name)).strip()
    return line if len(line) <= _LONGEST_NAME else f"{line[: _LONGEST_NAME - 1]}…"


def printable(words: str) -> str:
    """One line without control characters, so that no name can begin another line or header."""
    return "".join(character if character.isprintable() else " " for character in words)


def _last_four(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found.group())
    return f"•••{digits[-4:]}"
