"""One break, told in full: cause, both sides, what they rest on, its life, what it blocks, what to do.

Belongs here: gathering all that from the tables. Does not belong here: how a terminal shows it (`cli`), the words of
a code (`codes.toml`) and where the sides of a control come from (`sides.toml`).
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Final

import duckdb

from jiko_pipeline.reconciliation.decisions import find_break
from jiko_pipeline.reconciliation.evidence import sql_text
from jiko_pipeline.reconciliation.registry import Registry

_DAY_COLUMN: Final = {
    "bank_daily": "business_date",
    "bank_transaction": "business_date",
    "brokerage_flow": "business_date",
    "brokerage_daily": "business_date",
    "api_transaction": "business_date",
    "position_daily": "business_date",
    "trade": "trade_date",
    "trade_report": "trade_date",
    "security_price": "price_date",
}
"""The tables of core that sides may name, with the column that holds the day."""

_WITHOUT_POCKET: Final = frozenset({"security_price"})

_NEIGHBOURHOOD_DAYS: Final = 14
"""Calendar days around a break within which a row with its key is looked for."""

MOST_ROWS: Final = 12
"""Rows of one table that are named one by one."""

EVIDENCE_WORDS: Final = {
    "ARITHMETIC": "arithmetic on what the bank states: a document agrees with itself, which does not make it true",
    "INTRA_PROVIDER": "two records of the same bank: a mistake in both of them would not be seen",
    "PUBLIC_REFERENCE": "compared with a public source outside the bank",
    "CUSTOMER_RECORD": "compared with your own records",
}


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row behind a side. `locator` is the path or line in the document named by `document_sha256`."""

    side: str
    table: str
    column: str
    value: Any
    business_date: date
    document_kind: str
    document_sha256: str
    locator: str
    report_id: str | None
    fetched_at_utc: datetime | None


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """One event of the break's life."""

    event_seq: int
    event: str
    at_utc: datetime
    actor: str
    difference: Decimal | None
    reason: str
    owner: str | None
    accepted_until: date | None
    document_sha256: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """All about one break. `facts` is its row of `recon.break` by column, with what its control says.

    `left_label` and `right_label` say what the sides are. `sources` are at most `MOST_ROWS` rows a table and side;
    `rows_left_out` counts the others. `blocks` counts the results that wait for it, by control; `blocked_by` is the
    break that keeps its own key from being tested now, with its sentence, None when nothing does.
    """

    facts: Mapping[str, Any]
    left_label: str
    right_label: str
    unit: str
    next_step: str
    evidence_words: str
    sources: tuple[SourceRow, ...]
    rows_left_out: int
    blocks: Mapping[str, int]
    blocked_by: tuple[str, str] | None
    life: tuple[LifeEvent, ...]


