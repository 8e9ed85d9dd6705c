"""Failpoints: steps of the pipeline at which a test lets the process die or the machine fail.

Belongs here: the names, each with what it stands for, and what happens at one. Does not belong here: where they
are; each step calls `failpoint` with its name.

`JIKO_FAILPOINT=NAME:N` ends the process at the N-th pass of a step, without a word and without tidying up;
`NAME:N:KIND` raises what a full disk (enospc), a failing disk (eio) or a lack of memory (memory) raises. The
variable is read when this module is imported; without it a failpoint costs one comparison.
"""

import errno
import os
import threading
from collections.abc import Mapping
from typing import Final

from jiko_pipeline.errors import SettingsError

VARIABLE: Final = "JIKO_FAILPOINT"
EXIT_CODE: Final = 137
"""What a shell says of a process that was killed."""

FAILPOINTS: Final[Mapping[str, str]] = {
    "sign-in-token-taken": "the bank gave a token that nobody has used yet",
    "order-claimed": "an order is claimed in the book and not yet sent",
    "order-sent": "the bank has taken an order and the book does not know its request",
    "order-recorded": "the book knows the request of an order",
    "request-polled": "what the bank says of a request was read",
    "download-begun": "a file is being written and not complete",
    "download-complete": "a file is complete and synced, outside the archive",
    "blob-written": "bytes are in the archive's directory under a temporary name",
    "blob-settled": "bytes are in the archive and no document names them",
    "document-recorded": "a document is in the archive's list",
    "blob-read": "archived bytes are about to be read",
    "report-delivered": "all files of an order are archived and the book does not know it",
    "delivery-recorded": "the book knows that an order was delivered",
    "page-archived": "a page of a listing is archived and the next one is not asked for yet",
    "commit-counted": "a transaction is durable in the file, and the log beside it does not say so yet",
    "migration-before-commit": "the schema of an older file is changed within its transaction",
    "migration-committed": "the schema of an older file is changed, and that is in the write-ahead log",
    "warehouse-born": "the warehouse has its tables and not yet its reference data",
    "load-begun": "the transaction of a load is open and empty",
    "load-before-commit": "a load is complete within its transaction",
    "load-committed": "a load is committed and not yet counted again",
    "build-before-commit": "facts are built within their transaction",
    "build-committed": "facts are built and committed",
    "controls-before-commit": "results and events of breaks are written within their transaction",
    "controls-committed": "results and events of breaks are committed",
    "close-before-commit": "daily closes are built within their transaction",
    "close-committed": "daily closes are committed",
    "journal-behind": "decisions and events are in the warehouse and not yet in the archive's journal",
    "rebuild-built": "a warehouse made anew from the archive is complete, beside the old one",
    "rebuild-set-aside": "the old warehouse has lost its log to the folder of what was set aside",
    "rebuild-replaced": "the warehouse made anew is in its place and not yet published",
    "publish-before-checkpoint": "everything is committed and the last of it is in the write-ahead log",
    "publish-checkpointed": "the warehouse is one file, to be copied",
    "publish-block-copied": "a part of the copy is written",
    "publish-copied": "the copy is complete and not yet verified",
    "publish-verified": "the copy is verified and not yet in its place",
    "publish-renamed": "the copy is in its place, and that is not yet durable",
    "publish-recorded": "what was published is written down",
}
"""Every failpoint by name: the state of things when it is passed."""


def _armed(stated: str | None) -> tuple[str, int, str] | None:
    """(name, pass, kind) of the variable's value. Raises SettingsError for one that says nothing usable."""
    if not stated:
        return None
    name, _, rest = stated.partition(":")
    number, _, kind = (rest or "1").partition(":")
    kind = kind or "exit"
    if name not in FAILPOINTS or not number.isdecimal() or int(number) < 1 or kind not in _KINDS:
        raise SettingsError(
            f"{VARIABLE} must be NAME:N or NAME:N:KIND, of a step that there is and one of {', '.join(_KINDS)}."
        )
    return name, int(number), kind


_KINDS: Final = ("exit", "enospc", "eio", "memory")
_ARMED: Final = _armed(os.environ.get(VARIABLE))
_passes: Final[list[None]] = []
_lock: Final = threading.Lock()


def failpoint(name: str) -> None:
    """Nothing, unless this is the pass at which `JIKO_FAILPOINT` asks this step to fail."""
    if _ARMED is None or _ARMED[0] != name:
        return
    _, wanted, kind = _ARMED
    with _lock:
        _passes.append(None)
        if len(_passes) != wanted:
            return
        if kind == "exit":
            os._exit(EXIT_CODE)
    if kind == "memory":
        raise MemoryError(f"failpoint {name}")
    number = errno.ENOSPC if kind == "enospc" else errno.EIO
    raise OSError(number, os.strerror(number))
