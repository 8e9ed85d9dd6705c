"""Runs every control over a window, gates, and replaces the results of the judged days.

Belongs here: the order of a run and its one transaction. Does not belong here: what a control tests
(`controls/*.sql`), what it may see (`jiko_pipeline.reconciliation.evidence`), the life of breaks
(`jiko_pipeline.reconciliation.breaks`).

The results of a day depend only on what is staged: a run also judges the landed days around its window on which
the window has a bearing, so the order in which windows arrive leaves no trace in them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from time import perf_counter
from types import MappingProxyType
from typing import Any, Final

import duckdb

from jiko_pipeline.errors import JikoPipelineError
from jiko_pipeline.failpoints import failpoint
from jiko_pipeline.reconciliation.basis import Basis
from jiko_pipeline.reconciliation.evidence import evidence, sql_text
from jiko_pipeline.reconciliation.lifecycle import append_break_events
from jiko_pipeline.reconciliation.matching.engine import store_matches
from jiko_pipeline.reconciliation.registry import Control, Registry, Scope
from jiko_pipeline.reconciliation.run_record import RunRecord, hashes_of_run, record_run, rules_hash_of
from jiko_pipeline.reconciliation.undecided_basis import (
    choices_for,
    claims,
    combine_claims,
    keep_claim,
    suppose,
    tuples_left,
)
from jiko_pipeline.warehouse.connection import transaction

USUAL_DAY_END: Final = time(19)
"""The end of the business day in New York where no setting says another one."""


class ControlAnswerError(JikoPipelineError):
    """A control's select failed, or gave rows that its contract does not allow."""

    means = "No result of this run has been stored; those of earlier runs stand."


