"""Below which amount a break counts as immaterial: limits that a person sets, each from a day on.

Belongs here: setting and listing the limits. Does not belong here: which breaks they are asked for and how sums are
made (`warehouse/views/recon_break.sql`). A limit changes neither a result nor a severity nor readiness; it is part of
the rules that a run names.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

import duckdb

from jiko_pipeline.errors import ExitCode, JikoPipelineError
from jiko_pipeline.warehouse.connection import transaction


@dataclass(frozen=True, slots=True)
class Limits:
    """The smaller of both holds: `abs_floor` in US dollars, `basis_points` of the closing value."""

    abs_floor: Decimal
    basis_points: Decimal


DEFAULT_LIMITS: Final = Limits(Decimal("1.00"), Decimal("0.01"))
"""What holds where nobody has set anything; the view has the same two numbers."""


class LimitError(JikoPipelineError):
    """Limits that make no sense, or nobody who sets them."""

    exit_code = ExitCode.USAGE
    remedy = "Give two amounts that are not negative, a day from which they hold, and a name."


@dataclass(frozen=True, slots=True)
class SetLimits:
    """Limits as they were set."""

    effective_from: date
    limits: Limits
    set_by: str
    set_at_utc: datetime


def set_limits(
    con: duckdb.DuckDBPyConnection,
    *,
    customer_id: str,
    legal_entity_id: str,
    limits: Limits,
    effective_from: date,
    by: str,
    now: datetime,
) -> None:
    """Enters limits that hold from a business date on, beside those set before. Raises LimitError."""
    if limits.abs_floor < 0 or limits.basis_points < 0:
        raise LimitError("A limit is an amount of zero or more.")
    if not by.strip():
        raise LimitError("It is not said who sets the limits.")
    with transaction(con):
        con.execute(
            "insert into recon.materiality values (?, ?, ?, ?, ?, ?, ?)",
            [
                customer_id,
                legal_entity_id,
                effective_from,
                limits.abs_floor,
                limits.basis_points,
                by.strip(),
                now.astimezone(UTC).replace(tzinfo=None),
            ],
        )


def limits_set(con: duckdb.DuckDBPyConnection, customer_id: str) -> tuple[SetLimits, ...]:
    """All limits that were set, in the order of their days and of their setting."""
    rows = con.execute(
        """
        select effective_from, abs_floor, basis_points, set_by, set_at_utc from recon.materiality
        where customer_id = ? order by effective_from, set_at_utc
        """,
        [customer_id],
    ).fetchall()
    return tuple(SetLimits(row[0], Limits(row[1], row[2]), row[3], row[4]) for row in rows)
