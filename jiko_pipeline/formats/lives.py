"""The life of a pocket from listings of one movement each: its first and, for a closed pocket, its last.

Belongs here: turning those pages into `pocket_life` rows. Does not belong here: reading a movement (`pages`).
"""

from collections.abc import Sequence
from datetime import UTC, date

import polars as pl

from jiko_pipeline.calendars import new_york_date
from jiko_pipeline.formats.frames import POCKET_LIFE
from jiko_pipeline.formats.pages import read_transactions
from jiko_pipeline.formats.reading import Expectation, Reading


def read_pocket_lives(parts: Sequence[bytes], expectation: Expectation) -> Reading:
    """One `pocket_life` row a pocket from pages of transactions; a page without items says nothing.

    Only the first item of a page counts: a bank may answer more than the one movement that was asked for.

    With one page of a pocket its only movement is the first one and the last stays null; with two or more the
    earliest and the latest count. Raises RefusedDocumentError like `read_transactions`.
    """
    found: dict[str, list[tuple[date, str]]] = {}
    for number, part in enumerate(parts, start=1):
        movements = read_transactions([part], expectation).frames["api_transaction"]
        for row in movements.head(1).iter_rows(named=True):
            day = new_york_date(row["booked_at_utc"].replace(tzinfo=UTC))
            found.setdefault(row["pocket_id"], []).append((day, f"page {number}"))
    rows = [
        {
            "pocket_id": pocket_id,
            "first_activity_on": min(days)[0],
            "last_activity_on": max(days)[0] if len(days) > 1 else None,
            "document_locator": min(days)[1],
        }
        for pocket_id, days in sorted(found.items())
    ]
    frame = pl.DataFrame(rows, schema=POCKET_LIFE.schema) if rows else POCKET_LIFE.empty()
    return Reading({POCKET_LIFE.name: frame}, rows_in_document=frame.height)
