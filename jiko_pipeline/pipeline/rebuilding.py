"""The warehouse made anew from the archive alone: no network, nothing of the old file.

Belongs here: the order in which documents, decisions, facts, results and closes come back, and putting the new file in
the place of the old one. Does not belong here: when that is called for (`recovery`), the journals
(`jiko_pipeline.warehouse.journal`), publishing.

The new file is made beside the old one and takes its place when it is complete and was read again; the old one is set
aside. Documents go through the same reading and loading as ever, in the order in which they arrived, so the tables are
the same. What a document cannot say (decisions of persons, the events of breaks, runs) comes from the journals. Inputs
and versions of earlier runs do not come back: a run from before cannot be performed again.
"""

import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb

from jiko_pipeline.archive import Archive, Document
from jiko_pipeline.errors import StorageError
from jiko_pipeline.failpoints import failpoint
from jiko_pipeline.pipeline.judging import judge
from jiko_pipeline.pipeline.loading import (
    ACTIVITY_KINDS,
    FACT_KINDS,
    FLOW_KINDS,
    HOLDING_KINDS,
    SNAPSHOT_KINDS,
    STATEMENT_KINDS,
    read_document,
)
from jiko_pipeline.pipeline.windows import cut
from jiko_pipeline.reconciliation.closing.build import build_close
from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline.warehouse import journal
from jiko_pipeline.warehouse.commits import CommitLog, mark_of
from jiko_pipeline.warehouse.connection import connection_settings, transaction
from jiko_pipeline.warehouse.core_build import build_core, build_references
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.load import LoadBatch, load
from jiko_pipeline.warehouse.load_transaction import miscounted_documents
from jiko_pipeline.warehouse.mirror_build import build_dimensions, build_flows
from jiko_pipeline.warehouse.world import World, claim, fsync_directory, make_private_directory, refuse_other_world

