"""How much the published file covers: pockets and days, for estimates.

Does not belong here: whether what it covers is right (`jiko_pipeline.reporting.status`).
"""

from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.publish import published

_EXTENT = "select count(distinct (customer_id, pocket_id)), count(*) from mart.daily_close"


def pocket_days(settings: Settings) -> tuple[int, int]:
    """(pockets, pocket-days that were closed), of all customers; zeros where nothing is published yet.

    Raises StorageError when the published file cannot be read.
    """
    if not settings.published_file.exists():
        return 0, 0
    with published(settings) as con:
        ((pockets, days),) = con.execute(_EXTENT).fetchall()
    return int(pockets), int(days)
