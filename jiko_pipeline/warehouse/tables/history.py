"""History: every version of what runs and people wrote, each with the time in which it was known.

Belongs here: which tables are kept this way and the columns that versions add. Does not belong here: keeping them
(`warehouse.history`), what documents stated (staging has its own versions), tables that are only ever appended to
(break events, runs, sign-offs).
"""

from typing import Final

from jiko_pipeline.formats.frames import Column
from jiko_pipeline.warehouse.tables.core import CLASSIFICATION_RULE
from jiko_pipeline.warehouse.tables.holdings import CASH_POSITION, HOLDING_DAILY, INCOME_DAILY, LOT
from jiko_pipeline.warehouse.tables.mart import DAILY_CLOSE, RECON_BRIDGE
from jiko_pipeline.warehouse.tables.recon import APPENDED, MATCH, RECON, RESULT
from jiko_pipeline.warehouse.tables.spec import TableSpec, provenance

KEPT_BY_DAY: Final = (RESULT, MATCH, DAILY_CLOSE, RECON_BRIDGE, LOT, HOLDING_DAILY, INCOME_DAILY, CASH_POSITION)
"""Kept by those who write them, for the pocket-days that they write."""
KEPT_WHOLE: Final = (
    CLASSIFICATION_RULE,
    *(spec for spec in RECON if spec not in (*APPENDED, *KEPT_BY_DAY)),
)
"""Kept as a whole by each run and each publishing: rules, bases and whatever else is small."""


def _versions(spec: TableSpec) -> TableSpec:
    columns = (Column(column.name, column.sql_type, column.comment, False, column.role) for column in spec.columns)
    return TableSpec(
        "history",
        f"{spec.schema}_{spec.name}",
        f"Every version of {spec.qualified_name}. {spec.comment}",
        (
            *columns,
            provenance("known_from_utc", "TIMESTAMP", "From when it stood so, UTC.", required=True),
            provenance("known_to_utc", "TIMESTAMP", "Until when it stood so, UTC; null while it does."),
        ),
        (*spec.key, "known_from_utc"),
    )


HISTORY: Final = tuple(_versions(spec) for spec in (*KEPT_BY_DAY, *KEPT_WHOLE))
