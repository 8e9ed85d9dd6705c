"""Fetching: what the bank says about a window goes into the archive, nothing else.

Belongs here: pockets and their lives, reports, the reference list; each becomes one archived document before
anybody parses it. Does not belong here: other listings (`listing_fetch`), what is needed (`expected`) and
loading (`loading`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime

from jiko_pipeline import calendars
from jiko_pipeline.archive import Archive, Document
from jiko_pipeline.bank import listings
from jiko_pipeline.bank.connection import Bank, connect
from jiko_pipeline.bank.errors import PermissionRefusedError
from jiko_pipeline.bank.order_book import OrderBook
from jiko_pipeline.bank.orders import DeliveredReport, Progress
from jiko_pipeline.bank.orders import fetch_reports as fetch_from_bank
from jiko_pipeline.bank.report_requests import PullReason, ReportPull
from jiko_pipeline.errors import ExitCode
from jiko_pipeline.failpoints import failpoint
from jiko_pipeline.formats.links import without_links
from jiko_pipeline.formats.lives import read_pocket_lives
from jiko_pipeline.formats.own_names import in_names_of_ours
from jiko_pipeline.formats.pages import read_pockets
from jiko_pipeline.formats.reading import Expectation
from jiko_pipeline.pipeline.expected import (
    KIND_OF_REPORT,
    Coverage,
    PocketLife,
    pulls_for,
    utc_now,
)
from jiko_pipeline.pipeline.report import StepReport
from jiko_pipeline.pipeline.targets import refuse_unusable
from jiko_pipeline.pipeline.windows import Window, first_day_reached, take_on
from jiko_pipeline.settings import Environment, Settings
from jiko_pipeline.warehouse.kinds import Finality
from jiko_pipeline.warehouse.world import claim, refuse_other_environment

CLOSED = "CLOSED"
"""The status of a pocket whose last movement ended its life."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A connection and the archive that everything from it goes into."""

    settings: Settings
    bank: Bank
    archive: Archive

    def keep(
        self,
        kind: str,
        pages: Sequence[listings.Page],
        *,
        pocket_id: str | None = None,
        first: date | None = None,
        last: date | None = None,
        parameters: Mapping[str, object] | None = None,
    ) -> Document:
        """One archived document of all pages of a listing; their bytes are in the archive already."""
        identity = self.bank.identity
        return self.archive.record(
            Document(
                kind=kind,
                customer_id=self.settings.profile,
                pocket_id=pocket_id,
                first=first,
                last=last,
                parameters=dict(parameters or {}),
                parts=tuple(self.archive.store_bytes(page.body) for page in pages),
                source=pages[-1].url_path,
                created_at_provider=None,
                fetched_at=pages[-1].fetched_at,
                first_fetched_at=pages[0].fetched_at if len(pages) > 1 else None,
                media_type=pages[-1].media_type,
                report_request_id=None,
                report_id=None,
                pull_key=None,
                reason=None,
                world=identity,
            )
        )

    def list(
        self,
        kind: str,
        *wanted: listings.Listing,
        pocket_id: str | None = None,
        first: date | None = None,
        last: date | None = None,
        parameters: Mapping[str, object] | None = None,
        refused: set[str] | None = None,
    ) -> tuple[Document, list[bytes]]:
        """Walks listings to their ends, archiving each page as it comes less its links, as one document.

        The document and its bodies in our names of fields, to be read.

        With `refused`, a pocket whose listing is not open to us is entered there; the listings of others are walked.
        """
        pages: list[listings.Page] = []
        for listing in wanted:
            try:
                for page in self.bank.pages(listing):
                    pages.append(replace(page, body=without_links(kind, page.body, self.bank.contract)))
                    self.archive.store_bytes(pages[-1].body)
                    failpoint("page-archived")
            except PermissionRefusedError:
                if refused is None or listing.pocket_id is None or (listing is wanted[-1] and not pages):
                    raise
                refused.add(listing.pocket_id)
        document = self.keep(kind, pages, pocket_id=pocket_id, first=first, last=last, parameters=parameters)
        return document, in_names_of_ours(kind, [page.body for page in pages], self.bank.contract)


@contextmanager
def open_desk(settings: Settings) -> Iterator[Desk]:
    """A connection to the bank of this data directory; refused when the directory is another world's."""
    refuse_other_environment(settings.data_dir, settings.environment.value)
    refuse_unusable(settings)
    with connect(settings) as bank:
        claim(settings.data_dir, bank.identity)
        archive = Archive(settings.archive_dir)
        archive.bind_world(bank.identity)
        yield Desk(settings, bank, archive)


