"""Whether what came is what was asked for: days and pockets of rows against an Expectation.

Belongs here: the comparison that listings and CSV reports share. Does not belong here: that of statements,
whose account and day stand once a document (`camt053.reader`).
"""

import polars as pl

from jiko_pipeline.formats.reading import Expectation, RefusedDocumentError

_NEW_YORK = "America/New_York"


def refuse_other_days(expectation: Expectation, frame: pl.DataFrame, column: str | None) -> None:
    """RefusedDocumentError (ECHO_MISMATCH) when a row is of a day outside those asked for.

    `column` is a date, or an instant in UTC, which counts for its day in New York; null days are passed over.
    """
    if column is None or column not in frame.columns or (expectation.first is None and expectation.last is None):
        return
    outside = days_outside(expectation, frame, column)
    if outside.any():
        at = frame["document_locator"].filter(outside)[0]
        day = _days(frame, column).filter(outside)[0]
        raise RefusedDocumentError("ECHO_MISMATCH", f"{at}: {column} is {day}, a day that was not asked for.", at)


def days_outside(expectation: Expectation, frame: pl.DataFrame, column: str) -> pl.Series:
    """For each row whether its day (as in `refuse_other_days`) lies outside those asked for."""
    days = _days(frame, column)
    outside = pl.Series([False] * frame.height, dtype=pl.Boolean)
    if expectation.first is not None:
        outside = outside | (days < expectation.first).fill_null(False)
    if expectation.last is not None:
        outside = outside | (days > expectation.last).fill_null(False)
    return outside


def _days(frame: pl.DataFrame, column: str) -> pl.Series:
    days = frame[column]
    if isinstance(days.dtype, pl.Datetime):
        days = days.dt.replace_time_zone("UTC").dt.convert_time_zone(_NEW_YORK).dt.date()
    return days


def refuse_other_pockets(expectation: Expectation, frame: pl.DataFrame, column: str | None) -> None:
    """RefusedDocumentError (ECHO_MISMATCH) when a row names a pocket that was not asked for."""
    if expectation.pocket_ids is None or column is None or column not in frame.columns:
        return
    wanted = [normalised(pocket) for pocket in expectation.pocket_ids]
    named = frame[column].str.replace_all("-", "", literal=True).str.to_lowercase()
    outside = ~named.is_in(wanted)
    if outside.any():
        at = frame["document_locator"].filter(outside)[0]
        raise RefusedDocumentError("ECHO_MISMATCH", f"{at}: {column} names a pocket that was not asked for.", at)


def normalised(identification: str) -> str:
    """An identification without hyphens and in lower case, so that a UUID equals itself however written."""
    return identification.replace("-", "").lower()
