"""One break, told in full: cause, both sides, what they rest on, its life, what it blocks, what to do.

Belongs here: gathering all that from the tables. Does not belong here: how a terminal shows it (`cli`), the words of
a code (`codes.toml`) and where the sides of a control come from (`sides.toml`).
"""

import re
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
from jiko_pipeline.warehouse.tables import TABLES

_DAY_COLUMN: Final = {
    "core.bank_daily": "business_date",
    "core.bank_transaction": "business_date",
    "core.brokerage_flow": "business_date",
    "core.brokerage_daily": "business_date",
    "core.api_transaction": "business_date",
    "core.earnings": "last_date",
    "core.event": "stated_on",
    "core.expected_payment": "date_high",
    "core.audit_log": "stated_on",
    "core.pocket_history": "cast(row.known_from_utc as date)",
    "core.position_daily": "business_date",
    "core.security_price": "price_date",
    "core.trade": "trade_date",
    "core.trade_report": "trade_date",
    "core.transfer_request": "stated_on",
    "core.treasury_price": "price_date",
    "staging.api_trade": "scope_date",
    "staging.api_transaction": "scope_date",
}
"""The tables that sides may name, with the column that holds the day."""

_POCKET_COLUMN: Final = {
    "core.audit_log": None,
    "core.event": None,
    "core.expected_payment": None,
    "core.security_price": None,
    "core.transfer_request": None,
    "core.treasury_price": None,
    "staging.api_trade": "pocket_id",
    "staging.api_transaction": "pocket_id",
}
"""The pocket's column where it is not `pocket_id`; None for tables whose rows are of no one pocket."""

_ANY_DAY: Final = frozenset({"core.expected_payment", "core.pocket_history", "core.transfer_request"})
"""Tables whose rows are found by their key alone, however long ago they were stated."""

