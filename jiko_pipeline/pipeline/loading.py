"""Loading: archived documents of a window are read and put into staging, one transaction a kind.

Belongs here: choosing the documents, reading each, turning a refusal into quarantine. Does not belong here: how
a format is read (`formats`) and how versions are kept (`warehouse`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from jiko_pipeline import calendars
from jiko_pipeline.archive import Archive, Document
from jiko_pipeline.bank.contract_file import contract_of
from jiko_pipeline.errors import ExitCode
from jiko_pipeline.formats.camt053 import schema_findings
from jiko_pipeline.formats.media_types import media_type_finding
from jiko_pipeline.formats.own_names import in_names_of_ours
from jiko_pipeline.formats.readers import READERS
from jiko_pipeline.formats.reading import Expectation, RefusedDocumentError
from jiko_pipeline.formats.supplied_lists import CUSTOMER_LISTS, TREASURY_AUCTIONS, TREASURY_PRICES
from jiko_pipeline.pipeline.expected import finality, made_at
from jiko_pipeline.pipeline.listing_fetch import FACTS, MESSAGES, OTHER_FORMS, SNAPSHOTS
from jiko_pipeline.pipeline.report import StepReport
from jiko_pipeline.pipeline.windows import Window, first_day_reached
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.coverage import documents_loaded
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.kinds import Finality, Scope, scopes_of
from jiko_pipeline.warehouse.load import LoadBatch, LoadedDocument, LoadSummary, load
from jiko_pipeline.warehouse.load_rows import Refusal

SNAPSHOT_KINDS = ("POCKETS", "POCKET_LIVES", "SECURITY_REFERENCE", *SNAPSHOTS, *CUSTOMER_LISTS, TREASURY_AUCTIONS)
STATEMENT_KINDS = ("BANK_STATEMENT", "BROKERAGE_STATEMENT")
HOLDING_KINDS = ("POSITION", "SECURITY_PRICE", "TRADE_REPORT_CSV", "TRADE_REPORT_KYRIBA_CSV", TREASURY_PRICES)
MONTH_KINDS = ("MONTHLY_STATEMENTS", "EARNINGS")
FLOW_KINDS = (*MESSAGES, *MONTH_KINDS)
ACTIVITY_KINDS = (*FACTS, *OTHER_FORMS, *FLOW_KINDS)
FACT_KINDS = (*STATEMENT_KINDS, *HOLDING_KINDS, *FACTS, *OTHER_FORMS)
"""Kinds whose days the facts of core are built for."""


def _touches(settings: Settings, document: Document, window: Window | None) -> bool:
    if document.first is None or document.last is None:
        return window is None
    if window is None:
        return False
    if document.kind in MONTH_KINDS:
        # What is stated of a month that is over is asked for by the windows after it.
        return document.first <= window.last
    return document.first <= window.last and document.last >= first_day_reached(settings, window)


def _reached(settings: Settings, window: Window | None, kinds: Sequence[str]) -> tuple[date, date] | None:
    """The days that `_touches` may say yes to; None for all."""
    if window is None:
        return None
    first = date.min if any(kind in MONTH_KINDS for kind in kinds) else first_day_reached(settings, window)
    return first, window.last


def _scopes(settings: Settings, document: Document) -> tuple[Scope, ...]:
    instant = made_at(document)
    return tuple(
        scope._replace(finality=finality(settings, instant, scope.day)) if document.first is not None else scope
        for scope in scopes_of(document.kind, document.pocket_id, document.first, document.last)
    )


def read_document(settings: Settings, archive: Archive, document: Document) -> LoadedDocument:
    """A document from the archive, read or refused. Raises StorageError when its bytes are damaged.

    Where the settings name a folder of schemas, what the schema says of a statement is among its findings.
    """
    stored = [archive.open_blob(part.sha256) for part in document.parts]
    bodies = in_names_of_ours(document.kind, stored, contract_of(settings))
    expectation = Expectation(
        pocket_ids=None if document.pocket_id is None else frozenset({document.pocket_id}),
        first=document.first,
        last=document.last,
    )
    overall = Finality.AFTER_CUTOFF if document.last is None else finality(settings, made_at(document), document.last)
    scopes = _scopes(settings, document)
    try:
        reading = READERS[document.kind](bodies, expectation)
    except RefusedDocumentError as refusal:
        return LoadedDocument(document, scopes, overall, refusal=Refusal(refusal.code, str(refusal), refusal.locator))
    if settings.camt_schemas is not None and document.kind in STATEMENT_KINDS:
        version = reading.frames["statement"]["message_version"][0]
        advice = schema_findings(bodies[0], version, settings.camt_schemas)
        reading = replace(reading, findings=(*reading.findings, *advice))
    if stored and (odd := media_type_finding(document.media_type, stored[0])) is not None:
        reading = replace(reading, findings=(*reading.findings, odd))
    return LoadedDocument(document, scopes, overall, reading=reading)


def load_kinds(settings: Settings, window: Window | None, kinds: Sequence[str], run_id: str) -> StepReport:
    """Loads what the archive holds of these kinds for a window (None: snapshots) and the warehouse has not.

    Documents are read before the warehouse is opened; each kind is one transaction.
    """
    archive = Archive(settings.archive_dir)
    warehouse = Warehouse(settings)
    wanted = [
        document
        for document in archive.documents(kinds=kinds, overlapping=_reached(settings, window, kinds))
        if document.customer_id == settings.profile and _touches(settings, document, window)
    ]
    if not wanted:
        return StepReport(f"load {', '.join(kinds)}", {day: {"rows": 0} for day in window.days} if window else {})
    identity = wanted[0].world
    with warehouse.writer(identity) as con:
        known = documents_loaded(con, [document.document_id for document in wanted])
    fresh = [read_document(settings, archive, document) for document in wanted if document.document_id not in known]
    summaries: list[LoadSummary] = []
    if fresh:
        with warehouse.writer(identity) as con:
            for kind in kinds:
                documents = tuple(item for item in fresh if item.document.kind == kind)
                if documents:
                    batch = LoadBatch(
                        kind=kind,
                        customer_id=settings.profile,
                        legal_entity_id=settings.legal_entity_id,
                        first=window.first if window else None,
                        last=window.last if window else None,
                        documents=documents,
                    )
                    summaries.append(load(con, batch, run_id=run_id))
    return _report(kinds, window, fresh, summaries)


def _report(
    kinds: Sequence[str],
    window: Window | None,
    fresh: Sequence[LoadedDocument],
    summaries: Sequence[LoadSummary],
) -> StepReport:
    rows: Counter[date] = Counter()
    quarantined: Counter[date] = Counter()
    for summary in summaries:
        rows.update(summary.rows_per_day)
    notes = []
    for item in fresh:
        if item.refusal is not None:
            document = item.document
            days = (
                calendars.days(document.first, document.last)
                if document.first is not None and document.last is not None
                else []
            )
            for day in days:
                quarantined[day] += 1
            pocket = f" of pocket {document.pocket_id[:8]}" if document.pocket_id else ""
            notes.append(f"{document.kind}{pocket} for {document.first} is quarantined: {item.refusal.message}")
    exit_code = ExitCode.NOT_PROVED if notes else ExitCode.OK
    notes += _sent_as_something_else(fresh)
    if not window:
        return StepReport(
            f"load {', '.join(kinds)}",
            {date(1, 1, 1): {"rows": sum(summary.rows for summary in summaries)}},
            tuple(notes),
            exit_code,
        )
    return StepReport(
        f"load {', '.join(kinds)}",
        {day: {"rows": rows[day], "quarantined": quarantined[day]} for day in window.days},
        tuple(notes),
        exit_code,
    )


def _sent_as_something_else(fresh: Sequence[LoadedDocument]) -> list[str]:
    """A sentence for each kind whose documents came under a wrong media type; they are read all the same."""
    odd = Counter(
        (item.document.kind, finding.message)
        for item in fresh
        if item.reading is not None
        for finding in item.reading.findings
        if finding.code == "MEDIA_TYPE"
    )
    return [
        f"{kind}, {number} {'document' if number == 1 else 'documents'}: {message}"
        for (kind, message), number in sorted(odd.items())
    ]