@dataclass(frozen=True, slots=True)
class Counts:
    """Keys by outcome. `tested` = passed + broken."""

    passed: int = 0
    broken: int = 0
    not_tested: int = 0

    @property
    def tested(self) -> int:
        """Keys that were compared."""
        return self.passed + self.broken

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.passed + other.passed, self.broken + other.broken, self.not_tested + other.not_tested)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run found. `by_key` counts per (control, pocket, day); the other views sum it up.

    `first` and `last` are the first and last judged day, None when nothing was to be judged.
    """

    run_id: str
    first: date | None
    last: date | None
    by_key: Mapping[tuple[str, str, date], Counts]
    rules_hash: str
    inputs_hash: str
    result_hash: str
    seconds: float

    @property
    def total(self) -> Counts:
        """All keys of the run."""
        return sum(self.by_key.values(), Counts())

    @property
    def by_control(self) -> dict[str, Counts]:
        """Counts per control id."""
        return self._grouped(lambda key: key[0])

    @property
    def by_day(self) -> dict[date, Counts]:
        """Counts per business date."""
        return self._grouped(lambda key: key[2])

    @property
    def by_control_and_day(self) -> dict[tuple[str, date], Counts]:
        """Counts per (control id, business date)."""
        return self._grouped(lambda key: (key[0], key[2]))

    @property
    def by_pocket_day(self) -> dict[tuple[str, date], Counts]:
        """Counts per (pocket, business date)."""
        return self._grouped(lambda key: (key[1], key[2]))

    def _grouped(self, group: Any) -> dict[Any, Counts]:
        sums: dict[Any, Counts] = {}
        for key, counts in self.by_key.items():
            sums[group(key)] = sums.get(group(key), Counts()) + counts
        return sums


def run_controls(
    con: duckdb.DuckDBPyConnection,
    registry: Registry,
    *,
    customer_id: str,
    legal_entity_id: str,
    first: date,
    last: date,
    run_id: str,
    now: datetime,
    business_day_end: time = USUAL_DAY_END,
) -> RunSummary:
    """Judges the window from `first` to `last` (both included) and stores results, events and the run.

    `con` is the writer's connection without an open transaction, `now` an aware instant, `business_day_end` the New
    York time by which the facts were dated. Raises ControlAnswerError when a control fails or breaks its contract;
    nothing is stored then.
    """
    if now.tzinfo is None:
        raise ValueError("an instant needs a time zone; naive times are refused")
    clock = perf_counter()
    started = now.astimezone(UTC).replace(tzinfo=None)
    rules_hash = rules_hash_of(con, registry, customer_id, business_day_end)
    with evidence(con, customer_id=customer_id, first=first, last=last) as span:
        if span is None:
            return RunSummary(run_id, None, None, {}, rules_hash, "", "", perf_counter() - clock)
        try:
            _judge(con, registry)
            hashes = hashes_of_run(con)
            summary = RunSummary(
                run_id=run_id,
                first=span.first,
                last=span.last,
                by_key=_counts(con),
                rules_hash=rules_hash,
                inputs_hash=hashes.inputs_hash,
                result_hash=hashes.result_hash,
                seconds=perf_counter() - clock,
            )
            record = RunRecord(
                run_id, legal_entity_id, span.first, span.last, rules_hash, hashes, started, summary.seconds
            )
            _store(con, registry, customer_id, record)
            failpoint("controls-committed")
        finally:
            for name in ("control_input", "control_code", "control_answer", "answer", "judged_result"):
                con.execute(f"drop table if exists temp.{name}")
            for name in ("blocked_document", "replaced_scope", "run_input"):
                con.execute(f"drop table if exists temp.{name}")
    return summary


def _judge(con: duckdb.DuckDBPyConnection, registry: Registry) -> None:
    con.execute(sql_text("judging", "session_tables.sql"))
    con.execute(
        "create or replace temp table control_code"
        " (control_id varchar, code varchar, break_class varchar, severity varchar)"
    )
    for control in registry.controls:
        con.executemany(
            "insert into control_input values (?, ?)",
            [[control.control_id, kind] for kind in control.inputs],
        )
        con.executemany(
            "insert into control_code values (?, ?, ?, ?)",
            [
                [control.control_id, code, break_class.value, control.severity_of(code).value]
                for code, break_class in control.codes.items()
            ],
        )
    gates = [control.control_id for control in registry.gates]
    if gates:
        con.execute(sql_text("judging", "blocks_known_before.sql"), {"gates": gates})
    gate_sql = sql_text("judging", "gate.sql")
    survivors = tuples_left(con)
    for control in registry.gates:
        _ask(con, control, survivors)
        con.execute(gate_sql)
        con.execute("delete from answer")
        con.execute(sql_text("judging", "blocks_of_gate.sql"), {"control_id": control.control_id})
    for control in registry.controls:
        if not control.gate:
            _ask(con, control, survivors)
    con.execute(gate_sql)


def _ask(con: duckdb.DuckDBPyConnection, control: Control, survivors: Sequence[Basis] = ()) -> None:
    """Runs one control into the session table `answer`, after a check of what it said.

    Where nobody has confirmed how the bank books, it is asked once for each of the `survivors` that it can tell apart.
    """
    choices = choices_for(control.sql, survivors)
    if not choices:
        _say(con, control)
    else:
        with claims(con):
            for number, basis in enumerate(choices, start=1):
                suppose(con, basis)
                _say(con, control)
                _refuse_invalid(con, control)
                keep_claim(con, number)
            combine_claims(con, len(choices))
    _refuse_invalid(con, control)
    con.execute(
        sql_text("judging", "answers.sql"),
        {
            "control_id": control.control_id,
            "control_major": control.major,
            "is_chained": control.chained,
            "of_customer": control.scope is Scope.CUSTOMER,
            "is_gated": control.gated,
        },
    )


def _say(con: duckdb.DuckDBPyConnection, control: Control) -> None:
    """Runs one control into the session table `control_answer`."""
    try:
        con.execute(
            f"""
            create or replace temp table control_answer as
            select
                pocket_id, business_date, entity_key, status, code, sub_code, reason,
                cast(left_value as decimal(38, 6)) as left_value,
                cast(right_value as decimal(38, 6)) as right_value,
                cast(difference as decimal(38, 6)) as difference,
                detail
            from (
            {control.sql}
            ) as control
            """
        )
    except duckdb.Error as error:
        raise ControlAnswerError(f"The control {control.control_id} ({control.name}) failed: {error}") from error


def _refuse_invalid(con: duckdb.DuckDBPyConnection, control: Control) -> None:
    objections = con.execute(
        sql_text("judging", "invalid_answers.sql"),
        {"codes": list(control.codes), "of_customer": control.scope is Scope.CUSTOMER},
    ).fetchall()
    if objections:
        objection, *row = objections[0]
        told = ", ".join(str(value) for value in row)
        raise ControlAnswerError(f"The control {control.control_id} ({control.name}) gave {objection}: {told}.")


def _counts(con: duckdb.DuckDBPyConnection) -> Mapping[tuple[str, str, date], Counts]:
    rows = con.execute(sql_text("judging", "counts.sql")).fetchall()
    return MappingProxyType({(row[0], row[1], row[2]): Counts(*row[3:]) for row in rows})


def _store(
    con: duckdb.DuckDBPyConnection,
    registry: Registry,
    customer_id: str,
    record: RunRecord,
) -> None:
    con.execute(sql_text("judging", "replaced_scope.sql"))
    with transaction(con):
        _store_controls(con, registry)
        append_break_events(
            con,
            registry,
            customer_id=customer_id,
            legal_entity_id=record.legal_entity_id,
            run_id=record.run_id,
            now=record.started.replace(tzinfo=UTC),
            last=record.last,
        )
        con.execute(sql_text("judging", "delete_results.sql"))
        con.execute(
            sql_text("judging", "insert_results.sql"),
            {"legal_entity_id": record.legal_entity_id, "run_id": record.run_id},
        )
        store_matches(con, legal_entity_id=record.legal_entity_id, run_id=record.run_id)
        record_run(con, record)
        failpoint("controls-before-commit")


def _store_controls(con: duckdb.DuckDBPyConnection, registry: Registry) -> None:
    rows = [
        (
            control.control_id,
            control.version,
            control.title,
            control.identity,
            control.tolerance,
            control.hides,
            control.codes_text,
            control.severity.value,
            control.evidence.value,
            control.sql_sha256,
        )
        for control in registry.controls
    ]
    if con.execute("select * from recon.control order by control_id").fetchall() == rows:
        return
    con.execute("delete from recon.control")
    con.executemany(f"insert into recon.control values ({', '.join('?' * 10)})", rows)