_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

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
    """One row behind a side. `locator` is the path or line in the document named by `document_sha256`.

    `says` are the columns that a person looks at, with their values.
    """

    side: str
    table: str
    says: tuple[tuple[str, Any], ...]
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

    `left_label` and `right_label` say what the sides are, `left_rule` and `right_rule` what a side asks for that no
    document states, empty for a side that documents state. `sources` are at most `MOST_ROWS` rows a table and side;
    `rows_left_out` counts the others. `names` says who or what an id in the break's sentence or key is. `blocks` counts
    the results that wait for it, by control; `blocked_by` is the break that keeps its own key from being tested now,
    with its sentence, None when nothing does.
    """

    facts: Mapping[str, Any]
    left_label: str
    right_label: str
    left_rule: str
    right_rule: str
    unit: str
    next_step: str
    evidence_words: str
    sources: tuple[SourceRow, ...]
    rows_left_out: int
    names: Mapping[str, str]
    blocks: Mapping[str, int]
    blocked_by: tuple[str, str] | None
    life: tuple[LifeEvent, ...]


@cache
def _sides() -> Mapping[str, Any]:
    text = (resources.files("jiko_pipeline.reconciliation") / "sides.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def sides_of(control_id: str, code: str = "") -> Mapping[str, Any]:
    """What `sides.toml` says of a control, or of one of its codes; empty for a control that it does not know."""
    sides = _sides().get(control_id, {})
    return {**sides, **sides.get("codes", {}).get(code, {})}


def explain(con: duckdb.DuckDBPyConnection, registry: Registry, customer_id: str, break_id: str) -> Explanation:
    """Everything about the break whose id is, or begins with, `break_id`. Raises DecisionError for an unknown id.

    `registry` says what a control rests on. Works on the warehouse and on the published file.
    """
    found = find_break(con, customer_id, break_id)
    facts = _record(con, sql_text("telling", "break_facts.sql"), {"break_id": found.break_id})
    told = sides_of(found.control_id, facts["code"])
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
        left_label=told.get("left", "one side"),
        right_label=told.get("right", "the other side"),
        left_rule=told.get("left_rule", ""),
        right_rule=told.get("right_rule", ""),
        unit=facts["unit"],
        next_step=facts["next_step"],
        evidence_words=EVIDENCE_WORDS.get(facts["evidence_class"], ""),
        sources=sources,
        rows_left_out=left_out,
        names=_names(con, facts, sources),
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


def _names(con: duckdb.DuckDBPyConnection, facts: Mapping[str, Any], sources: Sequence[SourceRow]) -> Mapping[str, str]:
    """The persons and things whose ids the sentence, the key or a side mentions: id -> name and what it is."""
    stated = " ".join(str(value) for row in sources for _, value in row.says)
    said = f"{facts['cause'] or ''} {facts['entity_key']} {stated}"
    ids = sorted(set(_ID.findall(said)))
    if not ids:
        return {}
    rows = con.execute(sql_text("telling", "names.sql"), {"customer_id": facts["customer_id"], "ids": ids}).fetchall()
    return dict(rows)


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
        rows = [SourceRow(side, table, ((column, value),), *row) for side, table, column, value, *row in documents]
    return tuple(dict.fromkeys(rows)), left_out


def _rows_of(con: duckdb.DuckDBPyConnection, facts: Mapping[str, Any], source: Mapping[str, Any]) -> list[SourceRow]:
    """The rows of one table behind a side, the nearest day first."""
    table = source["table"] if "." in source["table"] else f"core.{source['table']}"
    says = [facts["sub_code"] if name == "$sub_code" else name for name in source["says"].split()]
    if not {column.name for column in TABLES[table].columns}.issuperset(says):
        return []
    day = _DAY_COLUMN[table]
    day = day if day.startswith("cast(") else f"row.{day}"
    conditions = ["row.customer_id = $customer_id"]
    parameters: dict[str, Any] = {"customer_id": facts["customer_id"], "day": facts["business_date"]}
    pocket = _POCKET_COLUMN.get(table, "pocket_id")
    if pocket and facts["pocket_id"] and source.get("pocket") != "any":
        conditions.append(f"row.{pocket} = $pocket_id")
        parameters["pocket_id"] = facts["pocket_id"]
    if table.startswith("staging."):
        conditions.append("row.known_to_utc is null and row.row_ordinal = 1 and row.document_kind = $document_kind")
        parameters["document_kind"] = source["document"]
    for column, value in source.get("where", {}).items():
        conditions.append(f"row.{column} = ${column}_wanted")
        parameters[f"{column}_wanted"] = value
    key = source.get("key")
    if key and facts["entity_key"]:
        conditions.append(_names_it(key, source.get("through", [])))
        parameters["entity"] = facts["entity_key"]
    elif key:
        return []
    match source.get("day", "near" if key else "same"):
        case "near" if table in _ANY_DAY or source.get("through"):
            pass
        case "near":
            conditions.append(f"{day} between $day - {_NEIGHBOURHOOD_DAYS} and $day + {_NEIGHBOURHOOD_DAYS}")
        case "previous":
            conditions.append(
                f"{day} = (select previous_fed_business_day from core.calendar where business_date = $day)"
            )
        case _:
            conditions.append(f"{day} = $day")
    rows = con.execute(
        f"""
        select
            {", ".join(f"row.{name}" for name in says)},
            {day}, coalesce(document.document_kind, ''), coalesce(row.document_sha256, ''),
            coalesce(row.document_locator, ''), document.report_id, document.fetched_at_utc
        from {table} as row
        left join (
            select document_sha256, min(document_kind) as document_kind, min(report_id) as report_id,
                min(fetched_at_utc) as fetched_at_utc
            from raw.document group by document_sha256
        ) as document on document.document_sha256 = row.document_sha256
        where {" and ".join(conditions)}
        order by abs({day} - $day), row.document_sha256, row.document_locator
        """,
        {name: value for name, value in parameters.items() if f"${name}" in " ".join(conditions) or name == "day"},
    ).fetchall()
    width = len(says)
    return [SourceRow(source["side"], table, tuple(zip(says, row[:width], strict=True)), *row[width:]) for row in rows]


def _names_it(key: str, hops: Sequence[str]) -> str:
    """The condition that the entity key names a row's `key`, or that it does so over `hops`.

    A hop is `schema.table.key.gives`: of the rows whose `key` is named so far, what `gives` holds is named next.
    """
    named = "($entity = {0} or starts_with($entity, {0} || ' ') or ends_with($entity, ' ' || {0}))"
    for hop in hops:
        schema, table, hop_key, gives = hop.split(".", 3)
        found = named.format(f"link.{hop_key}")
        named = "{0} in (" + f"select link.{gives} from {schema}.{table} as link where {found}" + ")"
    return named.format(f"row.{key}")
