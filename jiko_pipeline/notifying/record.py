"""The record of deliveries: one line of JSON for each notice and way out, sent or not.

Belongs here: appending and reading lines of `notices.jsonl` in the data directory. Does not belong here: sending.

A notice that was told is not told again: the record remembers the ids of the breaks that each line was about.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jiko_pipeline.errors import StorageError
from jiko_pipeline.notifying.notice import Notice
from jiko_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a notice on one way out. `why` is a sentence, empty where it was sent."""

    channel: str
    sent: bool
    why: str = ""


def record_file(settings: Settings) -> Path:
    """The file of a profile's deliveries."""
    suffix = "" if settings.profile == "default" else f"-{settings.profile}"
    return settings.data_dir / f"notices{suffix}.jsonl"


def enter(settings: Settings, notice: Notice, deliveries: tuple[Delivery, ...]) -> None:
    """Appends a line for each delivery, synced to disk. Raises StorageError."""
    lines = b"".join(
        json.dumps(
            {
                "at": notice.at.isoformat(),
                "kind": notice.kind.value,
                "summary": notice.summary,
                "run_id": notice.run_id,
                "subjects": list(notice.subjects),
                **asdict(delivery),
            },
            ensure_ascii=False,
        ).encode()
        + b"\n"
        for delivery in deliveries
    )
    file = record_file(settings)
    try:
        handle = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            os.write(handle, lines)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise StorageError(f"The record of notices {file} cannot be written: {error.strerror}.") from None


def entered(settings: Settings) -> Iterator[dict[str, Any]]:
    """The lines so far, oldest first; what is no line of ours is passed over. Raises StorageError."""
    file = record_file(settings)
    try:
        lines = file.read_bytes().splitlines() if file.exists() else []
    except OSError as error:
        raise StorageError(f"The record of notices {file} cannot be read: {error.strerror}.") from None
    for line in lines:
        try:
            stated = json.loads(line)
        except ValueError:
            # A line that a power cut ended early.
            continue
        if isinstance(stated, dict):
            yield stated


def told_subjects(settings: Settings) -> frozenset[str]:
    """Ids of the breaks that somebody was told of, on one way out at least."""
    return frozenset(
        subject
        for line in entered(settings)
        if line.get("sent") is True
        for subject in line.get("subjects", ())
        if isinstance(subject, str)
    )
