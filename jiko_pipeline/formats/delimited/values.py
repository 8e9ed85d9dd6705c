"""Columns of text to typed columns, exactly, with the rows that do not obey kept aside.

Belongs here: one cast for each SQL type, and the rules of `contracts`. Does not belong here: files, headers
and what a document is.

Excess digits are not rounded (polars and DuckDB both do, and differently), so each pattern comes before its
cast.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from jiko_pipeline.formats.delimited.contracts import Rule
from jiko_pipeline.formats.frames import Column
from jiko_pipeline.tbill import is_valid_cusip

_INTEGER: Final = r"^-?[0-9]{1,15}$"
_DAY: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_INSTANT: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
_NUMBER: Final = r"^-?[0-9]{1,15}(\.[0-9]{1,12})?$"
_YEARS: Final = (1, 9999)
"""The years that a date can have in Python and in SQL; polars has more."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A typed column, and for each row the reason why its value cannot be taken (null: it can)."""

    values: pl.Series
    reasons: pl.Series


def judge(texts: pl.Series, column: Column) -> Judged:
    """Cast one column of text (empty is null). A reason is `CODE: what is wrong`."""
    name = column.name
    texts = texts.set(texts == "", None)
    kind = column.polars_type
    if isinstance(kind, pl.String):
        values, sound, wrong = texts, texts.is_not_null(), ""
    elif isinstance(kind, pl.Decimal):
        return _decimal(texts, column, kind)
    elif isinstance(kind, pl.Date):
        values = texts.str.to_date("%Y-%m-%d", strict=False)
        sound = texts.str.contains(_DAY) & values.dt.year().is_between(*_YEARS)
        wrong = "BAD_DATE: is not a date of the form YYYY-MM-DD"
    elif isinstance(kind, pl.Datetime):
        zoned = texts.str.replace("Z$", "+00:00").str.to_datetime(
            "%Y-%m-%dT%H:%M:%S%.f%:z", strict=False, time_unit="us"
        )
        values = zoned.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        sound = texts.str.contains(_INSTANT) & values.dt.year().is_between(*_YEARS)
        wrong = "BAD_TIME: is not a time of the form YYYY-MM-DDThh:mm:ss.ffffffZ"
    else:
        values = texts.cast(kind, strict=False)
        sound = texts.str.contains(_INTEGER) & values.is_not_null()
        wrong = "BAD_INTEGER: is not a whole number"
    values = pl.select(pl.when(sound).then(values)).to_series()
    return Judged(values.alias(name), _reasons(texts, sound, wrong, column))


def _decimal(texts: pl.Series, column: Column, kind: pl.Decimal) -> Judged:
    digits = min(15, (kind.precision or 38) - kind.scale)
    number = texts.str.contains(_NUMBER)
    exact = texts.str.contains(rf"^-?0*[0-9]{{1,{digits}}}(\.[0-9]{{0,{kind.scale}}}0*)?$")
    values = texts.set(~(number & exact).fill_null(False), None).cast(kind)
    reasons = pl.select(
        pl.when(texts.is_not_null() & ~number.fill_null(False))
        .then(pl.lit("BAD_NUMBER: is not a plain decimal number"))
        .when(texts.is_not_null() & ~exact.fill_null(False))
        .then(pl.lit(f"EXCESS_DIGITS: has more digits than {column.sql_type} holds"))
        .when(texts.is_null() & pl.lit(column.required))
        .then(pl.lit("MISSING: is missing"))
    ).to_series()
    return Judged(values.alias(column.name), reasons.cast(pl.String))


def _reasons(texts: pl.Series, sound: pl.Series, wrong: str, column: Column) -> pl.Series:
    return (
        pl.select(
            pl.when(texts.is_not_null() & ~sound.fill_null(False))
            .then(pl.lit(wrong))
            .when(texts.is_null() & pl.lit(column.required))
            .then(pl.lit("MISSING: is missing"))
        )
        .to_series()
        .cast(pl.String)
    )


def broken_rules(values: pl.Series, rule: Rule) -> pl.Series:
    """For each row the reason why a typed value breaks `rule`, else null."""
    if rule is Rule.CUSIP:
        wrong = {text: not is_valid_cusip(text) for text in values.drop_nulls().unique()}
        broken = values.replace_strict(wrong, default=False, return_dtype=pl.Boolean)
        reason = "BAD_CUSIP: is not a CUSIP with a right check digit"
    elif rule is Rule.CURRENCY:
        broken = ~values.str.contains("^[A-Z]{3}$")
        reason = "BAD_CURRENCY: is not a currency code"
    elif rule is Rule.PRICE:
        broken = (values <= 0) | (values > 100)
        reason = "BAD_PRICE: is not above 0 and at most 100, as the price of a bill is"
    elif rule is Rule.POSITIVE:
        broken, reason = values <= 0, "NOT_POSITIVE: is not above zero"
    else:
        broken, reason = values < 0, "NEGATIVE: is below zero"
    return pl.select(pl.when(broken.fill_null(False)).then(pl.lit(reason))).to_series().cast(pl.String)