SET_ASIDE: Final = "set-aside"
"""Folder beside the warehouse for files that a new one has taken the place of."""
_BESIDE: Final = "rebuild"
_BATCH_BYTES: Final = 64 << 20
_BATCH_DOCUMENTS: Final = 2000
_BUILD_DAYS: Final = 366
_DATED_KINDS: Final = (*STATEMENT_KINDS, *HOLDING_KINDS, *ACTIVITY_KINDS)
Observer = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came back: documents and their rows, rows from the journals, days judged; and where the old file is now."""

    documents: int
    rows: int
    from_journals: int
    first: date | None
    last: date | None
    seconds: float
    set_aside: Path | None


class _Beside(Settings):
    """The same settings for a warehouse that is made beside the old one, and of which nothing is published."""

    @property
    def warehouse_file(self) -> Path:
        return super().warehouse_file.parent / _BESIDE / "treasury.duckdb"

    @property
    def published_file(self) -> Path:
        return self.warehouse_file.with_name("published.duckdb")

    @property
    def keeps_journal(self) -> bool:
        return False


def rebuild(settings: Settings, observe: Observer | None = None) -> Rebuilt:
    """Makes the warehouse anew and puts it in place of the old one, which may be damaged or gone.

    The caller has the turn at the warehouse, and publishes afterwards. Raises StorageError when there is no archive or
    when one of its files is damaged; the old warehouse is then as it was.
    """
    tell = observe or (lambda _: None)
    began = time.monotonic()
    archive = Archive(settings.archive_dir)
    world = _world_of(settings, archive)
    beside = _settings_beside(settings)
    warehouse = Warehouse(settings)
    with warehouse.locked():
        # One that was killed while it rebuilt has left what it made.
        shutil.rmtree(beside.warehouse_file.parent, ignore_errors=True)
        with Warehouse(beside).writer(world) as con:
            documents, rows, restored, span = _fill(con, settings, archive, tell)
            con.execute("checkpoint")
        failpoint("rebuild-built")
        tell("reading the new file again")
        _refuse_miscounted(beside.warehouse_file)
        set_aside = _replace(warehouse.path, beside.warehouse_file)
    return Rebuilt(documents, rows, restored, *span, time.monotonic() - began, set_aside)


def _world_of(settings: Settings, archive: Archive) -> World:
    known = archive.world
    if known is None:
        raise StorageError(
            f"There is no archive in {settings.archive_dir} to make a warehouse from.",
            remedy="Run `jiko sync` first, or bring an archive back by `jiko restore`.",
        )
    world = World.of(known)
    refuse_other_world(world, World(settings.environment.value, world.api_origin, world.world_id))
    return claim(settings.data_dir, world)


def _settings_beside(settings: Settings) -> Settings:
    return _Beside.model_construct(**{name: getattr(settings, name) for name in Settings.model_fields})


def _of_profile(settings: Settings, customer_id: str) -> Settings:
    if customer_id == settings.profile:
        return settings
    return load_settings(profile=customer_id, data_dir=settings.data_dir)


def _fill(
    con: duckdb.DuckDBPyConnection, settings: Settings, archive: Archive, tell: Observer
) -> tuple[int, int, int, tuple[date | None, date | None]]:
    run_id = f"rebuild-{secrets.token_hex(8)}"
    documents = [document for document in archive.documents() if _is_loaded(document)]
    documents.sort(key=lambda item: (item.fetched_at, item.created_at_provider or item.fetched_at, item.document_id))
    customers = [_of_profile(settings, name) for name in sorted({document.customer_id for document in documents})]
    rows = 0
    done = 0
    for customer in customers:
        for batch in _batches([document for document in documents if document.customer_id == customer.profile]):
            tell(f"loading documents, {done} of {len(documents)}: {batch[0].kind}")
            rows += _load(con, customer, archive, batch, run_id)
            done += len(batch)
    tell("bringing back decisions and events")
    with transaction(con):
        restored = journal.bring_back(con, archive)
    firsts, lasts = [], []
    for customer in customers:
        tell(f"building facts of {customer.profile}")
        _build(con, customer)
        for first, last in _judged(con, customer.profile):
            firsts.append(first)
            lasts.append(last)
            for window in cut(first, last):
                tell(f"running controls, {window}")
                judge(con, customer, window.first, window.last, run_id)
    for customer in customers:
        for first, last in _judged(con, customer.profile)[:1]:
            tell("closing days")
            # All days after the first one are made anew with it.
            build_close(
                con,
                customer_id=customer.profile,
                legal_entity_id=customer.legal_entity_id,
                first=first,
                last=last,
                run_id=run_id,
            )
    return len(documents), rows, restored, (min(firsts, default=None), max(lasts, default=None))


def _is_loaded(document: Document) -> bool:
    if document.first is None or document.last is None:
        return document.kind in SNAPSHOT_KINDS
    return document.kind in _DATED_KINDS


def _batches(documents: Sequence[Document]) -> Iterator[list[Document]]:
    """The documents kind by kind, each kind in order of arrival, as many at a time as memory takes easily."""
    for kind in (*SNAPSHOT_KINDS, *_DATED_KINDS):
        batch: list[Document] = []
        size = 0
        for document in documents:
            if document.kind != kind:
                continue
            if batch and (size + document.byte_length > _BATCH_BYTES or len(batch) == _BATCH_DOCUMENTS):
                yield batch
                batch, size = [], 0
            batch.append(document)
            size += document.byte_length
        if batch:
            yield batch


def _load(
    con: duckdb.DuckDBPyConnection, settings: Settings, archive: Archive, documents: Sequence[Document], run_id: str
) -> int:
    firsts = [document.first for document in documents if document.first is not None]
    lasts = [document.last for document in documents if document.last is not None]
    batch = LoadBatch(
        kind=documents[0].kind,
        customer_id=settings.profile,
        legal_entity_id=settings.legal_entity_id,
        first=min(firsts, default=None),
        last=max(lasts, default=None),
        documents=tuple(read_document(settings, archive, document) for document in documents),
    )
    return load(con, batch, run_id=run_id).rows


def _build(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Facts and flows of the days that documents speak of and of the days judged, as windows build them."""
    build_references(con, settings.profile)
    judged = _judged(con, settings.profile)
    for first, last in _pieces([*judged, *_spans(con, settings.profile, FACT_KINDS)]):
        build_core(
            con, settings.profile, settings.legal_entity_id, first, last, business_day_end=settings.business_day_end
        )
    for first, last in _pieces([*judged, *_spans(con, settings.profile, FLOW_KINDS)]):
        build_flows(con, settings.profile, settings.legal_entity_id, first, last)
    build_dimensions(con)


