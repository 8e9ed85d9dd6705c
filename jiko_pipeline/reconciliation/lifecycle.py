"""The life of breaks that a run gives: opened, changed, overdue, reopened, cleared; each as an appended event.

Belongs here: the events of a run, inside the run's transaction. Does not belong here: what people decide
(`jiko_pipeline.reconciliation.decisions`), questions about breaks (`jiko_pipeline.reconciliation.breaks`).
"""

from datetime import UTC, date, datetime
from typing import Final

import duckdb

from jiko_pipeline import calendars
from jiko_pipeline.reconciliation.codes import code_guides, store_codes
from jiko_pipeline.reconciliation.evidence import sql_text
from jiko_pipeline.reconciliation.registry import Registry

_SESSION_TABLES: Final = ("wanted_break", "break_input", "code_due", "chained_control")


def append_break_events(
    con: duckdb.DuckDBPyConnection,
    registry: Registry,
    *,
    customer_id: str,
    legal_entity_id: str,
    run_id: str,
    now: datetime,
    last: date,
) -> None:
    """Appends what the judged results mean for breaks; `last` is the last judged day, `now` an aware instant.

    The caller holds the run's transaction and its session tables.
    """
    reached = reached_date(con, customer_id, last)
    at_utc = now.astimezone(UTC).replace(tzinfo=None)
    store_codes(con, registry)
    try:
        con.execute("create or replace temp table code_due (code varchar, clears_within integer)")
        con.executemany(
            "insert into code_due values (?, ?)",
            [[guide.code, guide.clears_within] for guide in code_guides().values() if guide.clears_within is not None],
        )
        prepare_input_hashes(con, registry)
        con.execute(sql_text("judging", "firing_breaks.sql"))
        con.execute(sql_text("judging", "break_inputs.sql"))
        con.execute(
            sql_text("judging", "append_events.sql"),
            {"legal_entity_id": legal_entity_id, "run_id": run_id, "at_utc": at_utc, "reached": reached},
        )
        con.execute(
            sql_text("judging", "append_due_events.sql"),
            {
                "run_id": run_id,
                "at_utc": at_utc,
                "reached": reached,
                "today": calendars.new_york_date(now),
            },
        )
    finally:
        for name in _SESSION_TABLES:
            con.execute(f"drop table if exists temp.{name}")


def reached_date(con: duckdb.DuckDBPyConnection, customer_id: str, last: date | None = None) -> date | None:
    """The latest business date that was ever judged for the customer, `last` included."""
    before = con.execute("select max(last_date) from recon.run where customer_id = ?", [customer_id]).fetchall()[0][0]
    return max((day for day in (before, last) if day is not None), default=None)


def prepare_input_hashes(con: duckdb.DuckDBPyConnection, registry: Registry) -> None:
    """The session table of chained controls, that `break_inputs.sql` needs beside `control_input`."""
    con.execute("create or replace temp table chained_control (control_id varchar)")
    chained = [[control.control_id] for control in registry.controls if control.chained]
    if chained:
        con.executemany("insert into chained_control values (?)", chained)
