"""Reading breaks: what is open, how large, how old, whose, why.

Belongs here: questions about `recon.break` and `recon.result` for people. Does not belong here: deciding about
breaks (`jiko_pipeline.reconciliation.decisions`), telling one in full (`jiko_pipeline.reconciliation.explaining`) and
firing them (`jiko_pipeline.reconciliation.runner`).
"""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Final, Literal

import duckdb
import polars as pl

from jiko_pipeline.reconciliation.evidence import sql_text

Status = Literal["OPEN", "ACCEPTED", "RESOLVED", "CLEARED_AUTO"]

OPEN_BREAKS_SCHEMA: Final = pl.Schema(
    {
        "break_id": pl.String(),
        "severity": pl.String(),
        "own_severity": pl.String(),
        "control_id": pl.String(),
        "code": pl.String(),
        "sub_code": pl.String(),
        "break_class": pl.String(),
        "pocket_id": pl.String(),
        "pocket_name": pl.String(),
        "business_date": pl.Date(),
        "entity_key": pl.String(),
        "left_value": pl.Decimal(38, 6),
        "right_value": pl.Decimal(38, 6),
        "difference": pl.Decimal(38, 6),
        "age_business_days": pl.Int64(),
        "age_bucket": pl.String(),
        "case_id": pl.String(),
        "first_seen": pl.Date(),
        "case_days": pl.Int64(),
        "status": pl.String(),
        "owner": pl.String(),
        "clear_by": pl.Date(),
        "accepted_until": pl.Date(),
        "acceptance_asked_by": pl.String(),
        "is_immaterial": pl.Boolean(),
        "blocks": pl.Int64(),
        "title": pl.String(),
        "identity": pl.String(),
        "evidence_class": pl.String(),
        "cause": pl.String(),
    }
)


@dataclass(frozen=True, slots=True)
class BreakFilter:
    """Which breaks; None lets everything through. `pocket` is an id or a name, `severity` the one after escalation."""

    customer_id: str | None = None
    statuses: tuple[Status, ...] | None = ("OPEN",)
    pocket: str | None = None
    control_id: str | None = None
    code: str | None = None
    severity: str | None = None
    break_class: str | None = None
    owner: str | None = None
    first: date | None = None
    last: date | None = None


def find_breaks(con: duckdb.DuckDBPyConnection, wanted: BreakFilter) -> pl.DataFrame:
    """The breaks that `wanted` lets through, the most severe and oldest first.

    `severity` is the one after escalation by age and `own_severity` the one of its code; `identity` says what should
    hold and `cause` what holds instead; `left_value`, `right_value` and `difference` are its two sides and left minus
    right; `age_business_days` counts from the first day of its case to the latest judged day; `blocks` is the number
    of keys that are not tested because of it. Works on the warehouse and on the published file. Columns as in
    `OPEN_BREAKS_SCHEMA`.
    """
    parameters = asdict(wanted)
    parameters["statuses"] = None if wanted.statuses is None else list(wanted.statuses)
    rows = con.execute(sql_text("telling", "breaks.sql"), parameters).fetchall()
    return pl.DataFrame(rows, schema=OPEN_BREAKS_SCHEMA, orient="row")


def open_breaks(con: duckdb.DuckDBPyConnection, *, customer_id: str | None = None) -> pl.DataFrame:
    """Every open break; all customers when `customer_id` is None. As `find_breaks`."""
    return find_breaks(con, BreakFilter(customer_id=customer_id))
