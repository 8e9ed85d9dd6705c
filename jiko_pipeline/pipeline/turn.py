"""Turns at the warehouse: one window at a time goes from its first load to its publishing.

Belongs here: taking, keeping and ending a turn. Does not belong here: the lock of the one writer
(`jiko_pipeline.warehouse.file`), which is held for one step only.

A window that is half loaded looks like documents that have not arrived: another run that judged or published
meanwhile would tell of breaks that are none. So a process keeps its turn over all steps from the first load on;
fetching is done beside others. The kernel ends the turn of a process that dies.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Final

from jiko_pipeline.pipeline.recovery import make_whole
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.lock import writer_lock
from jiko_pipeline.warehouse.world import make_private_directory

_LONGEST_WAIT_SECONDS: Final = 3600.0
"""A window before this one may be a large one."""

_turns: Final[dict[Path, ExitStack]] = {}
"""The turns that this process has, by lock file."""


def take_turn(settings: Settings, *, heal: bool = True) -> None:
    """Waits until no other process has a turn in the data directory; nothing when this process has it already.

    A warehouse that has lost what it acknowledged is made anew first, unless not to `heal` it. Raises
    AlreadyRunningError, naming the process that has it, after an hour; DamagedWarehouseError.
    """
    lock = _lock_file(settings)
    if lock in _turns:
        return
    make_private_directory(lock.parent)
    with ExitStack() as turn:
        turn.enter_context(writer_lock(lock, _LONGEST_WAIT_SECONDS))
        if heal:
            make_whole(settings)
        _turns[lock] = turn.pop_all()


def end_turn(settings: Settings) -> None:
    """Lets the next one in; nothing when this process has no turn."""
    turn = _turns.pop(_lock_file(settings), None)
    if turn is not None:
        turn.close()


def _lock_file(settings: Settings) -> Path:
    return settings.warehouse_file.parent / "window.lock"
