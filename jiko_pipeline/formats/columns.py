"""Python values to a frame with exactly the declared schema.

Belongs here: the one step from rows that are already exact (decimals, days, instants) to polars. Does not
belong here: text to values (`exact`, `delimited.values`).
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from jiko_pipeline.formats.frame_spec import FrameSpec


def typed_frame(spec: FrameSpec, columns: Iterable[Sequence[Any]]) -> pl.DataFrame:
    """Columns of Python values in the order of `spec` as a frame. Decimals go by their text, so exactly.

    Raises polars' own errors when a decimal does not fit its column; the caller has seen to it that it does.
    """
    series = []
    for column, values in zip(spec.columns, columns, strict=True):
        kind = column.polars_type
        if isinstance(kind, pl.Decimal):
            texts = [format(value, "f") if isinstance(value, Decimal) else None for value in values]
            series.append(pl.Series(column.name, texts, dtype=pl.String).cast(kind))
        else:
            series.append(pl.Series(column.name, values, dtype=kind, strict=True))
    return pl.DataFrame(series)
