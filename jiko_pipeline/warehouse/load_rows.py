"""The rows of a batch, each with its document and its day, before they meet the tables.

Belongs here: putting the frames of many documents under each other and finding the day of each row. Does not
belong here: hashes and versions (`load_sql/`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Protocol

import polars as pl

from jiko_pipeline.calendars import day_bounds, days
from jiko_pipeline.errors import JikoPipelineError
from jiko_pipeline.formats.frames import FRAMES
from jiko_pipeline.formats.reading import Reading
from jiko_pipeline.warehouse.kinds import Kind, Scope, Span

DOCUMENT_NO: Final = "document_no"
_SCOPE_DATE: Final = "scope_date"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing of a document is taken: a code in upper case, a sentence, a place in the document."""

    code: str
    message: str
    locator: str = ""


class ReadDocument(Protocol):
    """What this module needs of `load.LoadedDocument`."""

    @property
    def scopes(self) -> tuple[Scope, ...]: ...
    @property
    def reading(self) -> Reading | None: ...
    @property
    def refusal(self) -> Refusal | None: ...


@dataclass(frozen=True, slots=True)
class PreparedRows:
    """`frames`: by name, the declared columns with `document_no` (position in the batch, from 1) and `scope_date`.

    `rejected` has the columns document_no, scope_date, reason_code, message, rejected_locator, rejected_text.
    `refusals` are by document number; a refused document has no rows in the frames.
    """

    frames: Mapping[str, pl.DataFrame]
    rejected: pl.DataFrame
    refusals: Mapping[int, Refusal]


class FrameShapeError(JikoPipelineError):
    """A reader returned a frame that differs from its declaration: a defect of the reader."""


def prepared(kind: Kind, documents: Sequence[ReadDocument]) -> PreparedRows:
    """The rows of all documents of a batch; a row on a day that its document does not speak of refuses the document.

    Raises FrameShapeError when a frame is missing or has other columns than declared.
    """
    refusals = {
        number: document.refusal for number, document in enumerate(documents, start=1) if document.refusal is not None
    }
    read = {number: document for number, document in enumerate(documents, start=1) if document.refusal is None}
    frames = {name: _dated(kind, _stacked(name, read), read) for name in kind.frames}
    refusals |= _refused_for_their_days(frames, read)
    frames = {
        name: frame.filter(~pl.col(DOCUMENT_NO).is_in(list(refusals))) if refusals else frame
        for name, frame in frames.items()
    }
    return PreparedRows(frames, _rejected(read, refusals), refusals)


def _stacked(name: str, read: Mapping[int, ReadDocument]) -> pl.DataFrame:
    spec = FRAMES[name]
    parts: list[pl.DataFrame] = []
    numbers: list[int] = []
    for number, document in read.items():
        found = document.reading.frames.get(name) if document.reading is not None else None
        if found is None or found.schema != spec.schema:
            what = "is missing" if found is None else "has other columns than declared"
            raise FrameShapeError(f"The frame {name} that a reader returned {what}.")
        if found.height:
            parts.append(found)
            numbers.extend([number] * found.height)
    stacked = pl.concat(parts) if parts else spec.empty()
    return stacked.with_columns(pl.Series(DOCUMENT_NO, numbers, dtype=pl.Int32))


def _dated(kind: Kind, frame: pl.DataFrame, read: Mapping[int, ReadDocument]) -> pl.DataFrame:
    if kind.span is Span.DATE_COLUMN:
        return frame.with_columns(pl.col(kind.day_column).alias(_SCOPE_DATE))
    if kind.span is Span.INSTANT_COLUMN:
        return with_new_york_date(frame, kind.day_column, _SCOPE_DATE)
    day_of = pl.DataFrame(
        {DOCUMENT_NO: list(read), _SCOPE_DATE: [document.scopes[0].day for document in read.values()]},
        schema={DOCUMENT_NO: pl.Int32, _SCOPE_DATE: pl.Date},
    )
    return frame.join(day_of, on=DOCUMENT_NO, how="left", maintain_order="left")


def with_new_york_date(frame: pl.DataFrame, instant_column: str, date_column: str) -> pl.DataFrame:
    """`frame` with the New York calendar date of a UTC instant without a zone, in any row order."""
    if frame.is_empty():
        return frame.with_columns(pl.lit(None, dtype=pl.Date).alias(date_column))
    span = frame.select(first=pl.col(instant_column).min(), last=pl.col(instant_column).max()).row(0)
    calendar = days(span[0].date() - timedelta(days=2), span[1].date() + timedelta(days=1))
    starts = pl.DataFrame(
        {"day_start": [day_bounds(day)[0].replace(tzinfo=None) for day in calendar], date_column: calendar},
        schema={"day_start": pl.Datetime("us"), date_column: pl.Date},
    )
    return (
        frame.with_columns(pl.col(instant_column).alias("day_start"))
        .sort("day_start")
        .join_asof(starts, on="day_start")
        .drop("day_start")
    )


def _refused_for_their_days(frames: Mapping[str, pl.DataFrame], read: Mapping[int, ReadDocument]) -> dict[int, Refusal]:
    known = pl.DataFrame(
        [(number, scope.day) for number, document in read.items() for scope in document.scopes],
        schema={DOCUMENT_NO: pl.Int32, _SCOPE_DATE: pl.Date},
        orient="row",
    )
    refused: dict[int, Refusal] = {}
    for name, frame in frames.items():
        outside = frame.join(known, on=[DOCUMENT_NO, _SCOPE_DATE], how="anti")
        for number, locator, day in outside.select(DOCUMENT_NO, "document_locator", _SCOPE_DATE).iter_rows():
            refused.setdefault(number, _outside(name, locator, day))
    return refused


def _outside(name: str, locator: str | None, day: date | None) -> Refusal:
    return Refusal(
        "ROW_OUTSIDE_DAYS",
        f"A row of {name} belongs to {day}, a day that the document was not asked for.",
        locator or "",
    )


def _rejected(read: Mapping[int, ReadDocument], refusals: Mapping[int, Refusal]) -> pl.DataFrame:
    """A rejected row has no day that could be trusted, so it counts against every day of its document."""
    rows = [
        (number, scope.day, row.code, row.message, row.locator, row.text)
        for number, document in read.items()
        if number not in refusals and document.reading is not None
        for row in document.reading.rejected
        for scope in document.scopes
    ]
    return pl.DataFrame(
        rows,
        schema={
            DOCUMENT_NO: pl.Int32,
            _SCOPE_DATE: pl.Date,
            "reason_code": pl.String,
            "message": pl.String,
            "rejected_locator": pl.String,
            "rejected_text": pl.String,
        },
        orient="row",
    )
