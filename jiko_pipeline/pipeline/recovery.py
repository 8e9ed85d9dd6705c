"""A warehouse that has lost what it acknowledged is made anew before anybody works with it.

Belongs here: noticing the loss at the start of a turn, telling it, and doing what is to be done. Does not belong here:
making a warehouse anew (`rebuilding`), how a loss shows (`jiko_pipeline.warehouse.commits`).

A loss is repaired without a person, since what is left is a whole file of an earlier moment. A file whose bytes have
changed is not: why they did is for a person to look into, and `jiko rebuild` to mend.
"""

import logging

from jiko_pipeline.archive import Archive
from jiko_pipeline.pipeline.rebuilding import Rebuilt, rebuild
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.commits import CommitLog, LostCommitsError
from jiko_pipeline.warehouse.file import Warehouse
from jiko_pipeline.warehouse.world import identity_of

_log = logging.getLogger(__name__)


def make_whole(settings: Settings) -> Rebuilt | None:
    """Makes the warehouse anew when it lacks what it acknowledged or is gone; None when nothing is amiss.

    The caller has the turn. Raises DamagedWarehouseError for a file whose bytes have changed.
    """
    try:
        _refuse_loss(settings)
    except LostCommitsError as loss:
        _log.warning("%s It is made anew from the archive now.", loss)
        rebuilt = rebuild(settings)
        _log.warning(
            "The warehouse was made anew from %d documents and %d entries of the journals.",
            rebuilt.documents,
            rebuilt.from_journals,
        )
        return rebuilt
    return None


def _refuse_loss(settings: Settings) -> None:
    warehouse = Warehouse(settings)
    if warehouse.path.exists():
        world = identity_of(settings.data_dir)
        if world is not None:
            with warehouse.locked(), warehouse.opened(world):
                pass
        return
    CommitLog(warehouse.path).refuse_loss(None)
    if settings.published_file.exists() or Archive(settings.archive_dir).journals():
        raise LostCommitsError(f"The warehouse {warehouse.path} is gone.")
