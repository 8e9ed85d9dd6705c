"""Performing an earlier run again, from its documents and by its rules, and comparing what it says.

Belongs here: bringing back what the run knew into a scratch file, running the controls over it, telling what differs.
Does not belong here: the record of a run (`jiko_pipeline.reconciliation.run_record`), the command.

The scratch file holds what was known when the run began: documents that had arrived, bases and limits that had been
entered, results that stood. Core is built from that by the same code as ever. Nothing is written beside the scratch.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb

from jiko_pipeline.calendars import CALENDAR_VERSION
from jiko_pipeline.errors import ExitCode, JikoPipelineError, NotProvedError
from jiko_pipeline.reconciliation.evidence import sql_text
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.reconciliation.run_record import rules_hash_of
from jiko_pipeline.reconciliation.runner import run_controls
from jiko_pipeline.warehouse import ddl
from jiko_pipeline.warehouse.connection import connection_settings, transaction
from jiko_pipeline.warehouse.core_build import build_core
from jiko_pipeline.warehouse.mirror_build import build_dimensions, build_flows
from jiko_pipeline.warehouse.tables import TABLES
from jiko_pipeline.warehouse.tables.history import KEPT_WHOLE
from jiko_pipeline.warehouse.tables.spec import TableSpec

_BEFORE_SIGHT: Final = timedelta(days=100)
"""How much further back than its evidence a run's facts are built: facts may have moved between days."""


class UnknownRunError(JikoPipelineError):
    """No run of this name is recorded for the customer, or not enough of it to perform it again."""

    exit_code = ExitCode.USAGE
    remedy = '`jiko sql "select run_id, first_date, last_date from recon.run order by started_at_utc"` lists the runs.'


class RulesNotInstalledError(NotProvedError):
    """The run went by other controls, rules, bases or calendars than this installation has, or another day's end."""

    remedy = (
        "Install the version of jiko_pipeline that made the run, with the JIKO_BUSINESS_DAY_END of then, and perform it"
        " again with that."
    )


@dataclass(frozen=True, slots=True)
class DifferentKey:
    """One key for which the two performances differ; None where a side has nothing to say of it."""

    control_id: str
    pocket_id: str
    business_date: date
    entity_key: str
    code: str
    then: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Reperformance:
    """What an earlier run said and what it says now; `differing` is empty when both are equal."""

    run_id: str
    customer_id: str
    first: date
    last: date
    knowledge_time: datetime
    code_version: str
    rules_hash: str
    inputs_hash_then: str
    inputs_hash_now: str
    result_hash_then: str
    result_hash_now: str
    keys: int
    differing: tuple[DifferentKey, ...]

    @property
    def is_equal(self) -> bool:
        """True when the same inputs gave the same results."""
        return self.result_hash_then == self.result_hash_now and self.inputs_hash_then == self.inputs_hash_now


def reperform(
    kept: Path, run_id: str, *, customer_id: str, business_day_end: time, scratch_parent: Path
) -> Reperformance:
    """Performs the run `run_id` of `customer_id` again from the warehouse file `kept`, which it only reads.

    The scratch file lies below `scratch_parent` and goes in the end. Raises UnknownRunError, and
    RulesNotInstalledError when this installation's rules or calendars are not those of the run.
    """
    with TemporaryDirectory(prefix=".reperform-", dir=scratch_parent) as folder:
        config = {**connection_settings(), "enable_external_access": True}
        with duckdb.connect(str(Path(folder) / "scratch.duckdb"), config=config) as con:
            with transaction(con):
                ddl.create_schema(con)
            con.execute(f"attach {ddl.quoted(str(kept))} as kept (read_only)")
            con.execute("set enable_external_access = false")
            run = _run(con, customer_id, run_id)
            with transaction(con):
                _bring_back(con, run)
            return _performed(con, run, business_day_end)


def _run(con: duckdb.DuckDBPyConnection, customer_id: str, run_id: str) -> dict[str, Any]:
    found = con.execute("select * from kept.recon.run where customer_id = ? and run_id = ?", [customer_id, run_id])
    names = [column[0] for column in found.description or []]
    rows = found.fetchall()
    if not rows:
        raise UnknownRunError(f"There is no run {run_id} of the customer {customer_id}.")
    run = dict(zip(names, rows[0], strict=True))
    if run["run_seq"] is None or run["knowledge_time_utc"] is None:
        raise UnknownRunError(f"The record of the run {run_id} does not say what it looked at.")
    return run


