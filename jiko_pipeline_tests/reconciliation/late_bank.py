"""A bank of one pocket that states things again: a world whose documents are staged, and a statement stated anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb

from jiko_pipeline.reconciliation.closing.build import build_close
from jiko_pipeline.reconciliation.registry import Registry
from jiko_pipeline.reconciliation.runner import RunSummary, run_controls
from jiko_pipeline.selftest.facts import CUSTOMER, ENTITY
from jiko_pipeline.selftest.worlds import clean_facts, proving
from jiko_pipeline.warehouse.core_build import build_core
from jiko_pipeline.warehouse.load import LoadBatch, load
from jiko_pipeline_tests.operation.warehouse_batches import document, statement_frames

DAYS: Final = (date(2024, 6, 3), date(2024, 6, 4), date(2024, 6, 5))
DAY: Final = DAYS[1]
DAY_END: Final = time(19)
FIRST_RUN: Final = datetime(2024, 7, 1, 12, tzinfo=UTC)
RESTATED: Final = FIRST_RUN + timedelta(hours=1)
SECOND_RUN: Final = FIRST_RUN + timedelta(hours=2)


@lru_cache(maxsize=2)
def _file(judged: bool) -> bytes:
    with TemporaryDirectory() as folder:
        if judged:
            with late_bank(judged=False) as con:
                judge(con, "run-1", FIRST_RUN)
                return file_of(con, Path(folder)).read_bytes()
        with proving(clean_facts(3, pockets=1, days=len(DAYS))) as con:
            # The two lists of bills are of two owners, as in a warehouse that was fed.
            con.execute(
                "update raw.delivery set customer_id = ?, legal_entity_id = ?"
                " where document_kind = 'SECURITY_REFERENCE' and document_id like '%SIMULATED'",
                [CUSTOMER, ENTITY],
            )
            return file_of(con, Path(folder)).read_bytes()


@contextmanager
def late_bank(*, judged: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse that holds the clean world, core built, the basis confirmed; judged once by run-1 at `FIRST_RUN`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "warehouse.duckdb"
        path.write_bytes(_file(judged))
        with duckdb.connect(str(path), config={"threads": 1}) as con:
            con.execute("pragma disable_checkpoint_on_shutdown")
            yield con


def file_of(con: duckdb.DuckDBPyConnection, folder: Path) -> Path:
    """A copy of the warehouse's file as it is now, as publishing would make it."""
    con.execute("checkpoint")
    ((path,),) = con.execute(
        "select path from duckdb_databases() where not internal and database_name = 'warehouse'"
    ).fetchall()
    copy = folder / "published.duckdb"
    copy.unlink(missing_ok=True)
    copy.write_bytes(Path(path).read_bytes())
    return copy


def pocket_of(con: duckdb.DuckDBPyConnection) -> str:
    """The one pocket."""
    ((pocket,),) = con.execute("select pocket_id from core.pocket").fetchall()
    return str(pocket)


def judge(
    con: duckdb.DuckDBPyConnection, run_id: str, now: datetime, *, business_day_end: time = DAY_END
) -> RunSummary:
    """Judges and closes every day."""
    window = {"customer_id": CUSTOMER, "legal_entity_id": ENTITY, "first": DAYS[0], "last": DAYS[-1], "run_id": run_id}
    summary = run_controls(con, Registry.load(), now=now, business_day_end=business_day_end, **window)  # type: ignore[arg-type]  # names and values fit
    build_close(con, **window)  # type: ignore[arg-type]  # names and values fit
    return summary


def restate(con: duckdb.DuckDBPyConnection, at: datetime = RESTATED) -> None:
    """The bank states the bank statement of `DAY` anew, with one entry that was never made."""
    item = document(
        "BANK_STATEMENT",
        statement_frames(DAY, [("ACH_CREDIT", "100.00", "x")]),
        first=DAY,
        pocket=pocket_of(con),
        fetched=at,
        created=at,
    )
    load(con, LoadBatch("BANK_STATEMENT", CUSTOMER, ENTITY, DAY, DAY, (item,)), run_id=None)
    build_core(con, CUSTOMER, ENTITY, DAYS[0], DAYS[-1], business_day_end=DAY_END)
