"""Judging days: what has to be known of the bank before, then every control.

Belongs here: the order of these two, for a window of the daily work and for a warehouse made anew. Does not belong
here: turns and reports of steps (`steps`), the rules (`reconciliation`).
"""

from datetime import UTC, date, datetime

import duckdb

from jiko_pipeline import calendars
from jiko_pipeline.reconciliation.basis import DEMO_BASIS, SIMULATED_BANK, confirm_basis, confirmed_bases
from jiko_pipeline.reconciliation.basis_learning import learn_and_keep
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.reconciliation.runner import RunSummary, run_controls
from jiko_pipeline.settings import Environment, Settings
from jiko_pipeline.warehouse.connection import transaction


def judge(con: duckdb.DuckDBPyConnection, settings: Settings, first: date, last: date, run_id: str) -> RunSummary:
    """Every control over the days `first` to `last` and those whose result depends on them.

    The simulated bank says itself how it books; of any other bank that is learned until a person has confirmed it.
    """
    if settings.environment is Environment.SIMULATOR and not confirmed_bases(con, settings.profile):
        with transaction(con):
            confirm_basis(
                con,
                customer_id=settings.profile,
                legal_entity_id=settings.legal_entity_id,
                basis=DEMO_BASIS,
                effective_from=calendars.previous_fed_business_day(settings.start_date),
                confirmed_by=SIMULATED_BANK,
            )
    _learn_if_unconfirmed(con, settings, last)
    return run_controls(
        con,
        Registry.load(),
        customer_id=settings.profile,
        legal_entity_id=settings.legal_entity_id,
        first=first,
        last=last,
        run_id=run_id,
        now=datetime.now(UTC),
        business_day_end=settings.business_day_end,
    )


def _learn_if_unconfirmed(con: duckdb.DuckDBPyConnection, settings: Settings, last: date) -> None:
    """Keeps what the history up to `last` says of how the bank books, as long as nobody has confirmed it."""
    if not confirmed_bases(con, settings.profile):
        learn_and_keep(con, customer_id=settings.profile, legal_entity_id=settings.legal_entity_id, last=last)