def _spans(con: duckdb.DuckDBPyConnection, customer_id: str, kinds: Sequence[str]) -> list[tuple[date, date]]:
    return con.execute(
        "select distinct first_date, last_date from raw.document where customer_id = $1"
        " and document_kind in (select unnest($2::varchar[])) and first_date is not null",
        [customer_id, list(kinds)],
    ).fetchall()


def _joined(ranges: Iterable[tuple[date, date]]) -> list[tuple[date, date]]:
    """The same days as ranges without overlap, the earliest first; those that touch are one."""
    joined: list[tuple[date, date]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + timedelta(days=1):
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def _pieces(ranges: Iterable[tuple[date, date]]) -> Iterator[tuple[date, date]]:
    """The same days in pieces of at most a year."""
    for first, end in _joined(ranges):
        while first <= end:
            last = min(first + timedelta(days=_BUILD_DAYS - 1), end)
            yield first, last
            first = last + timedelta(days=1)


def _judged(con: duckdb.DuckDBPyConnection, customer_id: str) -> list[tuple[date, date]]:
    """The days that runs were asked to judge, as ranges without gaps, the earliest first.

    Where no run is known, the days of which there is a statement.
    """
    asked = con.execute(
        """
        select window_first_date, window_last_date from recon.run
        where customer_id = $1 and window_first_date is not null and window_last_date is not null
        union
        select min(scope_date), max(scope_date) from raw.delivery
        where customer_id = $1 and document_kind in (select unnest($2::varchar[]))
          and not exists (select 1 from recon.run where customer_id = $1 and window_first_date is not null)
        having count(*) > 0
        order by 1, 2
        """,
        [customer_id, list(STATEMENT_KINDS)],
    ).fetchall()
    return _joined(asked)


def _refuse_miscounted(file: Path) -> None:
    with duckdb.connect(str(file), read_only=True, config=connection_settings(read_only=True)) as con:
        wrong = miscounted_documents(con)
    if wrong:
        raise StorageError(
            f"The warehouse made anew holds {wrong[0].held} rows of the document {wrong[0].document_id} that states"
            f" {wrong[0].stated}.",
            means="It has not taken the place of the one before.",
            remedy="Report this with the message above.",
        )


def _replace(old: Path, new: Path) -> Path | None:
    """Sets the old file and its log aside and puts the new one in place; a kill anywhere leads to another rebuild."""
    aside = None
    log = old.with_name(old.name + ".wal")
    if old.exists() or log.exists():
        aside = old.parent / SET_ASIDE / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
        make_private_directory(aside)
        if old.exists():
            os.link(old, aside / old.name)
        if log.exists():
            # Beside the new file it would be taken for the log of that one.
            os.replace(log, aside / log.name)
        fsync_directory(aside)
        fsync_directory(old.parent)
    failpoint("rebuild-set-aside")
    with duckdb.connect(str(new), read_only=True, config=connection_settings(read_only=True)) as con:
        mark = mark_of(con)
    assert mark is not None
    CommitLog(old).append(mark)
    os.replace(new, old)
    fsync_directory(old.parent)
    failpoint("rebuild-replaced")
    shutil.rmtree(new.parent)
    return aside
