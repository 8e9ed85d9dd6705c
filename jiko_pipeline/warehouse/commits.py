"""The count of commits, in the warehouse's file and beside it, so that a loss is noticed.

Belongs here: the count, the log beside the file, comparing the two. Does not belong here: what is done about a loss
(`jiko_pipeline.pipeline.recovery`).

DuckDB opens a file whose write-ahead log was cut, emptied or removed without a word, and what was acknowledged is
gone. So every transaction counts itself in the file, and as soon as it is durable a line in `commits.jsonl`, which is
only ever appended to and synced, says how far the file has come. A file that has come less far has lost something; one
that has come further was in the hands of a process that died before it wrote the line.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from jiko_pipeline.archive import append_durably
from jiko_pipeline.errors import StorageError
from jiko_pipeline.failpoints import failpoint

LOG_NAME: Final = "commits.jsonl"
_TAIL_BYTES: Final = 4096
"""More than two lines of the log."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a file has come: which file, and its number of commits."""

    file_id: str
    commits: int


class LostCommitsError(StorageError):
    """The warehouse lacks what it acknowledged, or is gone as a whole. Its archive has all of it."""

    means = "Nothing is lost for good: the archive has every document and every decision."
    remedy = "Run `jiko sync`, which makes the warehouse anew from the archive by itself, or `jiko rebuild`."


class CommitLog:
    """The log beside the file of a warehouse."""

    def __init__(self, warehouse_file: Path) -> None:
        self._file = warehouse_file
        self.path = warehouse_file.with_name(LOG_NAME)

    def last(self) -> Mark | None:
        """What the last whole line says; None where there is no log yet. Raises StorageError for a line that is none.

        A last line without its end was never acknowledged and counts as not written.
        """
        try:
            with self.path.open("rb") as log:
                log.seek(max(log.seek(0, os.SEEK_END) - _TAIL_BYTES, 0))
                tail = log.read()
        except FileNotFoundError:
            return None
        lines = tail[: tail.rfind(b"\n") + 1].splitlines()
        if not lines:
            return None
        try:
            said = json.loads(lines[-1])
            return Mark(str(said["file"]), int(said["commits"]))
        except (ValueError, KeyError, TypeError):
            raise StorageError(
                f"The last line of {self.path} does not say how far the warehouse has come.",
                remedy="Run `jiko rebuild`.",
            ) from None

    def append(self, mark: Mark) -> None:
        """Enters how far the file has come, synced to disk."""
        line = {"file": mark.file_id, "commits": mark.commits, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        append_durably(self.path, json.dumps(line).encode() + b"\n")

    def refuse_loss(self, held: Mark | None) -> bool:
        """Raises LostCommitsError when `held` is not as far as the log; True when the log is to be brought up to it.

        `held` is what the file says, None for a file that is not there or from before there was such a count.
        """
        told = self.last()
        if told is None:
            return held is not None
        if not self._file.exists():
            raise LostCommitsError(f"The warehouse {self._file} is gone.")
        if held is None:
            raise LostCommitsError(f"The warehouse {self._file} is not the file that it was: it counts no commits.")
        if held.file_id != told.file_id:
            raise LostCommitsError(f"The warehouse {self._file} is not the file that was there last.")
        if held.commits < told.commits:
            raise LostCommitsError(
                f"The warehouse {self._file} has lost its last {told.commits - held.commits} commits: it holds"
                f" {held.commits} and had acknowledged {told.commits}. Its write-ahead log was cut, emptied or removed,"
                " or the file is an older copy."
            )
        return held.commits > told.commits


class CountedCommits:
    """Counts the commits of one connection, in the file and in the log."""

    def __init__(self, log: CommitLog, mark: Mark) -> None:
        self._log = log
        self._mark = mark
        self.has_committed = False

    def count(self, con: duckdb.DuckDBPyConnection) -> None:
        """Counts the transaction that is open."""
        con.execute("update meta.world set commit_count = ?", [self._mark.commits + 1])

    def record(self) -> None:
        """Says beside the file that this transaction is durable."""
        failpoint("commit-counted")
        self._mark = Mark(self._mark.file_id, self._mark.commits + 1)
        self._log.append(self._mark)
        self.has_committed = True


def mark_of(con: duckdb.DuckDBPyConnection) -> Mark | None:
    """How far the file has come; None for a file from before there was such a count."""
    try:
        ((file_id, commits),) = con.execute("select file_id, commit_count from meta.world").fetchall()
    except duckdb.BinderException:
        return None
    return None if file_id is None or commits is None else Mark(file_id, commits)
