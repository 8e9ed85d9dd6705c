"""Can what is about to be fetched be kept? Asked before anything is.

Belongs here: writing to every directory that a run writes to, and the room that publishing needs. Does not belong
here: advice about the room of a year (`jiko doctor`).
"""

import errno
import os
import shutil
import uuid
from pathlib import Path
from typing import Final

from jiko_pipeline.errors import StorageError
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.world import make_private_directory

_PROBE: Final = bytes(65536)
_LEAST_FREE_BYTES: Final = 16 << 20


def refuse_unusable(settings: Settings) -> None:
    """Raises StorageError, naming the directory, when a run could not write all that it has to."""
    for directory in (settings.published_file.parent, settings.archive_dir, settings.warehouse_file.parent):
        _refuse_unwritable(directory)
    needed = _LEAST_FREE_BYTES
    if settings.warehouse_file.exists():
        needed += settings.warehouse_file.stat().st_size
    free = shutil.disk_usage(settings.data_dir).free
    if free < needed:
        raise StorageError(
            f"The disk of {settings.data_dir} has {free >> 20} MiB free; publishing needs {needed >> 20} MiB.",
            means="Nothing was fetched; today's figures are as they were.",
            remedy="Give the disk room (`jiko prune` says what can go), and run the same command again.",
        )


def _refuse_unwritable(directory: Path) -> None:
    probe = directory / f".probe-{uuid.uuid4().hex}"
    try:
        make_private_directory(directory)
        descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            if os.write(descriptor, _PROBE) < len(_PROBE):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
            probe.unlink()
    except OSError as error:
        raise StorageError(
            f"The directory {directory} cannot be written: {error.strerror or type(error).__name__}.",
            means="Nothing was fetched; today's figures are as they were.",
            remedy="Make it writable for this user and give it room, and run the same command again.",
        ) from None
