"""Every byte received, kept once by its hash, and a line for each document: what was asked and what came.

Belongs here: blobs, the list of documents, their verification. Does not belong here: how bytes are fetched
(`jiko_pipeline.bank`), what they mean (`jiko_pipeline.formats`), which document is current
(`jiko_pipeline.warehouse`).

Layout below the archive's directory: `<aa>/<sha256>` for blobs, `documents/<YYYY-MM>.jsonl` for documents by
the month (UTC) in which their fetch ended, `journal/<name>.jsonl` for what no document states (decisions of persons,
events of breaks), `world.json` for the bank they are of. Directories are 0700, files
0600. A blob is synced before its name appears, and a document is recorded after its blobs, so a recorded
document is whole. Names are made here and never come from a server.
"""

import fcntl
import hashlib
import json
import logging
import os
import re
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from jiko_pipeline.bank.world import WorldIdentity
from jiko_pipeline.errors import SettingsError, StorageError
from jiko_pipeline.failpoints import failpoint

_SHA256_LENGTH: Final = 64
_CHUNK_BYTES: Final = 1 << 20
_BLOBS: Final = "[0-9a-f][0-9a-f]/*"
_LET_GO: Final = "let-go"
"""The journal of documents whose bytes were pruned."""
_log = logging.getLogger(__name__)


class Blob(BaseModel):
    """Bytes in the archive: their sha256 (hex, lower case) and how many they are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    byte_length: int = Field(ge=0)


class Document(BaseModel):
    """One complete answer of the bank: a file, or all pages of a listing. Immutable.

    `kind` is what it is to those who read it (BANK_STATEMENT, API_TRADES, ...); `first` and `last` are the New York
    days that were asked for, None for what has no days. `parts` are the blobs in order, one for each page of a
    listing. `source` is the name of the operation, `parameters` what it was asked beside days and pocket.
    `created_at_provider` is the bank's time of the document where it states one, `fetched_at` the end of the fetch,
    `first_fetched_at` the arrival of the first page of several: what moves was read at some time between these two.
    All are UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")
    customer_id: str
    pocket_id: str | None = None
    first: date | None = None
    last: date | None = None
    parameters: Mapping[str, str | int | bool | None] = Field(default_factory=dict)
    parts: tuple[Blob, ...] = Field(min_length=1)
    source: str
    created_at_provider: AwareDatetime | None = None
    fetched_at: AwareDatetime
    first_fetched_at: AwareDatetime | None = None
    media_type: str = ""
    file_name: str | None = None
    report_request_id: str | None = None
    report_id: str | None = None
    pull_key: str | None = None
    reason: str | None = None
    world: WorldIdentity

    @field_validator("created_at_provider", "fetched_at", "first_fetched_at")
    @classmethod
    def _in_utc(cls, value: datetime | None) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    @cached_property
    def document_id(self) -> str:
        """sha256 over all fields; the name of the document everywhere."""
        return hashlib.sha256(self._canonical()).hexdigest()

    @property
    def sha256(self) -> str:
        """Hash of the bytes: the part's own, or with several parts the hash over their hashes in order."""
        if len(self.parts) == 1:
            return self.parts[0].sha256
        return hashlib.sha256("".join(part.sha256 for part in self.parts).encode()).hexdigest()

    @property
    def byte_length(self) -> int:
        """Bytes in all parts together."""
        return sum(part.byte_length for part in self.parts)

    def _canonical(self) -> bytes:
        return json.dumps(self._fields(), sort_keys=True, separators=(",", ":")).encode()

    def _fields(self) -> dict[str, object]:
        # A document of one part is written without the time of a first one, as it was before there was such a time.
        return self.model_dump(mode="json", exclude={"first_fetched_at"} if self.first_fetched_at is None else None)

    def to_line(self) -> bytes:
        """The document as one line of JSON with its id and hash, line end included."""
        line = {
            "document_id": self.document_id,
            "sha256": self.sha256,
            **self._fields(),
        }
        return json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """The document of such a line. Raises ValueError when it is none, or not the one its id names."""
        fields = json.loads(line)
        if not isinstance(fields, dict):
            raise ValueError("the line is no JSON object")
        document_id, sha256 = fields.pop("document_id", None), fields.pop("sha256", None)
        document = cls.model_validate(fields)
        if document.document_id != document_id or document.sha256 != sha256:
            raise ValueError("the line does not have the hash that it names")
        return document


@dataclass(frozen=True, slots=True)
class Damage:
    """A blob that is not what it should be, or a document whose line or blob is gone."""

    path: Path
    problem: str


