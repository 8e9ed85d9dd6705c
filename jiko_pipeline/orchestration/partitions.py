"""The one partitions definition and the one backfill policy.

Every partitioned asset carries both: an asset without a policy counts as one partition a run and would turn a
backfill of a year into 365 runs. https://docs.dagster.io/guides/build/partitions-and-backfills
"""

from datetime import date
from typing import Final

import dagster as dg

from jiko_pipeline.settings import REPORT_WINDOW_DAYS

BACKFILL: Final = dg.BackfillPolicy.multi_run(REPORT_WINDOW_DAYS)


def daily_partitions(start: date) -> dg.DailyPartitionsDefinition:
    """Calendar days in New York from `start`: weekends have card and on-us movements."""
    return dg.DailyPartitionsDefinition(start_date=start.isoformat(), timezone="America/New_York")