def _bring_back(con: duckdb.DuckDBPyConnection, run: dict[str, Any]) -> None:
    given = {
        "known_at": run["knowledge_time_utc"],
        "first": run["sight_first_date"] - _BEFORE_SIGHT,
        "last": run["sight_last_date"],
    }
    for spec in TABLES.values():
        if spec.schema == "staging":
            columns = ", ".join(
                f's."{c.name}"' if c.name != "known_to_utc" else "cast(null as timestamp)" for c in spec.columns
            )
            con.execute(
                f"insert into {_name(spec)} select {columns} from kept.{_name(spec)} as s"
                " where s.known_from_utc <= $known_at and (s.known_to_utc is null or s.known_to_utc > $known_at)"
                " and (s.scope_date between $first and $last or s.scope_date = date '0001-01-01')",
                given,
            )
    at, began, seq = run["knowledge_time_utc"], run["known_from_utc"], run["run_seq"]
    _copy(con, "raw.document", "row.fetched_at_utc <= ?", at)
    _copy(con, "raw.delivery", "row.known_from_utc <= ?", at)
    con.execute("create temp table arrived as from as_known_at.raw_delivery(cast(? as timestamp))", [at])
    con.execute("delete from raw.delivery")
    con.execute("insert into raw.delivery by name select * from arrived")
    con.execute("drop table temp.arrived")
    _copy(
        con,
        "raw.load",
        "exists (select 1 from raw.document as d where d.customer_id = row.customer_id"
        " and d.document_kind = row.document_kind and d.loaded_run_id is not distinct from row.loaded_run_id)",
    )
    _copy(con, "core.trade_confirmation_check", "row.checked_at_utc <= ?", at)
    for spec in KEPT_WHOLE:
        stood = "row.known_from_utc <= ? and (row.known_to_utc is null or row.known_to_utc > ?)"
        _copy(con, spec.qualified_name, stood, began, began, source=f"history.{spec.schema}_{spec.name}")
    before = "row.known_from_utc < ? and (row.known_to_utc is null or row.known_to_utc >= ?)"
    _copy(con, "recon.result", before, began, began, source="history.recon_result")
    _copy(con, "recon.run", "row.run_seq < ? or row.customer_id <> ?", seq, run["customer_id"])
    for table in ("recon.break_event", "recon.signoff"):
        _copy(con, table, "row.at_utc < ?", run["started_at_utc"])


def _copy(con: duckdb.DuckDBPyConnection, table: str, only: str, *given: object, source: str = "") -> None:
    spec = TABLES[table]
    columns = ", ".join(f'row."{column.name}"' for column in spec.columns)
    con.execute(
        f"insert into {_name(spec)} select {columns} from kept.{source or _name(spec)} as row where {only}", given
    )


def _name(spec: TableSpec) -> str:
    return f'{spec.schema}."{spec.name}"'


def _performed(con: duckdb.DuckDBPyConnection, run: dict[str, Any], business_day_end: time) -> Reperformance:
    customer, entity = run["customer_id"], run["legal_entity_id"]
    registry = Registry.load()
    rules_hash = rules_hash_of(con, registry, customer, business_day_end)
    for what, then, now in (
        ("rules", run["rules_hash"], rules_hash),
        ("calendars", run["calendar_version"], CALENDAR_VERSION),
    ):
        if then != now:
            raise RulesNotInstalledError(
                f"The run {run['run_id']} went by {what} {then}; installed are {now} (jiko_pipeline"
                f" {run['code_version']} made the run)."
            )
    first, last = run["sight_first_date"] - _BEFORE_SIGHT, run["sight_last_date"]
    build_core(con, customer, entity, first, last, business_day_end=business_day_end)
    build_flows(con, customer, entity, first, last)
    build_dimensions(con)
    summary = run_controls(
        con,
        registry,
        customer_id=customer,
        legal_entity_id=entity,
        first=run["window_first_date"],
        last=run["window_last_date"],
        run_id=run["run_id"],
        now=run["started_at_utc"].replace(tzinfo=UTC),
        business_day_end=business_day_end,
    )
    rows = con.execute(
        sql_text("judging", "differing_keys.sql"),
        {"customer_id": customer, "run_id": run["run_id"], "known_at": run["known_from_utc"]},
    ).fetchall()
    return Reperformance(
        run_id=run["run_id"],
        customer_id=customer,
        first=run["first_date"],
        last=run["last_date"],
        knowledge_time=run["knowledge_time_utc"],
        code_version=run["code_version"],
        rules_hash=rules_hash,
        inputs_hash_then=run["inputs_hash"],
        inputs_hash_now=summary.inputs_hash,
        result_hash_then=run["result_hash"],
        result_hash_now=summary.result_hash,
        keys=summary.total.tested + summary.total.not_tested,
        differing=tuple(DifferentKey(*row) for row in rows),
    )