@cache
def _sides() -> Mapping[str, Any]:
    text = (resources.files("jiko_pipeline.reconciliation") / "sides.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def explain(con: duckdb.DuckDBPyConnection, registry: Registry, customer_id: str, break_id: str) -> Explanation:
    """Everything about the break whose id is, or begins with, `break_id`. Raises DecisionError for an unknown id.

    `registry` says what a control rests on. Works on the warehouse and on the published file.
    """
    found = find_break(con, customer_id, break_id)
    facts = _record(con, sql_text("telling", "break_facts.sql"), {"break_id": found.break_id})
    told = _sides().get(found.control_id, {})
    left, _, right = str(facts["identity"] or "").partition(" = ")
    inputs = next((control.inputs for control in registry.controls if control.control_id == found.control_id), ())
    sources, left_out = _sources(con, facts, told.get("rows", []), inputs)
    blocks = con.execute(
        """
        select control_id, count(*) from recon.result where root_break_id = ? group by control_id order by control_id
        """,
        [found.break_id],
    ).fetchall()
    life = con.execute(sql_text("telling", "life.sql"), {"break_id": found.break_id}).fetchall()
    return Explanation(
        facts=facts,
        left_label=told.get("left") or left or "left side",
        right_label=told.get("right") or right or "right side",
        unit=facts["unit"],
        next_step=facts["next_step"],
        evidence_words=EVIDENCE_WORDS.get(facts["evidence_class"], ""),
        sources=sources,
        rows_left_out=left_out,
        blocks=dict(blocks),
        blocked_by=_blocked_by(con, facts),
        life=tuple(LifeEvent(*row) for row in life),
    )


def _record(con: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    result = con.execute(query, dict(parameters))
    names = [column[0] for column in result.description or []]
    return dict(zip(names, result.fetchall()[0], strict=True))


def _blocked_by(con: duckdb.DuckDBPyConnection, facts: Mapping[str, Any]) -> tuple[str, str] | None:
    rows = con.execute(
        """
        select result.root_break_id, result.detail from recon.result as result
        where result.customer_id = ? and result.control_id = ? and result.pocket_id = ? and result.business_date = ?
          and result.entity_key in (?, '') and result.root_break_id <> ''
        order by result.entity_key desc limit 1
        """,
        [facts[name] for name in ("customer_id", "control_id", "pocket_id", "business_date", "entity_key")],
    ).fetchall()
    return rows[0] if rows else None


def _sources(
    con: duckdb.DuckDBPyConnection,
    facts: Mapping[str, Any],
    wanted: list[dict[str, str]],
    inputs: Sequence[str],
) -> tuple[tuple[SourceRow, ...], int]:
    rows: list[SourceRow] = []
    left_out = 0
    for source in wanted:
        if source.get("kind", facts["entity_key"].split(" ")[0]) != facts["entity_key"].split(" ")[0]:
            continue
        found = _rows_of(con, facts, source)
        left_out += max(len(found) - MOST_ROWS, 0)
        rows += found[:MOST_ROWS]
    if not rows:
        documents = con.execute(
            sql_text("telling", "documents.sql"),
            {
                "customer_id": facts["customer_id"],
                "pocket_id": facts["pocket_id"],
                "business_date": facts["business_date"],
                "inputs": list(inputs),
                "first_word": facts["entity_key"].split(" ")[0],
            },
        ).fetchall()
        rows = [SourceRow(*row) for row in documents]
    return tuple(dict.fromkeys(rows)), left_out


def _rows_of(con: duckdb.DuckDBPyConnection, facts: Mapping[str, Any], source: Mapping[str, str]) -> list[SourceRow]:
    """The rows of one table behind a side, the nearest day first."""
    table, says = source["table"], source["says"]
    day = _DAY_COLUMN[table]
    conditions = ["row.customer_id = $customer_id"]
    parameters: dict[str, Any] = {"customer_id": facts["customer_id"], "day": facts["business_date"]}
    if table not in _WITHOUT_POCKET and facts["pocket_id"]:
        conditions.append("row.pocket_id = $pocket_id")
        parameters["pocket_id"] = facts["pocket_id"]
    key = source.get("key")
    if key and facts["entity_key"]:
        conditions.append(
            f"($entity = row.{key} or starts_with($entity, row.{key} || ' ') or ends_with($entity, ' ' || row.{key}))"
        )
        parameters["entity"] = facts["entity_key"]
    match source.get("day", "near" if key and facts["entity_key"] else "same"):
        case "near":
            conditions.append(f"row.{day} between $day - {_NEIGHBOURHOOD_DAYS} and $day + {_NEIGHBOURHOOD_DAYS}")
        case "previous":
            conditions.append(
                f"row.{day} = (select previous_fed_business_day from core.calendar where business_date = $day)"
            )
        case _:
            conditions.append(f"row.{day} = $day")
    rows = con.execute(
        f"""
        select
            row.{says}, row.{day}, coalesce(document.document_kind, ''), coalesce(row.document_sha256, ''),
            coalesce(row.document_locator, ''), document.report_id, document.fetched_at_utc
        from core.{table} as row
        left join (
            select document_sha256, min(document_kind) as document_kind, min(report_id) as report_id,
                min(fetched_at_utc) as fetched_at_utc
            from raw.document group by document_sha256
        ) as document on document.document_sha256 = row.document_sha256
        where {" and ".join(conditions)}
        order by abs(row.{day} - $day), row.document_sha256, row.document_locator
        """,
        parameters,
    ).fetchall()
    return [SourceRow(source["side"], f"core.{table}", says, *row) for row in rows]
