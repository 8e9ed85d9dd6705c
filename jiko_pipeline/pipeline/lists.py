"""Lists that a person supplies: archived by their hash, read strictly, versioned as a whole, published.

Belongs here: the way of such a file into the warehouse. Does not belong here: its layout
(`formats.supplied_lists`), what controls make of it, the terminal (`cli.lists_command`).

A list stands for all that is expected or known: what the newest file no longer states has ended. Treasury's auctions
are the exception that the package makes: the table that travels with it stays beneath every loaded one.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from jiko_pipeline.archive import Archive, Document
from jiko_pipeline.bank.world import WorldIdentity
from jiko_pipeline.errors import NotProvedError
from jiko_pipeline.formats.reading import RefusedDocumentError, RejectedRow
from jiko_pipeline.formats.supplied_lists import EXPECTED_PAYMENTS, TREASURY_PRICES, kind_of_list
from jiko_pipeline.pipeline.loading import read_document
from jiko_pipeline.pipeline.turn import end_turn, take_turn
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.core_build import build_references
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.load import LoadBatch, LoadedDocument, load
from jiko_pipeline.warehouse.mirror_build import build_dimensions
from jiko_pipeline.warehouse.publish import publish

SOURCE = "supplied"


class ListRefusedError(NotProvedError):
    """A file that is no list of ours; nothing of it is taken."""

    means = "Nothing was loaded; the lists that were loaded before stand."
    remedy = "Correct the file and load it again."


@dataclass(frozen=True, slots=True)
class LoadedList:
    """What became of a file: `rows` taken, rows kept aside, whether it made a new version.

    `unknown_pockets` are the names of pockets that the bank does not list: nothing is ever compared with them.
    """

    kind: str
    sha256: str
    rows: int
    rejected: tuple[RejectedRow, ...]
    notes: tuple[str, ...]
    is_new_version: bool
    unknown_pockets: tuple[str, ...] = ()


def load_list(
    settings: Settings, path: Path, kinds: Sequence[str], *, price_date: date | None = None, now: datetime | None = None
) -> LoadedList:
    """Takes in a file that is one of `kinds`; `price_date` is the day of a price file, which does not state it.

    Raises ListRefusedError, naming line and column, when the file is none of them; StorageError when there is no
    warehouse yet or the file cannot be read.
    """
    body = path.read_bytes()
    try:
        kind = kind_of_list(body, kinds)
    except RefusedDocumentError as refusal:
        raise ListRefusedError(f"{path.name} is not loaded: {refusal}") from None
    if (kind == TREASURY_PRICES) != (price_date is not None):
        wanted = "needs the day of its prices" if price_date is None else "is no price file and takes no day"
        raise ListRefusedError(f"{path.name} is not loaded: it {wanted} (--date).")
    take_turn(settings)
    try:
        warehouse = Warehouse(settings)
        known = warehouse.world()
        world = WorldIdentity(known.environment, known.api_origin, known.world_id)
        archive = Archive(settings.archive_dir)
        archive.bind_world(world)
        document = archive.record(
            Document(
                kind=kind,
                customer_id=settings.profile,
                first=price_date,
                last=price_date,
                parts=(archive.store_bytes(body),),
                source=SOURCE,
                fetched_at=now or datetime.now(UTC),
                media_type="text/csv",
                file_name=path.name,
                world=world,
            )
        )
        item = read_document(settings, archive, document)
        if item.refusal is not None:
            raise ListRefusedError(f"{path.name} is not loaded: {item.refusal.message}")
        loaded = _take_in(settings, warehouse, item)
        publish(settings)
    finally:
        end_turn(settings)
    return loaded


def _take_in(settings: Settings, warehouse: Warehouse, item: LoadedDocument) -> LoadedList:
    document, reading = item.document, item.reading
    assert reading is not None
    batch = LoadBatch(
        kind=document.kind,
        customer_id=settings.profile,
        legal_entity_id=settings.legal_entity_id,
        first=document.first,
        last=document.last,
        documents=(item,),
    )
    with warehouse.existing() as con:
        summary = load(con, batch, run_id=f"list-{secrets.token_hex(8)}")
        build_references(con, settings.profile)
        build_dimensions(con)
        unknown = []
        if document.kind == EXPECTED_PAYMENTS:
            unknown = con.execute(
                "select distinct e.pocket from core.expected_payment as e where e.customer_id = $1"
                " and e.known_to_utc is null and not exists (select 1 from core.pocket as p"
                " where p.customer_id = e.customer_id and e.pocket in (p.pocket_id, p.pocket_name)) order by 1",
                [settings.profile],
            ).fetchall()
    return LoadedList(
        kind=document.kind,
        sha256=document.sha256,
        rows=summary.rows,
        rejected=reading.rejected,
        notes=tuple(finding.message for finding in reading.findings),
        is_new_version=bool(summary.outcomes.get("NEW_VERSION")),
        unknown_pockets=tuple(name for (name,) in unknown),
    )
