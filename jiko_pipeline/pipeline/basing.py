"""What people confirm about a bank before its figures mean anything: how it books, and what was there at the start.

Belongs here: the turn at the warehouse, the history that is learned from, publishing. Does not belong here: the rules
(`reconciliation.basis`, `reconciliation.basis_learning`, `reconciliation.baseline`), printing.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta

import duckdb

from jiko_pipeline.errors import ExitCode, JikoPipelineError
from jiko_pipeline.pipeline.turn import end_turn, take_turn
from jiko_pipeline.reconciliation.baseline import Baseline, set_baseline
from jiko_pipeline.reconciliation.basis import Basis, confirm_basis, confirmed_bases
from jiko_pipeline.reconciliation.basis_learning import HISTORY_DAYS, Learned, learn_basis, undetermined
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.connection import transaction
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.publish import publish, published


class BasisRefusedError(JikoPipelineError):
    """What a person asked to confirm is not one tuple that the history leaves."""

    exit_code = ExitCode.USAGE
    means = "No basis has been confirmed; the figures stand as they were."


def known_of_basis(settings: Settings) -> tuple[list[tuple[date, Basis, str]], Learned]:
    """The confirmed bases, and what the published history says of every possible one."""
    with published(settings) as con:
        return confirmed_bases(con, settings.profile), _learned(con, settings.profile)


def confirm(
    settings: Settings, *, chosen: Mapping[str, object], best: bool, effective_from: date | None, by: str | None
) -> tuple[Basis, date]:
    """Confirms the one tuple that the history leaves among those with the `chosen` elements, and publishes.

    `best` confirms what the history alone decides. Without any history all elements have to be chosen. It holds from
    `effective_from` on, by default from the first day that is there. Raises BasisRefusedError when none or more than
    one is left, and the errors of `confirm_basis`.
    """
    person = _person(settings, by)
    take_turn(settings)
    try:
        with Warehouse(settings).existing() as con:
            basis = _one_left(_learned(con, settings.profile), chosen, best)
            start = effective_from or _first_day(con, settings.profile)
            with transaction(con):
                confirm_basis(
                    con,
                    customer_id=settings.profile,
                    legal_entity_id=settings.legal_entity_id,
                    basis=basis,
                    effective_from=start,
                    confirmed_by=person,
                    at=datetime.now(UTC),
                )
        publish(settings)
    finally:
        end_turn(settings)
    return basis, start


def take_on(settings: Settings, day: date, by: str | None) -> tuple[Baseline, ...]:
    """Proposes what every pocket held at the end of `day` as its start, or confirms what another person proposed.

    Publishes. Raises BaselineRefusedError.
    """
    person = _person(settings, by)
    take_turn(settings)
    try:
        with Warehouse(settings).existing() as con:
            steps = set_baseline(
                con,
                customer_id=settings.profile,
                legal_entity_id=settings.legal_entity_id,
                day=day,
                by=person,
                now=datetime.now(UTC),
            )
        publish(settings)
    finally:
        end_turn(settings)
    return steps


def _person(settings: Settings, by: str | None) -> str:
    person = (by or settings.person or "").strip()
    if not person:
        raise BasisRefusedError(
            "It is not said who confirms.", remedy="Name the person by `--by NAME` or the setting JIKO_PERSON."
        )
    return person


def _learned(con: duckdb.DuckDBPyConnection, customer_id: str) -> Learned:
    ((last,),) = con.execute(
        "select max(business_date) from core.brokerage_daily where customer_id = ?", [customer_id]
    ).fetchall()
    if last is None:
        return Learned(None, None, ())
    return learn_basis(con, customer_id=customer_id, first=last - timedelta(days=HISTORY_DAYS), last=last)


def _first_day(con: duckdb.DuckDBPyConnection, customer_id: str) -> date:
    ((first,),) = con.execute(
        "select min(business_date) from core.brokerage_daily where customer_id = ?", [customer_id]
    ).fetchall()
    if first is None:
        raise BasisRefusedError(
            "There is no day yet from which a basis could hold.",
            remedy="Say from when by `--from`, or run `jiko sync`.",
        )
    return first  # type: ignore[no-any-return]


def _one_left(learned: Learned, chosen: Mapping[str, object], best: bool) -> Basis:
    if best and chosen:
        raise BasisRefusedError(
            "--best takes what the history alone decides; it goes with no other choice.",
            remedy="Leave out --best, or the choices.",
        )
    if not learned.candidates:
        try:
            return Basis(**chosen)  # type: ignore[arg-type]
        except TypeError:
            raise BasisRefusedError(
                "There is no history yet that could decide what was not chosen.",
                remedy="Choose every element, or run `jiko sync` over some 60 business days first.",
            ) from None
    left = [one for one in learned.surviving if all(asdict(one)[name] == value for name, value in chosen.items())]
    if not left:
        raise BasisRefusedError(
            "The history contradicts this choice." if chosen else "The history is explained by no basis that we know.",
            remedy="Look at `jiko basis`: it shows the days that speak for and against each one.",
        )
    if len(left) > 1:
        raise BasisRefusedError(
            f"The history leaves {len(left)} bases, which differ in {', '.join(undetermined(left))}.",
            remedy="Choose these elements by their options; ask Jiko where you do not know.",
        )
    return left[0]
