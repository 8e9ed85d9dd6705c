"""What single rooms cost: reading, loading, judging, hashing, on the documents of one window.

Belongs here: figures that need no process but this one. Does not belong here: the pipeline as a whole (`whole`).
"""

import secrets
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
from lxml import etree

from jiko_pipeline.archive import Archive
from jiko_pipeline.formats.readers import READERS
from jiko_pipeline.formats.reading import Expectation
from jiko_pipeline.pipeline import steps
from jiko_pipeline.pipeline.loading import ACTIVITY_KINDS, HOLDING_KINDS, STATEMENT_KINDS, read_document
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.frames import registered
from jiko_pipeline.warehouse.hashing import compared_tables, table_hashes
from jiko_pipeline.warehouse.load import LoadBatch, LoadedDocument, load
from jiko_pipeline.warehouse.publish import published
from jiko_pipeline_tests.bench.documents import STATEMENT_ENTRIES, TRADE_ROWS, large_statement, large_trade_report
from jiko_pipeline_tests.bench.measuring import Cost, Figure, cost_of

WINDOW = Window(date(2024, 6, 3), date(2024, 7, 3))


def _bodies(archive: Archive, *kinds: str) -> list[bytes]:
    return [
        archive.open_blob(part.sha256)
        for document in archive.documents()
        if document.kind in kinds
        for part in document.parts
    ]


def reading(settings: Settings) -> Iterator[Figure]:
    """camt.053 against bare lxml, CSV against polars, on the same bytes."""
    archive = Archive(settings.archive_dir)
    statements = _bodies(archive, *STATEMENT_KINDS)
    read_camt, read_trades = READERS["BANK_STATEMENT"], READERS["TRADE_REPORT_CSV"]
    yield Figure(
        "camt.053, a bank's many small files",
        f"{len(statements)} files",
        cost_of(lambda: [read_camt([body], Expectation()) for body in statements]),
        "lxml parse",
        cost_of(lambda: [etree.fromstring(body) for body in statements]),
    )
    statement = large_statement(statements)
    yield Figure(
        "camt.053, one large file",
        f"{STATEMENT_ENTRIES:,} entries, {len(statement) / 1e6:.0f} MB",
        cost_of(lambda: read_camt([statement], Expectation())),
        "lxml parse",
        cost_of(lambda: etree.fromstring(statement)),
    )
    report = large_trade_report(_bodies(archive, "TRADE_REPORT_CSV"))
    yield Figure(
        "CSV, one large trade report",
        f"{TRADE_ROWS:,} rows, {len(report) / 1e6:.0f} MB",
        cost_of(lambda: read_trades([report], Expectation())),
        "polars read_csv",
        cost_of(lambda: pl.read_csv(report)),
    )


def loading(settings: Settings) -> Iterator[Figure]:
    """The documents of a window into an empty warehouse, against plain inserts of the same frames."""
    archive = Archive(settings.archive_dir)
    kinds = (*STATEMENT_KINDS, *HOLDING_KINDS, *ACTIVITY_KINDS)
    items = [
        read_document(settings, archive, document)
        for document in archive.documents()
        if document.kind in kinds and document.first is not None and document.first <= WINDOW.last
    ]
    frames: dict[str, list[pl.DataFrame]] = {}
    for item in items:
        for name, frame in item.reading.frames.items() if item.reading is not None else ():
            frames.setdefault(name, []).append(frame)
    rows = {name: pl.concat(parts) for name, parts in frames.items()}
    amount = f"{len(items)} documents, {sum(frame.height for frame in rows.values()):,} rows"
    costs = [_load_once(settings, items, kinds) for _ in range(3)]
    yield Figure(
        "load of one window, with versions",
        amount,
        min(costs, key=lambda cost: cost.cpu),
        "plain insert",
        cost_of(lambda: _insert_once(rows)),
    )


def _load_once(settings: Settings, items: Sequence[LoadedDocument], kinds: Sequence[str]) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        fresh = load_settings(data_dir=Path(folder) / "data")
        world = items[0].document.world  # type: ignore[attr-defined]  # the archive's documents have one
        with Warehouse(fresh).writer(world) as con:

            def load_all() -> None:
                for kind in kinds:
                    documents = tuple(item for item in items if item.document.kind == kind)
                    batch = LoadBatch(
                        kind, settings.profile, settings.legal_entity_id, WINDOW.first, WINDOW.last, documents
                    )
                    load(con, batch, run_id="bench")

            return cost_of(load_all, goes=1)


def _insert_once(rows: dict[str, pl.DataFrame]) -> None:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "plain.duckdb")) as con:
        for name, frame in rows.items():
            with registered(con, "rows", frame):
                con.execute(f'create table "{name}" as select * from rows')


def judging(settings: Settings) -> Iterator[Figure]:
    """All controls and the close over a window, against reading the facts once."""
    with published(settings) as con:
        ((results,),) = con.execute("select count(*) from recon.result").fetchall()
        facts = [name for name in compared_tables() if name.startswith("core.")]
        once = cost_of(lambda: [_read_once(con, name) for name in facts])
    run_id = f"bench-{secrets.token_hex(4)}"
    yield Figure(
        "controls over one window",
        f"{len(WINDOW.business_days)} business days, {results:,} results in all",
        cost_of(lambda: steps.run_controls(settings, WINDOW, run_id + secrets.token_hex(2), "DAILY"), goes=2),
        "facts read once",
        once,
    )
    yield Figure(
        "close and bridge over one window",
        f"{len(WINDOW.business_days)} business days",
        cost_of(lambda: steps.build_close(settings, WINDOW, run_id, "DAILY"), goes=2),
        "facts read once",
        once,
    )


def _read_once(con: duckdb.DuckDBPyConnection, name: str) -> None:
    con.execute(f"select sum(hash(facts)) from {_quoted(name)} as facts").fetchall()


def _quoted(name: str) -> str:
    schema, _, table = name.partition(".")
    return f'{schema}."{table}"'


def hashing(settings: Settings) -> Iterator[Figure]:
    """The content hash of all compared tables, against DuckDB's own hash of the same rows."""
    with published(settings) as con:
        hashes = table_hashes(con)
        yield Figure(
            "table hash",
            f"{len(hashes)} tables, {sum(item.row_count for item in hashes):,} rows",
            cost_of(lambda: table_hashes(con)),
            "DuckDB hash",
            cost_of(lambda: [_read_once(con, item.table_name) for item in hashes]),
        )
