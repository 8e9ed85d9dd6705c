"""Backing up what cannot be had again, and bringing it back.

Belongs here: which files these are, copying and verifying them, the list of a back-up. Does not belong here: making a
warehouse from them (`rebuilding`).

What is backed up: the archive (every byte and every journal of decisions), the files of sign-offs, the world, and the
settings without what signs us in. All else (warehouse, published file, orders, Dagster's history) follows from these
or from the bank. A back-up is a plain directory with a list that `sha256sum -c SHA256SUMS` checks; backing up into it
again copies what is new.
"""

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jiko_pipeline.archive import Archive
from jiko_pipeline.errors import ExitCode, JikoPipelineError, StorageError
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.world import (
    WORLD_FILE,
    World,
    fsync_directory,
    make_private_directory,
    refuse_other_world,
)

LIST_NAME: Final = "SHA256SUMS"
SETTINGS_NAME: Final = "settings.json"
_SIGNOFFS: Final = "signoff"
_NOT_TOLD: Final = frozenset({"client_id", "key_id", "private_key_file", "webhook_secret_file", "data_dir"})


class BackupError(StorageError):
    """A back-up does not hold what its list names, or a file to be backed up is damaged."""

    means = "The data directory is as it was."
    remedy = "Back up again into another directory, or restore from another back-up."


class NotEmptyError(JikoPipelineError):
    """A back-up is only brought into a directory that holds nothing yet."""

    exit_code = ExitCode.CREDENTIALS_OR_SETTINGS
    remedy = "Name an empty directory by JIKO_DATA_DIR."


@dataclass(frozen=True, slots=True)
class Copied:
    """A back-up: where, its files and bytes, how many of them were copied now; all of them verified by their hashes.

    `other_settings` are names of settings that are not as they were when it was made.
    """

    directory: Path
    files: int
    byte_length: int
    copied: int
    other_settings: tuple[str, ...] = ()


def back_up(settings: Settings, directory: Path) -> Copied:
    """Copies the archive, sign-offs, world and settings into `directory` and reads every copy again.

    Work that goes on meanwhile does no harm: lists are copied first, then the bytes that they name. Raises BackupError,
    StorageError when there is nothing to back up or the directory cannot be written.
    """
    archive = Archive(settings.archive_dir)
    if archive.world is None:
        raise StorageError(f"There is no archive in {settings.data_dir} to back up.")
    target = directory.absolute()
    if target.is_relative_to(settings.data_dir) or settings.data_dir.is_relative_to(target):
        raise BackupError(
            f"{target} and the data directory {settings.data_dir} lie in one another.",
            remedy="Name a directory elsewhere, on another disk where there is one.",
        )
    before = os.umask(0o077)
    try:
        make_private_directory(target)
        sums: dict[str, str] = {}
        copied = 0
        for name, body in _texts(settings, archive):
            sums[name] = hashlib.sha256(body).hexdigest()
            copied += _put(target / name, body, sums[name])
        for sha256 in sorted(
            {part.sha256 for document in Archive(target / "archive").documents() for part in document.parts}
        ):
            name = f"archive/{sha256[:2]}/{sha256}"
            sums[name] = sha256
            if not _holds(target / name, sha256):
                _put(target / name, archive.open_blob(sha256), sha256)
                copied += 1
        text = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
        _put(target / LIST_NAME, text.encode(), hashlib.sha256(text.encode()).hexdigest())
        return Copied(target, len(sums), _verified(target, sums), copied)
    except OSError as error:
        raise BackupError(f"{error.filename or target} cannot be written: {error.strerror or error}.") from None
    finally:
        os.umask(before)


def restore(settings: Settings, directory: Path) -> Copied:
    """Brings the back-up of `directory` into the data directory of the settings, which has to be empty.

    Every file is verified before anything is written and after. Raises BackupError for a back-up that does not hold
    what it names, NotEmptyError, WorldMismatchError for one of another bank than the settings'.
    """
    source = directory.absolute()
    sums = _listed(source)
    size = _verified(source, sums)
    world = Archive(source / "archive").world
    if world is None:
        raise BackupError(f"The back-up {source} does not say which bank it is of.")
    refuse_other_world(World.of(world), World(settings.environment.value, world.api_origin, world.world_id))
    if settings.archive_dir.exists() or settings.warehouse_file.exists() or settings.published_file.exists():
        raise NotEmptyError(f"The data directory {settings.data_dir} holds something already.")
    before = os.umask(0o077)
    try:
        make_private_directory(settings.data_dir)
        # The list of documents comes last: until then the archive is one without documents, and no half of one.
        for name in sorted(sums, key=lambda name: (name.startswith("archive/documents/"), name)):
            if name != SETTINGS_NAME:
                _put(settings.data_dir / name, (source / name).read_bytes(), sums[name])
        brought = {name: digest for name, digest in sums.items() if name != SETTINGS_NAME}
        _verified(settings.data_dir, brought)
    except OSError as error:
        raise BackupError(f"{error.filename or settings.data_dir} cannot be used: {error.strerror or error}.") from None
    finally:
        os.umask(before)
    told = json.loads((source / SETTINGS_NAME).read_text(encoding="utf-8"))
    now = _told_settings(settings)
    other = tuple(sorted(name for name in told.keys() | now.keys() if told.get(name) != now.get(name)))
    return Copied(settings.data_dir, len(brought), size, len(brought), other)


def _texts(settings: Settings, archive: Archive) -> Iterator[tuple[str, bytes]]:
    """Every file that is no blob, by its name in the back-up; of lists that grow, their whole lines of now."""
    for file in archive.lists():
        body = file.read_bytes()
        yield f"archive/{file.relative_to(archive.directory)}", body[: body.rfind(b"\n") + 1]
    yield "archive/world.json", (archive.directory / "world.json").read_bytes()
    world = settings.data_dir / WORLD_FILE
    if world.exists():
        yield WORLD_FILE, world.read_bytes()
    for file in sorted((settings.data_dir / _SIGNOFFS).glob("[!.]*")):
        yield f"{_SIGNOFFS}/{file.name}", file.read_bytes()
    yield SETTINGS_NAME, (json.dumps(_told_settings(settings), indent=2, sort_keys=True) + "\n").encode()


def _told_settings(settings: Settings) -> dict[str, object]:
    return settings.model_dump(mode="json", exclude=set(_NOT_TOLD))


def _put(path: Path, body: bytes, sha256: str) -> bool:
    """Writes a file whole and durably; False when it is there already as it should be."""
    if _holds(path, sha256):
        return False
    make_private_directory(path.parent)
    draft = path.with_name(f".{uuid.uuid4().hex}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    fsync_directory(path.parent)
    return True


def _holds(path: Path, sha256: str) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def _listed(source: Path) -> dict[str, str]:
    try:
        lines = (source / LIST_NAME).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise BackupError(f"The directory {source} is no back-up: it has no readable list {LIST_NAME}.") from None
    sums = {}
    for line in lines:
        digest, _, name = line.partition("  ")
        parts = Path(name).parts
        if len(digest) != 64 or not parts or Path(name).is_absolute() or ".." in parts:
            raise BackupError(f"The list {source / LIST_NAME} has a line that names no file of a back-up.")
        sums[name] = digest
    return sums


def _verified(directory: Path, sums: dict[str, str]) -> int:
    """The bytes of all files together. Raises BackupError, naming the first that does not have its hash."""
    size = 0
    for name, digest in sums.items():
        if not _holds(directory / name, digest):
            raise BackupError(f"The file {directory / name} is missing or does not have the hash that the list names.")
        size += (directory / name).stat().st_size
    return size
