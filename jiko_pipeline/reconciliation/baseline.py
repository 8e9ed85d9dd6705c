"""The take-on of pockets that are older than the data: what they held on its first day, confirmed by two persons.

Belongs here: proposing and confirming a baseline. Does not belong here: what controls compare with it
(`evidence/baseline.sql`, `evidence/baseline_lot.sql`).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb

from jiko_pipeline.errors import ExitCode, JikoPipelineError
from jiko_pipeline.reconciliation.evidence import sql_text
from jiko_pipeline.warehouse.connection import transaction


class BaselineRefusedError(JikoPipelineError):
    """The day offers nothing that could be taken on, or the same person asks twice."""

    exit_code = ExitCode.USAGE
    means = "No take-on has changed."


@dataclass(frozen=True, slots=True)
class Baseline:
    """One step: the pocket's bills (their number and face), its cash, and whether two persons have said so."""

    pocket_id: str
    business_date: date
    bills: int
    face_amount: Decimal
    cash_balance: Decimal
    status: str


def set_baseline(
    con: duckdb.DuckDBPyConnection,
    *,
    customer_id: str,
    legal_entity_id: str,
    day: date,
    by: str,
    now: datetime,
) -> tuple[Baseline, ...]:
    """Takes on every pocket whose first position summary is that of `day`, one step each.

    A pocket is PROPOSED first and CONFIRMED when another person asks for the same content; what differs from the
    last proposal is proposed anew. `con` is the writer's without an open transaction. Raises BaselineRefusedError
    when no pocket has its first AFTER_CUTOFF position summary on the day, or nothing is left for this person to do.
    """
    found = con.execute(sql_text("learning", "baseline_found.sql"), {"customer_id": customer_id, "day": day}).fetchall()
    if not found:
        raise BaselineRefusedError(
            f"No pocket has its first position summary of after the cut-off on {day}.",
            remedy="Name the first business day of the data: the day whose controls say NOT_TESTED(BASELINE).",
        )
    steps = []
    at = now.astimezone(UTC).replace(tzinfo=None)
    own_before = 0
    with transaction(con):
        for pocket_id, cash, bills, face, content_hash, document, last_status, last_hash, last_actor in found:
            same = last_hash == content_hash
            if same and last_status == "CONFIRMED":
                steps.append(Baseline(pocket_id, day, bills, face, cash, "CONFIRMED"))
                continue
            if same and _name(last_actor) == _name(by):
                own_before += 1
                continue
            status = "CONFIRMED" if same else "PROPOSED"
            con.execute(
                sql_text("learning", "baseline_step.sql"),
                {
                    "customer_id": customer_id,
                    "legal_entity_id": legal_entity_id,
                    "pocket_id": pocket_id,
                    "day": day,
                    "status": status,
                    "cash": cash,
                    "content_hash": content_hash,
                    "actor": by,
                    "document": document,
                    "at_utc": at,
                },
            )
            con.execute(
                sql_text("learning", "baseline_lots.sql"),
                {"customer_id": customer_id, "legal_entity_id": legal_entity_id, "pocket_id": pocket_id, "day": day},
            )
            steps.append(Baseline(pocket_id, day, bills, face, cash, status))
    if own_before and len(found) == own_before:
        raise BaselineRefusedError(
            f"{by} has proposed the take-on of {day} already: a second person must agree.",
            remedy="Let another person run the same command with `--by` and their own name.",
        )
    return tuple(steps)


def _name(person: str) -> str:
    return " ".join(person.casefold().split())
