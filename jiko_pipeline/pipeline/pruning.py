"""What of the data directory may go, and why: said first, removed only when asked to.

Belongs here: choosing, and removing what was chosen. Does not belong here: Dagster's history, which has limits of its
own, and the simulated bank.

Nothing goes that evidence rests on. Every line of the archive stays: that a document came, with its hash. Bytes go
only of a document that said nothing new on any of its days: one with the same content had arrived before and stays, as
final as this one was; no day of it was ever in quarantine or is in a period that was signed off; and no take-on or end
of a break names it. So a warehouse made anew from what is left is the same.
"""

import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Final

from jiko_pipeline.archive import Archive, Document
from jiko_pipeline.errors import ExitCode, JikoPipelineError
from jiko_pipeline.pipeline.rebuilding import SET_ASIDE
from jiko_pipeline.pipeline.turn import end_turn, take_turn
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.file import Warehouse

LEAST_KEEP_DAYS: Final = 31
"""The trailing re-read and the longest window look no further back."""
_LEFTOVER_SECONDS: Final = 2 * 86400.0
"""A file on its way is complete, or abandoned, long before."""


class RetentionError(JikoPipelineError):
    """A retention that is shorter than the daily work reaches back."""

    exit_code = ExitCode.USAGE
    remedy = f"Keep at least {LEAST_KEEP_DAYS} days."


@dataclass(frozen=True, slots=True)
class Prunable:
    """A file or folder that may go, its bytes, and a sentence why; with it the documents that the bytes are of."""

    path: Path
    byte_length: int
    why: str
    document_ids: tuple[str, ...] = ()


def plan(settings: Settings, keep_days: int, *, now: datetime | None = None) -> list[Prunable]:
    """What may go when everything of the last `keep_days` days stays. Removes nothing. Raises RetentionError."""
    before = _before(keep_days, now)
    take_turn(settings)
    try:
        return _plan(settings, before)
    finally:
        end_turn(settings)


def prune(settings: Settings, keep_days: int, *, now: datetime | None = None) -> list[Prunable]:
    """Removes what `plan` tells of, and answers it. That bytes were let go is entered in the archive first."""
    before = _before(keep_days, now)
    take_turn(settings)
    try:
        planned = _plan(settings, before)
        Archive(settings.archive_dir).let_go(
            {document_id: item.why for item in planned for document_id in item.document_ids}, datetime.now(UTC)
        )
        for item in planned:
            if item.path.is_dir():
                shutil.rmtree(item.path)
            else:
                item.path.unlink(missing_ok=True)
        return planned
    finally:
        end_turn(settings)


def _before(keep_days: int, now: datetime | None) -> datetime:
    if keep_days < LEAST_KEEP_DAYS:
        raise RetentionError(f"{keep_days} days are less than the daily work reaches back.")
    return (now or datetime.now(UTC)) - timedelta(days=keep_days)


def _plan(settings: Settings, before: datetime) -> list[Prunable]:
    archive = Archive(settings.archive_dir)
    documents = list(archive.documents())
    found = [*_set_aside(settings, before), *_leftovers(settings, archive, documents)]
    if settings.warehouse_file.exists():
        found += _repeats(settings, archive, documents, before)
    return found


def _set_aside(settings: Settings, before: datetime) -> Iterator[Prunable]:
    for folder in sorted((settings.warehouse_file.parent / SET_ASIDE).glob("*")):
        if folder.stat().st_mtime < before.timestamp():
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            yield Prunable(folder, size, "a warehouse that one made anew from the archive has taken the place of")


def _leftovers(settings: Settings, archive: Archive, documents: list[Document]) -> Iterator[Prunable]:
    latest = time.time() - _LEFTOVER_SECONDS
    named = {part.sha256 for document in documents for part in document.parts}
    for blob in archive.blobs():
        if blob.name not in named and blob.stat().st_mtime < latest:
            yield Prunable(blob, blob.stat().st_size, "no document names it: its fetch ended midway")
    on_their_way = [*settings.archive_dir.glob("??/.*"), *settings.archive_dir.glob("**/*.part")]
    for file in sorted(set(on_their_way)):
        if file.stat().st_mtime < latest:
            yield Prunable(file, file.stat().st_size, "it was never complete")


def _repeats(settings: Settings, archive: Archive, documents: list[Document], before: datetime) -> Iterator[Prunable]:
    sql = (resources.files("jiko_pipeline.pipeline") / "repeated_documents.sql").read_text(encoding="utf-8")
    with Warehouse(settings).existing() as con:
        rows = con.execute(sql, {"before": before.replace(tzinfo=None)}).fetchall()
    going = dict(rows)
    needed = {part.sha256 for document in documents if document.document_id not in going for part in document.parts}
    naming: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        if document.document_id in going:
            for part in document.parts:
                naming[part.sha256].append(document)
    for sha256, named_by in naming.items():
        if sha256 not in needed:
            path = archive.path_of(sha256)
            told = going[named_by[0].document_id]
            yield Prunable(path, path.stat().st_size, told, tuple(document.document_id for document in named_by))
