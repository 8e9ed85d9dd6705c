"""What a file turned out to be, found out without a bank, a warehouse or settings.

Belongs here: finding the files of a folder, reading one of them, and what is kept of it. Does not belong here:
how a format is read (`jiko_pipeline.formats`), and how the result is shown (`inspect_table`, `inspect_summary`,
`inspect_json`) or converted (`conversion`).
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

import polars as pl

from jiko_pipeline.formats import camt053
from jiko_pipeline.formats.camt053.checks import plain
from jiko_pipeline.formats.camt053.gate import MOST_BYTES_AT_HAND
from jiko_pipeline.formats.camt053.records import Document, Piece
from jiko_pipeline.formats.camt053.tables import StatementFrames
from jiko_pipeline.formats.delimited.strict import MOST_BYTES as MOST_REPORT_BYTES
from jiko_pipeline.formats.delimited.strict import other_than_csv
from jiko_pipeline.formats.readers import CAMT053, READERS, identify
from jiko_pipeline.formats.reading import Expectation, Finding, Reading, RefusedDocumentError, Severity

LISTED: Final = (
    "statement_seq",
    "entry_seq",
    "signed_amount",
    "currency",
    "entry_reference",
    "account_servicer_reference",
    "is_reversal",
    "entry_status",
    "booking_date",
    "value_date",
    "domain_code",
    "family_code",
    "sub_family_code",
    "proprietary_code",
    "additional_information",
    "document_locator",
)
"""The columns of an entry that a listing shows."""

_PIECE: Final = 16 * 1024 * 1024
_TOTALLED: Final = {
    "trade_report": ("side", "amount"),
    "position": ("pocket_id", "market_value"),
    "position_cash": ("pocket_id", "cash"),
    "api_transaction": ("direction", "signed_amount"),
    "api_trade": ("activity", "notional"),
}


@dataclass(slots=True)
class Inspected:
    """What one file turned out to be. `error` is (code, message) when it was refused.

    `entries` are those of a statement in the columns of LISTED, `frames` the whole of a file in typed frames;
    both only when asked for. `not_converted` is the reason why a file that can be read has no frames.
    """

    path: Path
    sha256: str | None = None
    kind: str | None = None
    error: tuple[str, str] | None = None
    document: Document | None = None
    entries: pl.DataFrame | None = None
    reading: Reading | None = None
    frames: Mapping[str, pl.DataFrame] | None = None
    not_converted: str | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything found on the file."""
        if self.document is not None:
            return camt053_findings(self.document)
        return self.reading.findings if self.reading is not None else ()


@dataclass(slots=True)
class _Collected:
    """Takes the pieces of a statement, as far as something will be done with them."""

    listed: list[pl.DataFrame] | None = None
    frames: StatementFrames | None = None

    def take(self, piece: Piece) -> None:
        if self.listed is not None:
            self.listed.append(piece.entries.frame.select(LISTED))
        if self.frames is not None:
            self.frames.take(piece)


def files_below(paths: Iterable[Path]) -> Iterator[Path]:
    """Each file named, and each file below each folder named, in the order of names; hidden ones are passed over.

    A folder without a file comes as itself: to inspect it says so.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = False
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                file = Path(folder) / name
                if not name.startswith(".") and file.is_file():
                    found = True
                    yield file
        if not found:
            yield path


def inspect_file(
    path: Path, *, keep_entries: bool = False, keep_frames: bool = False, schemas: Path | None = None
) -> Inspected:
    """Read one file. What refuses it, the file system included, is in `error`.

    `keep_entries` fills `entries`, `keep_frames` fills `frames`; `schemas` is a folder of schemas that statements
    are compared with.
    """
    result = Inspected(path)
    try:
        body = _bytes_of(path)
        result.sha256 = hashlib.sha256(body).hexdigest()
        result.kind = identify(body)
        if result.kind == CAMT053:
            _inspect_statement(result, body, keep_entries=keep_entries, keep_frames=keep_frames)
            if schemas is not None and result.document is not None:
                advice = camt053.schema_findings(body, result.document.version, schemas)
                result.document = replace(result.document, findings=(*result.document.findings, *advice))
        elif result.kind is None:
            what = other_than_csv(body) or "text with an unknown header"
            message = f"The file is {what if body else 'empty'}: no statement, report or listing that has a reader."
            raise RefusedDocumentError("UNKNOWN_KIND", message)
        else:
            result.reading = READERS[result.kind]([body], Expectation())
            result.frames = result.reading.frames if keep_frames else None
    except RefusedDocumentError as error:
        result.error = (error.code, str(error))
    except IsADirectoryError:
        result.error = ("UNREADABLE_FILE", "The folder holds no file.")
    except OSError as error:
        result.error = ("UNREADABLE_FILE", f"The file cannot be read: {error.strerror or type(error).__name__}.")
    return result


def _bytes_of(path: Path) -> bytes:
    """All bytes of a file or a pipe; RefusedDocumentError when they are too many."""
    most = max(MOST_BYTES_AT_HAND, MOST_REPORT_BYTES)
    pieces: list[bytes] = []
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        room = min(status.st_size, most) + 1 if stat.S_ISREG(status.st_mode) else _PIECE
        while sum(map(len, pieces)) <= most and (piece := file.read(room)):
            pieces.append(piece)
            room = _PIECE
    body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    if len(body) > most:
        raise RefusedDocumentError("TOO_LARGE", f"The file has more than {most:,} bytes.")
    return body


def _inspect_statement(result: Inspected, body: bytes, *, keep_entries: bool, keep_frames: bool) -> None:
    collected = _Collected([] if keep_entries else None, StatementFrames() if keep_frames else None)
    document = camt053.parse(body, collected.take, most_bytes=MOST_BYTES_AT_HAND)
    result.document = document
    if collected.listed:
        result.entries = pl.concat(collected.listed)
    if collected.frames is None:
        return
    error = next((each for each in camt053_findings(document) if each.severity is Severity.ERROR), None)
    if error is None:
        result.frames = collected.frames.frames(document.version, document.statements)
    else:
        result.not_converted = f"{error.code} at {error.locator or 'the document'}: {error.message}"


def camt053_findings(document: Document) -> tuple[Finding, ...]:
    """Findings of the document, then those of each of its statements."""
    return (*document.findings, *(finding for each in document.statements for finding in each.findings))


def amount_of(row: Mapping[str, object]) -> Decimal | None:
    """The signed amount of an entry without the zeros of its type; None when it could not be read."""
    amount = row["signed_amount"]
    return plain(amount) if isinstance(amount, Decimal) else None


def code_of(row: Mapping[str, object]) -> str | None:
    """The bank transaction code of an entry: the proprietary one, else domain/family/sub-family."""
    parts = (row["domain_code"], row["family_code"], row["sub_family_code"])
    return str(row["proprietary_code"] or "/".join(str(part) for part in parts if part)) or None


@dataclass(frozen=True, slots=True)
class Total:
    """Rows of one frame that share a word (or a pocket), and the sum of their money."""

    frame: str
    of: str
    rows: int
    amount: Decimal | None


def totals_of(reading: Reading) -> list[Total]:
    """The totals of each frame that has money."""
    totals: list[Total] = []
    for name, (group, money) in _TOTALLED.items():
        if name in reading.frames:
            sums = reading.frames[name].group_by(group).agg(pl.len().alias("rows"), pl.col(money).sum())
            totals += [
                Total(name, str(row[group]), row["rows"], row[money]) for row in sums.sort(group).iter_rows(named=True)
            ]
    return totals