class Archive:
    """The archive in a directory, which is made at the first write. Safe for threads and processes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._documents = directory / "documents"
        self._journal = directory / "journal"
        self._made: set[Path] = set()

    @property
    def directory(self) -> Path:
        """Where the archive is."""
        return self._directory

    def bind_world(self, world: WorldIdentity) -> None:
        """Make this the archive of `world`, or make sure that it is. Raises SettingsError for another one's."""
        file = self._directory / "world.json"
        with _storage(file):
            known = _world_of(file)
            if known is None:
                self._make_directory(self._directory)
                temporary = self._write_temporary(self._directory, json.dumps(asdict(world)).encode() + b"\n")
                try:
                    # A link fails where a name exists: of two processes that are first, one decides.
                    os.link(temporary, file)
                except FileExistsError:
                    known = _world_of(file)
                finally:
                    temporary.unlink()
                _sync_directory(self._directory)
        if known is not None and known != world:
            raise SettingsError(
                f"The data directory {self._directory.parent} belongs to {_named(known)}; it was opened with"
                f" {_named(world)}.",
                means="Nothing was fetched: figures of two banks never meet in one directory.",
                remedy="Set JIKO_ENVIRONMENT (and the simulator's settings) back, or name another JIKO_DATA_DIR.",
            )

    def store_bytes(self, body: bytes) -> Blob:
        """Keep `body`; nothing is written when it is here already. Raises StorageError."""
        blob = Blob(sha256=hashlib.sha256(body).hexdigest(), byte_length=len(body))
        final = self._blob_path(blob.sha256)
        with _storage(final):
            if not self._is_here(final, blob):
                self._make_directory(final.parent)
                self._settle(self._write_temporary(final.parent, body), final)
        return blob

    def adopt_file(self, path: Path, sha256: str) -> Blob:
        """Take over a file, complete and synced, whose hash is `sha256`; afterwards `path` is gone.

        The file has to be on the archive's file system. Raises StorageError.
        """
        final = self._blob_path(sha256)
        with _storage(path):
            blob = Blob(sha256=sha256, byte_length=path.stat().st_size)
        with _storage(final):
            if self._is_here(final, blob):
                path.unlink()
            else:
                self._make_directory(final.parent)
                path.chmod(0o600)
                self._settle(path, final)
        return blob

    def open_blob(self, sha256: str) -> bytes:
        """The bytes of that hash. Raises StorageError when they are missing or altered."""
        path = self._blob_path(sha256)
        with _storage(path):
            failpoint("blob-read")
            body = path.read_bytes()
        if hashlib.sha256(body).hexdigest() != sha256:
            raise StorageError(
                f"The archived file {path} was altered: it no longer has the hash that names it.",
                remedy="Restore it from a backup; `jiko verify` lists every damaged file.",
            )
        return body

    def record(self, document: Document) -> Document:
        """Enter a document whose blobs are kept already, synced to disk; the document. Raises StorageError."""
        self._append(self._documents / f"{document.fetched_at:%Y-%m}.jsonl", document.to_line())
        return document

    @property
    def world(self) -> WorldIdentity | None:
        """The bank that the archive is of; None for one that was never bound. Raises StorageError."""
        return _world_of(self._directory / "world.json")

    def enter(self, journal: str, entries: Iterable[Mapping[str, Any]]) -> None:
        """Add entries to the journal of that name, one line each with its own hash, synced. Raises StorageError."""
        lines = b"".join(_journal_line(entry) for entry in entries)
        if lines:
            file = self._journal / f"{journal}.jsonl"
            with _storage(file):
                self._make_directory(file.parent)
                append_durably(file, lines)

    def journal(self, name: str) -> Iterator[dict[str, Any]]:
        """The entries of a journal in the order in which they were made. Raises StorageError for an altered line."""
        file = self._journal / f"{name}.jsonl"
        if not file.exists():
            return
        for number, line in _lines(file):
            try:
                yield _journal_entry(line)
            except ValueError:
                raise StorageError(
                    f"Line {number} of {file} was altered.",
                    remedy="Restore the file from a backup; `jiko verify` lists every damaged file.",
                ) from None

    def journals(self) -> list[str]:
        """The names of the journals that there are."""
        return sorted(file.stem for file in self._journal.glob("*.jsonl"))

    def documents(
        self,
        since: datetime | None = None,
        *,
        kinds: Collection[str] | None = None,
        overlapping: tuple[date, date] | None = None,
    ) -> Iterator[Document]:
        """Documents in order of arrival; with `since` only those whose fetch ended at or after it.

        Those whose bytes were let go are passed over. With `kinds` only those, and with `overlapping` only those about
        a day between two days, both included, or about no day. Raises StorageError for a line that is not whole or was
        altered, of those asked for (`verify` reads all); a last line that was never completed is no document and is
        passed over.
        """
        gone = self._gone()
        first_month = "" if since is None else since.astimezone(UTC).strftime("%Y-%m")
        wanted = _Wanted(kinds, overlapping)
        for file in self._months():
            if file.stem < first_month:
                continue
            for number, line in _lines(file):
                if wanted.excludes(line):
                    continue
                try:
                    document = Document.from_line(line)
                except (ValueError, ValidationError):
                    raise StorageError(
                        f"Line {number} of {file} was altered: it is not the document that it names.",
                        remedy="Restore the file from a backup; `jiko verify` lists every damaged file.",
                    ) from None
                if document.document_id in gone or not wanted.takes(document):
                    continue
                if since is None or document.fetched_at >= since:
                    yield document

    def let_go(self, why: Mapping[str, str], at: datetime) -> None:
        """Enter that the bytes of these documents (id -> a sentence why) go; the caller removes them then."""
        moment = at.astimezone(UTC).isoformat(timespec="seconds")
        self.enter(_LET_GO, [{"document_id": name, "why": why[name], "at": moment} for name in sorted(why)])

    def _gone(self) -> frozenset[str]:
        return frozenset(str(entry["document_id"]) for entry in self.journal(_LET_GO))

    def path_of(self, sha256: str) -> Path:
        """Where the bytes of that hash are, or would be."""
        return self._blob_path(sha256)

    def blobs(self) -> Iterator[Path]:
        """Every file of bytes that is there, whether a document names it or not."""
        return (path for path in sorted(self._directory.glob(_BLOBS)) if not path.name.startswith("."))

    def lists(self) -> list[Path]:
        """The files that are only ever appended to: documents by month, journals."""
        return [*self._months(), *sorted(self._journal.glob("*.jsonl"))]

    def verify(self) -> list[Damage]:
        """Every blob that is altered or missing and every line that is damaged; empty when all is well."""
        damage: list[Damage] = []
        for file in sorted(self._journal.glob("*.jsonl")):
            for number, line in _lines(file):
                try:
                    _journal_entry(line)
                except ValueError:
                    damage.append(Damage(file, f"line {number} does not have the hash that it names"))
        wanted: dict[str, int] = {}
        gone: frozenset[str] = frozenset() if damage else self._gone()
        for file in self._months():
            for number, line in _lines(file):
                try:
                    document = Document.from_line(line)
                except (ValueError, ValidationError):
                    damage.append(Damage(file, f"line {number} is not the document that it names"))
                    continue
                if document.document_id not in gone:
                    wanted.update((part.sha256, part.byte_length) for part in document.parts)
        present: set[str] = set()
        for path in self.blobs():
            present.add(path.name)
            with _storage(path):
                found, length = _hash_of(path)
            if found != path.name:
                damage.append(Damage(path, "its bytes do not have the hash that names it"))
            elif wanted.get(path.name, length) != length:
                damage.append(Damage(path, "it is not as long as its document says"))
        damage += [Damage(self._blob_path(sha256), "it is missing") for sha256 in sorted(wanted.keys() - present)]
        return damage

    def _months(self) -> list[Path]:
        return sorted(self._documents.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9].jsonl"))

    def _blob_path(self, sha256: str) -> Path:
        if len(sha256) != _SHA256_LENGTH or not set(sha256) <= set("0123456789abcdef"):
            raise ValueError("a blob is named by 64 hexadecimal digits")
        return self._directory / sha256[:2] / sha256

    def _is_here(self, final: Path, blob: Blob) -> bool:
        try:
            length = final.stat().st_size
        except FileNotFoundError:
            return False
        if length != blob.byte_length:
            raise StorageError(
                f"The archived file {final} was altered: it holds {length} bytes instead of {blob.byte_length}.",
                remedy="Restore it from a backup; `jiko verify` lists every damaged file.",
            )
        return True

    def _write_temporary(self, directory: Path, body: bytes) -> Path:
        temporary = directory / f".{uuid.uuid4().hex}"
        try:
            handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            with open(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
                failpoint("blob-written")
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return temporary

    def _settle(self, temporary: Path, final: Path) -> None:
        # A rename would replace a blob that another process has put here meanwhile; both have the same bytes.
        temporary.rename(final)
        failpoint("blob-settled")
        _sync_directory(final.parent)

    def _make_directory(self, directory: Path) -> None:
        if directory in self._made:
            return
        missing = [parent for parent in (directory, *directory.parents) if not parent.is_dir()]
        for parent in reversed(missing):
            parent.mkdir(mode=0o700, exist_ok=True)
            _sync_directory(parent.parent)
        self._made.add(directory)

    def _append(self, file: Path, lines: bytes) -> None:
        with _storage(file):
            self._make_directory(file.parent)
            append_durably(file, lines)
            failpoint("document-recorded")


def _journal_line(entry: Mapping[str, Any]) -> bytes:
    body = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f'{{"sha256":"{hashlib.sha256(body.encode()).hexdigest()}","entry":{body}}}\n'.encode()


def _journal_entry(line: bytes) -> dict[str, Any]:
    said = json.loads(line)
    if not isinstance(said, dict) or not isinstance(said.get("entry"), dict) or _journal_line(said["entry"]) != line:
        raise ValueError("the line does not have the hash that it names")
    return dict(said["entry"])


def append_durably(file: Path, lines: bytes) -> None:
    """Adds whole lines to the end of `file` (made with mode 0600), synced to disk; all of them or none.

    A last line that a dying process left without its end goes first. Raises OSError.
    """
    new = not file.exists()
    handle = os.open(file, os.O_CREAT | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        end = _drop_torn_line(handle, file)
        try:
            _write_all(handle, lines)
            os.fsync(handle)
        except OSError:
            with suppress(OSError):
                os.ftruncate(handle, end)
            raise
    finally:
        os.close(handle)
    if new:
        _sync_directory(file.parent)


def _write_all(handle: int, body: bytes) -> None:
    view = memoryview(body)
    while view:
        view = view[os.write(handle, view) :]


def _drop_torn_line(handle: int, file: Path) -> int:
    """Cut off a last line without a line end, left by a process that died in its write; the end of the file."""
    end = os.lseek(handle, 0, os.SEEK_END)
    if end == 0 or os.pread(handle, 1, end - 1) == b"\n":
        return end
    start = end
    whole = 0
    while start > 0 and whole == 0:
        length = min(_CHUNK_BYTES, start)
        start -= length
        whole = os.pread(handle, length, start).rfind(b"\n") + 1
    kept = start + whole
    os.ftruncate(handle, kept)
    _log.warning("The last line of %s was never completed; its %d bytes were dropped.", file, end - kept)
    return kept


_HEAD: Final = re.compile(
    rb'\{"document_id":"[0-9a-f]{64}","sha256":"[0-9a-f]{64}","kind":"([A-Z0-9_]+)","customer_id":"[^"\\]*",'
    rb'"pocket_id":(?:null|"[^"\\]*"),"first":(?:null|"([0-9-]{10})"),"last":(?:null|"([0-9-]{10})"),'
)


class _Wanted:
    """Which documents are asked for.

    Most that are not are told by the first fields of their line: reading a line whole takes many times as long, and an
    archive of years has tens of thousands of them.
    """

    def __init__(self, kinds: Collection[str] | None, overlapping: tuple[date, date] | None) -> None:
        self._asked = kinds, overlapping
        self._kinds = None if kinds is None else {kind.encode() for kind in kinds}
        self._days = None if overlapping is None else tuple(day.isoformat().encode() for day in overlapping)

    def takes(self, document: Document) -> bool:
        """True for a document that is asked for."""
        kinds, days = self._asked
        if kinds is not None and document.kind not in kinds:
            return False
        if days is None or document.first is None or document.last is None:
            return True
        return document.first <= days[1] and days[0] <= document.last

    def excludes(self, line: bytes) -> bool:
        """True when the line's document is certainly not asked for."""
        if self._kinds is None and self._days is None:
            return False
        head = _HEAD.match(line)
        if head is None:
            return False
        kind, first, last = head.groups()
        if self._kinds is not None and kind not in self._kinds:
            return True
        if self._days is None or first is None or last is None:
            return False
        return bool(last < self._days[0] or first > self._days[1])


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    with _storage(file), file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.endswith(b"\n"):
                yield number, line
            else:
                _log.warning("Line %d of %s was never completed and is passed over.", number, file)


def _hash_of(path: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    length = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            length += len(chunk)
    return digest.hexdigest(), length


def _world_of(file: Path) -> WorldIdentity | None:
    try:
        fields: Any = json.loads(file.read_bytes())
        return WorldIdentity(**fields)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise StorageError(
            f"The file {file} no longer says which bank this is.", remedy="Restore it from a backup."
        ) from None


def _named(world: WorldIdentity) -> str:
    if world.api_origin == "simulator":
        return f"the simulated bank {world.world_id[:12]}"
    return f"the {world.environment} bank at {world.api_origin}"


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _storage(path: Path) -> Iterator[None]:
    """Turn a failure of the file system into StorageError with the file's name."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"The archive cannot use {path}: {error.strerror or error}.") from None
