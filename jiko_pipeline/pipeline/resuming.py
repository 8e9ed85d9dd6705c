"""Which windows of a range an interrupted sync has done, so that the same command takes up where that one ended.

Belongs here: the file `sync-progress.json` in the data directory. Does not belong here: doing windows (`sync`), the
lock that keeps a second sync out (`cli`).

The record stands for a day: later, and after a sync that came to its end, the same command does everything again,
because what the bank says of those days may have changed.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from jiko_pipeline.errors import ExitCode
from jiko_pipeline.pipeline.sync import WindowOutcome
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline.settings import Settings
from jiko_pipeline.warehouse.file import package_version

_STANDS_FOR: Final = timedelta(days=1)


@dataclass(slots=True)
class SyncRecord:
    """The windows of a range that are done, each with the exit code it ended with."""

    file: Path
    asked: dict[str, str]
    done: dict[Window, ExitCode] = field(default_factory=dict)

    def enter(self, outcome: WindowOutcome, now: datetime) -> None:
        """Records a window, unless a later run can fetch what it lacks."""
        if outcome.unfinished or outcome.exit_code in (ExitCode.TRY_LATER, ExitCode.CREDENTIALS_OR_SETTINGS):
            return
        self.done[outcome.window] = outcome.exit_code
        stated = {
            **self.asked,
            "at": now.isoformat(),
            "done": [[str(window.first), str(window.last), int(code)] for window, code in self.done.items()],
        }
        draft = self.file.with_suffix(".draft")
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as written:
            json.dump(stated, written)
        # A power cut may lose the latest of it: then a window is done once more, and gives the same.
        draft.replace(self.file)

    def close(self, windows: Sequence[Window]) -> None:
        """Forgets the record when every window of the range is done."""
        if all(window in self.done for window in windows):
            self.file.unlink(missing_ok=True)


def record_of(settings: Settings, windows: Sequence[Window], reason: str, now: datetime) -> SyncRecord:
    """The record of this very range: with what an interrupted run has done, or empty."""
    suffix = "" if settings.profile == "default" else f"-{settings.profile}"
    asked = {
        "first": str(windows[0].first),
        "last": str(windows[-1].last),
        "reason": reason,
        "version": package_version(),
    }
    record = SyncRecord(settings.data_dir / f"sync-progress{suffix}.json", asked)
    stated = _read(record.file)
    if stated is None or any(stated.get(name) != value for name, value in asked.items()):
        return record
    if not settings.warehouse_file.exists():
        return record
    try:
        if not timedelta(0) <= now - datetime.fromisoformat(stated["at"]) <= _STANDS_FOR:
            return record
        done = {(first, last): ExitCode(code) for first, last, code in stated["done"]}
    except (KeyError, TypeError, ValueError):
        return record
    record.done = {window: done[key] for window in windows if (key := (str(window.first), str(window.last))) in done}
    return record


def _read(file: Path) -> dict[str, Any] | None:
    try:
        stated = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return stated if isinstance(stated, dict) else None
