"""The record of a run: what went in, by which rules, what came out, so that it can be performed again.

Belongs here: the hashes of a run, its rows in `recon.run`, `recon.run_control` and `recon.input_version`, the
versions of its results. Does not belong here: judging (`jiko_pipeline.reconciliation.runner`), performing a run
again (`jiko_pipeline.reconciliation.reperform`).
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import duckdb

from jiko_pipeline.calendars import CALENDAR_VERSION
from jiko_pipeline.reconciliation.evidence import sql_text
from jiko_pipeline.reconciliation.matching.engine import packaged_rules
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.warehouse.hashing import text_of
from jiko_pipeline.warehouse.history import keep_versions, keep_whole_tables
from jiko_pipeline.warehouse.tables.history import KEPT_WHOLE
from jiko_pipeline.warehouse.tables.recon import MATCH, RESULT
from jiko_pipeline.warehouse.tables.spec import TableSpec

_FROM_CONTROL_FILES: Final = ("recon.control", "recon.break_code")
"""What these tables say stands in files that the registry's hash covers."""


@dataclass(frozen=True, slots=True)
class RunHashes:
    """What went in and what came out. `knowledge_time` (naive UTC) is the latest arrival in the warehouse."""

    knowledge_time: datetime | None
    inputs_hash: str
    result_hash: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What `record_run` needs beside the session tables; `started` is naive UTC."""

    run_id: str
    legal_entity_id: str
    first: date
    last: date
    rules_hash: str
    hashes: RunHashes
    started: datetime
    seconds: float


def hashes_of_run(con: duckdb.DuckDBPyConnection) -> RunHashes:
    """The hashes of the run whose session tables stand; leaves `run_input` for `record_run`."""
    con.execute(sql_text("judging", "run_inputs.sql"))
    return RunHashes(*con.execute(sql_text("judging", "run_hashes.sql")).fetchall()[0])


def rules_hash_of(con: duckdb.DuckDBPyConnection, registry: Registry, customer_id: str, business_day_end: time) -> str:
    """Covers the control files, the end of the business day (New York) that dates the facts, and what people entered.

    That is all they entered for the customer: rules, bases, limits, lists.
    """
    told = [registry.rules_hash, packaged_rules().content_hash, f"business day ends {business_day_end.isoformat()}"]
    for spec in KEPT_WHOLE:
        if spec.qualified_name not in _FROM_CONTROL_FILES:
            told.append(f"{spec.qualified_name} {_content(con, spec, customer_id)}")
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _content(con: duckdb.DuckDBPyConnection, spec: TableSpec, customer_id: str) -> str:
    columns = [column.name for column in spec.content_columns]
    only, given = ("where customer_id = ?", [customer_id]) if "customer_id" in columns else ("", [])
    ((digest,),) = con.execute(
        f"select sha256(coalesce(string_agg(line, chr(10) order by line), ''))"
        f' from (select {text_of(columns)} as line from {spec.schema}."{spec.name}" {only}) as told',
        given,
    ).fetchall()
    return str(digest)


def record_run(con: duckdb.DuckDBPyConnection, record: RunRecord) -> None:
    """Enters the run, its inputs, its counts by control, and the versions of its results.

    Needs the session tables of the run, `replaced_scope` and the new rows of `recon.result`; the caller holds a
    transaction. A run of the same id takes the place of the one before.
    """
    ((run_seq,),) = con.execute(
        "select coalesce(max(run_seq), 0) + 1 from recon.run where customer_id = getvariable('customer_id')"
    ).fetchall()
    known_from = _keep_results(con, record)
    for table in ("run", "run_control"):
        con.execute(
            f"delete from recon.{table} where run_id = ? and customer_id = getvariable('customer_id')", [record.run_id]
        )
    entity = {"legal_entity_id": record.legal_entity_id}
    con.execute(
        sql_text("judging", "insert_run.sql"),
        {
            **entity,
            "run_id": record.run_id,
            "first": record.first,
            "last": record.last,
            "knowledge_time": record.hashes.knowledge_time,
            "code_version": _code_version(),
            "rules_hash": record.rules_hash,
            "calendar_version": CALENDAR_VERSION,
            "inputs_hash": record.hashes.inputs_hash,
            "result_hash": record.hashes.result_hash,
            "started": record.started,
            "finished": record.started + timedelta(seconds=record.seconds),
            "run_seq": run_seq,
            "known_from": known_from,
        },
    )
    con.execute(sql_text("judging", "insert_run_controls.sql"), {**entity, "run_id": record.run_id})
    con.execute(sql_text("judging", "end_inputs.sql"), {"run_seq": run_seq})
    con.execute(sql_text("judging", "begin_inputs.sql"), {**entity, "run_seq": run_seq})


def _keep_results(con: duckdb.DuckDBPyConnection, record: RunRecord) -> datetime:
    at = record.started.replace(tzinfo=UTC)
    # The results stand from when the rules that gave them do, so that both are found together later.
    at = max(at, keep_whole_tables(con, at).replace(tzinfo=UTC))
    ((first, last),) = con.execute("select min(business_date), max(business_date) from replaced_scope").fetchall()
    only = (
        "customer_id = getvariable('customer_id') and business_date between $first and $last"
        " and (pocket_id, business_date) in (select (pocket_id, business_date) from replaced_scope)"
    )
    days = {"first": first, "last": last}
    keep_versions(con, MATCH, at, only=only, parameters=days)
    return keep_versions(con, RESULT, at, only=only, parameters=days)


def _code_version() -> str:
    try:
        return version("jiko-pipeline")
    except PackageNotFoundError:
        # A source tree that was never installed has no version of its own.
        return "source"
