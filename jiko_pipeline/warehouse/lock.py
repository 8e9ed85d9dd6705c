"""The one writer: an advisory lock on a file that says who holds it and since when.

Belongs here: taking and leaving the lock. Does not belong here: what is done meanwhile.
"""

import fcntl
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jiko_pipeline.bank.processes import is_alive, own_mark
from jiko_pipeline.errors import AlreadyRunningError

_PAUSE_SECONDS: Final = 0.02
_LONGEST_PAUSE_SECONDS: Final = 0.5
_log = logging.getLogger(__name__)


@contextmanager
def writer_lock(
    path: Path,
    wait_seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Holds the lock on `path` (mode 0600) for as long as the block runs.

    The kernel drops the lock with the process, so a killed holder never blocks anyone; that its lock was taken over
    is logged. Raises AlreadyRunningError, naming the holder's process id and start, after `wait_seconds`.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = clock() + wait_seconds
        pause = _PAUSE_SECONDS
        while not _taken(descriptor):
            left = deadline - clock()
            if left <= 0:
                raise AlreadyRunningError(
                    f"Another process writes to this data directory: {_holder(path)}.",
                    means="Nothing of today's figures has changed by this command.",
                )
            sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
        _tell_of_takeover(path)
        stated = {
            "pid": os.getpid(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
            "process": own_mark(),
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(stated).encode(), 0)
        try:
            yield
        finally:
            # An empty file says that the last holder gave the lock back.
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def holder_of(path: Path) -> str | None:
    """Who holds the lock on `path`, for a sentence; None when nobody does.

    The lock itself is tried for an instant, and only while the process that stated itself last is alive, so that
    looking keeps nobody out.
    """
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        os.kill(int(stated["pid"]), 0)
    except PermissionError:
        pass  # it lives, as another user
    except (OSError, ValueError, KeyError, TypeError):
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return None if _taken(descriptor) else _holder(path)
    finally:
        os.close(descriptor)


def _tell_of_takeover(path: Path) -> None:
    """Logs that the lock was left behind by a process that is gone. A lock of nobody, or given back, is no news."""
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        if is_alive(str(stated["process"])):
            return
    except (OSError, ValueError, KeyError, TypeError):
        return
    _log.warning(
        "The lock %s of %s was taken over: that process has ended without giving it back.", path, _holder(path)
    )


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> str:
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        return f"process {stated['pid']}, since {stated['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that has not yet said who it is"