def fetch_pockets(desk: Desk) -> list[PocketLife]:
    """The pockets as listed now and the days of their lives; both are archived.

    Jiko tells no opening or closing dates: the first movement stands for the opening, and the last movement of a
    pocket that is CLOSED for the closing. A pocket whose movements are not open to us is taken to live on every day:
    its documents are then asked for and refused one by one, and it is not taken for one that never moved.
    """
    _, bodies = desk.list("POCKETS", listings.pockets())
    pockets = read_pockets(bodies, Expectation()).frames["pocket"]
    edges: list[listings.Listing] = []
    for pocket_id, status in sorted(pockets.select("pocket_id", "pocket_status").iter_rows()):
        edges.append(listings.first_activity(pocket_id))
        if status == CLOSED:
            edges.append(listings.last_activity(pocket_id))
    if not edges:
        return []
    refused: set[str] = set()
    _, bodies = desk.list("POCKET_LIVES", *edges, refused=refused)
    lives = read_pocket_lives(bodies, Expectation()).frames["pocket_life"]
    known = {row["pocket_id"]: row for row in lives.iter_rows(named=True)}
    return [PocketLife(pocket_id, None, None) for pocket_id in sorted(refused)] + [
        PocketLife(
            pocket_id,
            known[pocket_id]["first_activity_on"],
            known[pocket_id]["last_activity_on"] if status == CLOSED else None,
        )
        # A pocket that never moved has no documents yet.
        for pocket_id, status in sorted(pockets.select("pocket_id", "pocket_status").iter_rows())
        if pocket_id in known and pocket_id not in refused
    ]


def fetch_reference_list(desk: Desk) -> Document | None:
    """The simulated bank's own list of bills; a real bank has none, Treasury's travels with the package."""
    if desk.settings.environment is not Environment.SIMULATOR:
        return None
    document, _ = desk.list("SECURITY_REFERENCE", listings.reference_list())
    return document


def fetch_window_reports(
    settings: Settings,
    window: Window,
    reason: PullReason,
    *,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> StepReport:
    """Everything a window needs of the five report types, ordered, polled together, downloaded, archived."""
    now = now or utc_now()
    arrived: Counter[date] = Counter()
    with open_desk(settings) as desk, OrderBook(settings.order_book_file) as book:
        lives = fetch_pockets(desk)
        fetch_reference_list(desk)
        reached = first_day_reached(settings, window), window.last
        coverage = Coverage(settings, desk.archive.documents(overlapping=reached))
        pulls = [
            pull
            for days in (take_on(settings, window), window)
            if days is not None
            for pull in pulls_for(settings, days, lives, coverage, reason, now)
        ]

        def deliver(report: DeliveredReport) -> None:
            desk.archive.record(_document_of(desk, report))
            for day in calendars.days(report.pull.first, report.pull.last):
                arrived[day] += 1

        outcome = fetch_from_bank(desk.bank, book, pulls, deliver, progress=progress)
    notes = [f"{pull.title} was refused: {why}" for pull, why in outcome.refused]
    exit_code = ExitCode.NOT_PROVED if outcome.refused else ExitCode.OK
    if outcome.pending:
        notes.append(
            f"{len(outcome.pending)} reports are not ready yet; the next run takes them up where this one ended."
        )
        exit_code = ExitCode.NOT_PROVED if outcome.refused else ExitCode.TRY_LATER
    if outcome.trouble is not None:
        notes.append(str(outcome.trouble))
    if outcome.barred is not None:
        notes = [f"No report can be ordered: {outcome.barred} {outcome.barred.remedy}"]
        exit_code = outcome.barred.exit_code
    return StepReport(
        "fetch reports",
        {day: {"documents": arrived[day]} for day in window.days},
        tuple(notes),
        exit_code,
        frozenset(day for pull in outcome.pending for day in _waiting(pull, coverage, window)),
    )


def _waiting(pull: ReportPull, coverage: Coverage, window: Window) -> Iterator[date]:
    """The days of the window that a pull keeps waiting; a range may hold days whose documents came before.

    The first day waits for the take-on.
    """
    kinds = [KIND_OF_REPORT[pull.report_type, form] for form in pull.output_formats]
    for day in calendars.days(pull.first, pull.last):
        states = {coverage.finality(kind, pull.pocket_id, day) for kind in kinds}
        if pull.reason is PullReason.CONFIRM or states != {Finality.AFTER_CUTOFF}:
            yield min(max(day, window.first), window.last)


def _document_of(desk: Desk, report: DeliveredReport) -> Document:
    pull = report.pull
    blob = desk.archive.adopt_file(report.path, report.sha256)
    return Document(
        kind=KIND_OF_REPORT[pull.report_type, report.output_format],
        customer_id=desk.settings.profile,
        pocket_id=pull.pocket_id,
        first=pull.first,
        last=pull.last,
        parameters={
            "report_type": pull.report_type.value,
            "output_format": report.output_format.value,
            "date_type": None if pull.date_type is None else pull.date_type.value,
            "round": pull.round,
        },
        parts=(blob,),
        source="download_report",
        created_at_provider=report.created_at_provider,
        fetched_at=report.fetched_at,
        media_type=report.media_type,
        report_request_id=report.report_request_id,
        report_id=report.report_id,
        pull_key=pull.key,
        reason=pull.reason.value,
        world=desk.bank.identity,
    )
