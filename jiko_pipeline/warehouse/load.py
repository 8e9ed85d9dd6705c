"""Taking a batch of documents in: one transaction, versions by scope, nothing stored twice.

Belongs here: what a load is given and gives back, its steps in order, the recount after it. The set-based
SQL of each step is in `load_sql/` and run by `load_transaction`; preparing rows is in
`jiko_pipeline.warehouse.load_rows`. Does not belong here: reading bytes (`jiko_pipeline.formats`) and what
the rows mean (`core`).

A load is one window of one kind of document. Its documents are taken in the order in which they arrived.
For each scope (pocket and day) a document either repeats the current content, or is older than what is
current, or makes a new version: rows that are no longer stated end at the arrival of the document, rows
that are new begin then, and rows that are still stated are left alone. Feeding the archive through this
same function builds the same tables.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

import duckdb
import polars as pl

from jiko_pipeline.errors import StorageError
from jiko_pipeline.failpoints import failpoint
from jiko_pipeline.formats.reading import Reading, Severity
from jiko_pipeline.warehouse import load_transaction
from jiko_pipeline.warehouse.connection import transaction
from jiko_pipeline.warehouse.coverage import documents_loaded
from jiko_pipeline.warehouse.frames import frame_from, registered
from jiko_pipeline.warehouse.kinds import SNAPSHOT_DATE, Finality, Kind, Scope, kind_of
from jiko_pipeline.warehouse.load_rows import PreparedRows, Refusal, prepared
from jiko_pipeline.warehouse.tables import TABLES


class ArchivedPart(Protocol):
    """One file of a document in the archive."""

    @property
    def sha256(self) -> str: ...
    @property
    def byte_length(self) -> int: ...


class ArchivedDocument(Protocol):
    """What the archive says about a document (`jiko_pipeline.archive.Document`). Times are aware."""

    @property
    def document_id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def pocket_id(self) -> str | None: ...
    @property
    def first(self) -> date | None: ...
    @property
    def last(self) -> date | None: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...
    @property
    def parts(self) -> Sequence[ArchivedPart]: ...
    @property
    def sha256(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def created_at_provider(self) -> datetime | None: ...
    @property
    def fetched_at(self) -> datetime: ...
    @property
    def media_type(self) -> str | None: ...
    @property
    def report_request_id(self) -> str | None: ...
    @property
    def report_id(self) -> str | None: ...
    @property
    def pull_key(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class LoadedDocument:
    """One archived document with what reading it gave: a reading or a refusal, never both.

    `scopes` are the pockets and days it speaks of (`kinds.scopes_of`).
    """

    document: ArchivedDocument
    scopes: tuple[Scope, ...]
    finality: Finality
    reading: Reading | None = None
    refusal: Refusal | None = None

    def __post_init__(self) -> None:
        if (self.reading is None) == (self.refusal is None):
            raise ValueError("a document has either been read or been refused")


@dataclass(frozen=True, slots=True)
class LoadBatch:
    """One window of one kind; `first` and `last` None for snapshots."""

    kind: str
    customer_id: str
    legal_entity_id: str
    first: date | None
    last: date | None
    documents: tuple[LoadedDocument, ...]


@dataclass(frozen=True, slots=True)
class LoadSummary:
    """What a load did. Counts of deliveries are by outcome; `changed` are scopes whose current rows changed."""

    kind: str
    documents: int
    already_loaded: int
    quarantined: int
    rows: int
    rejected: int
    outcomes: Mapping[str, int]
    changed: tuple[tuple[str, date], ...]
    rows_per_day: Mapping[date, int]


class RecountError(StorageError):
    """What the tables hold after a load is not what the manifest says was loaded."""

    remedy = "Build the warehouse again from the archive; the archive is complete."


def naive_utc(instant: datetime | None) -> datetime | None:
    """An aware instant as the warehouse stores it: UTC without a zone. Raises ValueError for a naive one."""
    if instant is None:
        return None
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone; naive times are refused")
    return instant.astimezone(UTC).replace(tzinfo=None)


def load(con: duckdb.DuckDBPyConnection, batch: LoadBatch, *, run_id: str | None) -> LoadSummary:
    """Takes the documents of `batch` in, in one transaction; documents that are in already are passed over.

    `con` comes from `Warehouse.writer`. Raises RecountError when afterwards the tables do not hold what the
    manifest says, ValueError when a document is of another kind than the batch.
    """
    kind = kind_of(batch.kind)
    fresh = _in_order_of_arrival(con, batch)
    if not fresh:
        return LoadSummary(batch.kind, 0, len(batch.documents), 0, 0, 0, {}, (), {})
    rows = prepared(kind, fresh)
    bounds = _bounds(batch, fresh, run_id)
    with transaction(con):
        failpoint("load-begun")
        staged = load_transaction.stage(
            con, kind, rows, _document_frame(batch, fresh), _scope_frame(fresh, rows), bounds
        )
        for turn in range(1, staged.turns + 1):
            load_transaction.take_turn(con, kind, turn, staged, bounds)
        manifest = _manifest(batch, kind, fresh, rows, run_id)
        load_transaction.enter(con, manifest, bounds)
        _enter_watermark(con, batch, manifest, run_id)
        done = _summary(con, batch, kind, manifest, bounds)
        load_transaction.drop_staged(con, kind)
        failpoint("load-before-commit")
    failpoint("load-committed")
    _recount(con, batch, kind, fresh, bounds)
    return done


def _in_order_of_arrival(con: duckdb.DuckDBPyConnection, batch: LoadBatch) -> tuple[LoadedDocument, ...]:
    strangers = {item.document.kind for item in batch.documents} - {batch.kind}
    if strangers:
        raise ValueError(f"a batch of {batch.kind} holds documents of {', '.join(sorted(strangers))}")
    distinct = {item.document.document_id: item for item in batch.documents}
    known = documents_loaded(con, distinct)
    return tuple(
        sorted(
            (item for document_id, item in distinct.items() if document_id not in known),
            key=lambda item: (
                item.document.fetched_at,
                item.document.created_at_provider or item.document.fetched_at,
                item.document.document_id,
            ),
        )
    )


def _bounds(batch: LoadBatch, fresh: Sequence[LoadedDocument], run_id: str | None) -> dict[str, Any]:
    scope_days = [scope.day for item in fresh for scope in item.scopes]
    return {
        "customer_id": batch.customer_id,
        "legal_entity_id": batch.legal_entity_id,
        "document_kind": batch.kind,
        "first_scope": min(scope_days),
        "last_scope": max(scope_days),
        "run_id": run_id,
    }


def _document_frame(batch: LoadBatch, fresh: Sequence[LoadedDocument]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            (
                number,
                batch.customer_id,
                batch.kind,
                _scope_pocket(item),
                item.document.document_id,
                item.document.sha256,
                item.document.report_request_id,
                item.document.report_id,
                naive_utc(item.document.created_at_provider),
                naive_utc(item.document.fetched_at),
            )
            for number, item in enumerate(fresh, start=1)
        ],
        schema={
            "document_no": pl.Int32,
            "customer_id": pl.String,
            "document_kind": pl.String,
            "scope_pocket_id": pl.String,
            "document_id": pl.String,
            "document_sha256": pl.String,
            "report_request_id": pl.String,
            "report_id": pl.String,
            "created_at_provider_utc": pl.Datetime("us"),
            "fetched_at_utc": pl.Datetime("us"),
        },
        orient="row",
    )


def _scope_pocket(item: LoadedDocument) -> str:
    pockets = {scope.pocket_id for scope in item.scopes}
    if len(pockets) != 1:
        raise ValueError("a document speaks of one pocket, or of none")
    return pockets.pop()


def _scope_frame(fresh: Sequence[LoadedDocument], rows: PreparedRows) -> pl.DataFrame:
    scoped = []
    for number, item in enumerate(fresh, start=1):
        refusal = rows.refusals.get(number)
        for scope in item.scopes:
            scoped.append(
                (
                    number,
                    scope.pocket_id,
                    scope.day,
                    (scope.finality or item.finality).value,
                    refusal.code if refusal else None,
                    refusal.message if refusal else None,
                    refusal.locator if refusal else None,
                )
            )
    return pl.DataFrame(
        scoped,
        schema={
            "document_no": pl.Int32,
            "scope_pocket_id": pl.String,
            "scope_date": pl.Date,
            "finality": pl.String,
            "refusal_code": pl.String,
            "refusal_message": pl.String,
            "refusal_locator": pl.String,
        },
        orient="row",
    )


def _manifest(
    batch: LoadBatch, kind: Kind, fresh: Sequence[LoadedDocument], rows: PreparedRows, run_id: str | None
) -> pl.DataFrame:
    taken: Counter[int] = Counter()
    for name in kind.counted:
        taken.update(rows.frames[name]["document_no"].to_list())
    loaded_at = datetime.now(UTC).replace(tzinfo=None)
    lines = []
    for number, item in enumerate(fresh, start=1):
        document, refusal = item.document, rows.refusals.get(number)
        reading = item.reading if refusal is None else None
        lines.append(
            {
                "document_id": document.document_id,
                "customer_id": batch.customer_id,
                "legal_entity_id": batch.legal_entity_id,
                "document_kind": batch.kind,
                "pocket_id": document.pocket_id,
                "first_date": document.first,
                "last_date": document.last,
                "parameters": json.dumps(dict(document.parameters), sort_keys=True, default=str),
                "source_operation": document.source,
                "document_sha256": document.sha256,
                "parts": json.dumps([part.sha256 for part in document.parts]),
                "byte_length": sum(part.byte_length for part in document.parts),
                "media_type": document.media_type,
                "pull_key": document.pull_key,
                "pull_reason": str(document.reason) if document.reason is not None else None,
                "report_request_id": document.report_request_id,
                "report_id": document.report_id,
                "created_at_provider_utc": naive_utc(document.created_at_provider),
                "fetched_at_utc": naive_utc(document.fetched_at),
                "finality": item.finality.value,
                "outcome": "LOADED" if reading is not None else "QUARANTINED",
                "rows_in_document": _rows_in(item),
                "rows_loaded": taken[number],
                "rows_rejected": len(reading.rejected) if reading is not None else 0,
                "findings": _findings(item.reading, refusal),
                "loaded_at_utc": loaded_at,
                "loaded_run_id": run_id,
            }
        )
    return pl.DataFrame(lines, schema={column.name: column.polars_type for column in TABLES["raw.document"].columns})


def _rows_in(item: LoadedDocument) -> int:
    return item.reading.rows_in_document if item.reading is not None else 0


def _findings(reading: Reading | None, refusal: Refusal | None) -> str:
    found = [
        {"code": f.code, "severity": f.severity.value, "message": f.message, "locator": f.locator}
        for f in (reading.findings if reading is not None else ())
    ]
    if refusal is not None:
        found.append(
            {
                "code": refusal.code,
                "severity": Severity.ERROR.value,
                "message": refusal.message,
                "locator": refusal.locator,
            }
        )
    return json.dumps(found, ensure_ascii=False, sort_keys=True)


def _enter_watermark(
    con: duckdb.DuckDBPyConnection, batch: LoadBatch, manifest: pl.DataFrame, run_id: str | None
) -> None:
    line = (
        batch.customer_id,
        batch.kind,
        batch.first or SNAPSHOT_DATE,
        batch.last or SNAPSHOT_DATE,
        manifest.height,
        int(manifest["rows_loaded"].sum()),
        datetime.now(UTC).replace(tzinfo=None),
        run_id,
    )
    with registered(con, "load_input", frame_from(TABLES["raw.load"], [line])):
        con.execute("insert into raw.load by name select * from load_input")


def _summary(
    con: duckdb.DuckDBPyConnection,
    batch: LoadBatch,
    kind: Kind,
    manifest: pl.DataFrame,
    bounds: Mapping[str, Any],
) -> LoadSummary:
    outcomes = con.execute("select outcome, count(*) from load_delivery group by outcome").fetchall()
    changed = con.execute(
        "select distinct scope_pocket_id, scope_date from load_delivery"
        " where outcome in ('NEW_VERSION', 'QUARANTINED') order by scope_date, scope_pocket_id"
    ).fetchall()
    return LoadSummary(
        kind=batch.kind,
        documents=manifest.height,
        already_loaded=len(batch.documents) - manifest.height,
        quarantined=manifest.filter(pl.col("outcome") == "QUARANTINED").height,
        rows=int(manifest["rows_loaded"].sum()),
        rejected=int(manifest["rows_rejected"].sum()),
        outcomes=dict(outcomes),
        changed=tuple(changed),
        rows_per_day=load_transaction.current_rows_per_day(con, kind, bounds),
    )


def _recount(
    con: duckdb.DuckDBPyConnection,
    batch: LoadBatch,
    kind: Kind,
    fresh: Sequence[LoadedDocument],
    bounds: Mapping[str, Any],
) -> None:
    entered = documents_loaded(con, [item.document.document_id for item in fresh])
    if len(entered) != len(fresh):
        raise RecountError(f"After a load of {batch.kind} the manifest holds {len(entered)} of {len(fresh)} documents.")
    wrong = load_transaction.miscounted(con, kind, bounds)
    if wrong:
        pocket, day, stated, held, keys = wrong[0]
        where = f"pocket {pocket} on {day}" if pocket else f"{day}"
        raise RecountError(
            f"After a load of {batch.kind} the tables hold {held} rows with {keys} keys for {where} where the "
            f"manifest states {stated} ({len(wrong)} pocket-days differ)."
        )
