"""The days and pockets that a world's documents speak of.

Belongs here: what every edge asks of a world. Does not belong here: any edge (the other modules of this room).
"""

from datetime import date

from jiko_pipeline import calendars
from jiko_pipeline.selftest.facts import Facts


def business_days(facts: Facts) -> list[date]:
    """The days of the statements and summaries; messages reach further back."""
    days = {row["scope_date"] for row in facts.find("raw.delivery", document_kind="POSITION")}
    return calendars.fed_business_days(min(days), max(days))


def listed_pockets(facts: Facts) -> list[str]:
    """The pockets that the bank lists, sorted."""
    return sorted(row["pocket_id"] for row in facts.all("staging.pocket"))
