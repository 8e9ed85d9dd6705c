"""What reading a document returns: frames, findings, counts; or a refusal.

Belongs here: the types that every reader shares. Does not belong here: any one format.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

import polars as pl

from jiko_pipeline.errors import NotProvedError


class Severity(StrEnum):
    """ERROR: the document cannot be taken as it is. WARNING: readable, yet wrong somewhere. INFO: to be known."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a reader saw that a person may have to know.

    `code` is a constant in upper case, `message` a sentence, `locator` where in the document.
    """

    code: str
    severity: Severity
    message: str
    locator: str = ""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was kept aside: its place, the reason, and the line or element as text."""

    locator: str
    code: str
    message: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One document, read. Frames are by name as in `jiko_pipeline.formats.frames.FRAMES`.

    `rows_in_document` = rows in the frame that counts (entries, trades, prices, ...) + `rejected`.
    """

    frames: Mapping[str, pl.DataFrame]
    findings: tuple[Finding, ...] = ()
    rejected: tuple[RejectedRow, ...] = ()
    rows_in_document: int = 0


class RefusedDocumentError(NotProvedError):
    """A document that is not what it should be. It stays in the archive and out of the figures."""

    def __init__(self, code: str, message: str, locator: str = "") -> None:
        super().__init__(
            message,
            means="The document is quarantined; its pocket and day are not ready to book.",
            remedy="Ask the bank for the document again; `jiko inspect` shows what is wrong with it.",
        )
        self.code = code
        self.locator = locator


@dataclass(frozen=True, slots=True)
class Expectation:
    """What was asked for, to be compared with what came; None means any.

    `pocket_ids` are ids as the API writes them; dates are New York days, both included.
    """

    pocket_ids: frozenset[str] | None = None
    first: date | None = None
    last: date | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
