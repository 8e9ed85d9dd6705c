"""A person's decision about a break, from the warehouse to the published file.

Belongs here: the turn at the warehouse, the close that follows from the decision, publishing. Does not belong here:
the rules of a decision (`jiko_pipeline.reconciliation.decisions`).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

from jiko_pipeline.pipeline.turn import end_turn, take_turn
from jiko_pipeline.reconciliation.closing.build import build_close
from jiko_pipeline.reconciliation.decisions import Decider, Decision
from jiko_pipeline.reconciliation.materiality import Limits, set_limits
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.connection import one_transaction
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.publish import publish

_CHANGES_THE_CLOSE: Final = frozenset({"ACCEPTED", "RESOLVED", "REOPENED"})


def decide(settings: Settings, by: str | None, act: Callable[[Decider], Decision]) -> Decision:
    """Lets `act` decide in the name of `by` (the setting `person` when None), then closes and publishes anew.

    Raises DecisionError for what the rules refuse, StorageError when there is no warehouse, AlreadyRunningError when
    another process keeps its turn.
    """
    take_turn(settings)
    try:
        with Warehouse(settings).existing() as con:
            decider = Decider(con, Registry.load(), settings.profile, by or settings.person or "", datetime.now(UTC))
            decision = decide_and_close(decider, settings.legal_entity_id, act)
        publish(settings)
    finally:
        end_turn(settings)
    return decision


def decide_and_close(decider: Decider, legal_entity_id: str, act: Callable[[Decider], Decision]) -> Decision:
    """The decision and the close that follows from it in one transaction: neither ever stands without the other.

    The connection of `decider` is the writer's, without an open transaction. Raises DecisionError.
    """
    with one_transaction(decider.con):
        decision = act(decider)
        if decision.event in _CHANGES_THE_CLOSE:
            day = decision.found.business_date
            build_close(
                decider.con,
                customer_id=decider.customer_id,
                legal_entity_id=legal_entity_id,
                first=day,
                last=day,
                run_id="",
                registry=decider.registry,
            )
    return decision


def set_materiality(settings: Settings, by: str | None, limits: Limits, effective_from: date) -> None:
    """Sets limits of materiality in the name of `by` (the setting `person` when None) and publishes anew.

    Raises LimitError, and as `decide`.
    """
    take_turn(settings)
    try:
        with Warehouse(settings).existing() as con:
            set_limits(
                con,
                customer_id=settings.profile,
                legal_entity_id=settings.legal_entity_id,
                limits=limits,
                effective_from=effective_from,
                by=by or settings.person or "",
                now=datetime.now(UTC),
            )
        publish(settings)
    finally:
        end_turn(settings)
