"""A step of sign-off on the warehouse of this profile, published at once.

Belongs here: the turn at the warehouse, the files beside it, publishing. Does not belong here: the steps
(`jiko_pipeline.reconciliation.signoff`), the terminal.
"""

from collections.abc import Callable
from datetime import timedelta

from jiko_pipeline import calendars
from jiko_pipeline.pipeline.expected import utc_now
from jiko_pipeline.pipeline.sync import sync_window
from jiko_pipeline.pipeline.turn import end_turn, take_turn
from jiko_pipeline.pipeline.windows import requested
from jiko_pipeline.reconciliation.signoff import Period, Signoff, SignoffDesk
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.publish import publish


def order_month_again(settings: Settings, period: Period) -> None:
    """Asks for every report of a month again and judges it: a correction may be older than the daily look-back."""
    now = utc_now()
    last = min(period.last, calendars.new_york_date(now) - timedelta(days=1))
    for window in requested(settings, max(period.first, settings.start_date), last, now):
        sync_window(settings, window, reason="MONTH_END")


def take_step(settings: Settings, step: Callable[[SignoffDesk], Signoff]) -> Signoff:
    """Takes one step and publishes it."""
    take_turn(settings)
    try:
        with Warehouse(settings).existing() as con:
            desk = SignoffDesk(con, settings.profile, settings.legal_entity_id, settings.data_dir / "signoff")
            taken = step(desk)
        publish(settings)
    finally:
        end_turn(settings)
    return taken
