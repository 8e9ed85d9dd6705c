"""What became of every request to the bank, one line each, so that no trouble goes by without an ending.

Belongs here: the names that requests go out under, their endings, the files that these are kept in and read from.
Does not belong here: deciding what is tried again (`api`, `downloads`, `sign_in`).

Each try is a request of its own with its own name (`X-Request-Id`), under which the bank and its storage can find it
in their logs too. Lines are added, never changed: the last line of a request counts. A request that was answered may
turn out later to be of no use, as a page that is no page, and one that failed may be made good by another way, as an
order whose answer was lost and that is found in the listing; such requests belong to one course.
"""

import json
import os
import threading
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from jiko_pipeline.bank.clock import Clock
from jiko_pipeline.bank.private_files import private_directory
from jiko_pipeline.bank.processes import own_mark
from jiko_pipeline.errors import ExitCode, JikoPipelineError, StorageError

HEADER: Final = "X-Request-Id"
KEPT_DAYS: Final = 30
"""Files of days before that are removed when a log is opened."""

ThingT = TypeVar("ThingT")


class Ending(StrEnum):
    """How a request ended for us."""

    ANSWERED = "ANSWERED"
    """It came through and what it brought was taken."""
    RECOVERED = "RECOVERED"
    """It did not, and another request brought the same within the run."""
    WAITED = "WAITED"
    """It did not; the next run takes it up."""
    QUARANTINED = "QUARANTINED"
    """What it brought cannot be trusted and is kept out."""
    FAILED = "FAILED"
    """It ended the work with an error of another type: credentials, settings, storage."""


_TROUBLED: Final = frozenset({Ending.WAITED, Ending.QUARANTINED, Ending.FAILED})


def ending_of(error: BaseException) -> Ending:
    """The ending of a request whose work an error ended."""
    code = error.exit_code if isinstance(error, JikoPipelineError) else ExitCode.DEFECT
    if code is ExitCode.TRY_LATER:
        return Ending.WAITED
    return Ending.QUARANTINED if code is ExitCode.NOT_PROVED else Ending.FAILED


@dataclass(slots=True, eq=False)
class LoggedRequest:
    """One request. `trouble` is what was the matter with it; `sha256` that of the file that it brought."""

    request_id: str
    operation: str
    at: datetime
    ending: Ending = Ending.FAILED
    trouble: str | None = None
    sha256: str | None = None

    def line(self) -> bytes:
        """The request as it is kept."""
        told = {
            "at": self.at.isoformat(timespec="milliseconds"),
            "request_id": self.request_id,
            "operation": self.operation,
            "ending": self.ending.value,
            "trouble": self.trouble,
            "sha256": self.sha256,
        }
        kept = {name: value for name, value in told.items() if value is not None}
        return json.dumps(kept, separators=(",", ":")).encode() + b"\n"


@dataclass(slots=True)
class Tries:
    """The tries of one call."""

    operation: str
    clock: Clock
    requests: list[LoggedRequest] = field(default_factory=list)

    def begin(self) -> str:
        """The name of a new try."""
        self.requests.append(LoggedRequest(uuid.uuid4().hex, self.operation, self.clock.wall()))
        return self.requests[-1].request_id

    def trouble(self, what: str) -> None:
        """Say why the present try is of no use; another may follow."""
        self.requests[-1].trouble = what

    def brought(self, sha256: str) -> None:
        """Say which file the present try brought."""
        self.requests[-1].sha256 = sha256

    def end(self, error: BaseException | None) -> None:
        """Give each try its ending."""
        if not self.requests:
            return
        *earlier, last = self.requests
        gave_up = error is not None and last.trouble is not None
        for request in earlier:
            request.ending = ending_of(error) if error is not None and gave_up else Ending.RECOVERED
        last.ending = Ending.ANSWERED if error is None else ending_of(error)
        if error is not None and last.trouble is None:
            last.trouble = _sentence(error)


class RequestLog:
    """The log of one connection. Thread-safe; without a directory nothing is kept.

    Raises StorageError when a line cannot be written.
    """

    def __init__(self, directory: Path | None, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._courses = threading.local()
        self._directory = None if directory is None else private_directory(directory)
        self._mark = own_mark().replace(":", "-")
        if directory is not None:
            _remove_before(directory, clock.wall().date() - timedelta(days=KEPT_DAYS))

    @contextmanager
    def tries(self, operation: str) -> Iterator[Tries]:
        """A call, all of whose tries are entered when the block ends."""
        made = Tries(operation, self._clock)
        error: BaseException | None = None
        try:
            yield made
        except BaseException as raised:
            error = raised
            raise
        finally:
            made.end(error)
            for course in self._open_courses():
                course.extend(made.requests)
            self._write(made.requests)

    @contextmanager
    def course(self) -> Iterator[None]:
        """Several calls for one purpose, in this thread.

        When the block ends well, what failed within it was recovered; when it ends in an error of its own, that is
        the ending of the last request, which brought what could not be used.
        """
        requests: list[LoggedRequest] = []
        with self._within(requests):
            yield
        self._made_good(requests)

    def pieces(self, things: Iterator[ThingT]) -> Iterator[ThingT]:
        """The things of an iterator as they come, its calls being one course.

        What else the thread calls between two things is no part of it.
        """
        requests: list[LoggedRequest] = []
        while True:
            with self._within(requests):
                try:
                    thing = next(things)
                except StopIteration:
                    break
            yield thing
        self._made_good(requests)

    def unusable(self, why: str) -> None:
        """Say that the last answer of the courses that are open brought something that is kept out."""
        for requests in self._open_courses():
            if requests and requests[-1].ending is not Ending.QUARANTINED:
                requests[-1].ending, requests[-1].trouble = Ending.QUARANTINED, why
                self._write(requests[-1:])
            # Nothing that follows makes it good.
            del requests[-1:]

    @contextmanager
    def _within(self, requests: list[LoggedRequest]) -> Iterator[None]:
        open_courses = self._open_courses()
        open_courses.append(requests)
        try:
            yield
        except BaseException as error:
            if requests and requests[-1].ending is Ending.ANSWERED:
                requests[-1].ending = ending_of(error)
                requests[-1].trouble = _sentence(error)
                self._write(requests[-1:])
            raise
        finally:
            open_courses.pop()

    def _made_good(self, requests: Iterable[LoggedRequest]) -> None:
        recovered = [request for request in requests if request.ending in _TROUBLED]
        for request in recovered:
            request.ending = Ending.RECOVERED
        self._write(recovered)

    def _open_courses(self) -> list[list[LoggedRequest]]:
        if not hasattr(self._courses, "open"):
            self._courses.open = []
        found: list[list[LoggedRequest]] = self._courses.open
        return found

    def _write(self, requests: Iterable[LoggedRequest]) -> None:
        lines = b"".join(request.line() for request in requests)
        if self._directory is None or not lines:
            return
        file = self._directory / f"{self._clock.wall().date()}-{self._mark}.jsonl"
        try:
            with self._lock:
                handle = os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
                try:
                    os.write(handle, lines)
                finally:
                    os.close(handle)
        except OSError as error:
            raise StorageError(f"The request log {file} cannot be written: {error.strerror}.") from None


def _sentence(error: BaseException) -> str:
    return str(error) if isinstance(error, JikoPipelineError) else type(error).__name__


def _remove_before(directory: Path, first_kept: date) -> None:
    for file in directory.glob("????-??-??-*.jsonl"):
        if file.name[:10] < first_kept.isoformat():
            file.unlink(missing_ok=True)


def read_requests(files: Iterable[Path]) -> dict[str, LoggedRequest]:
    """The requests of log files by their names, each as its last line has it.

    A last line that a dying process did not finish is passed over.
    """
    found: dict[str, LoggedRequest] = {}
    for file in files:
        for line in file.read_bytes().split(b"\n")[:-1]:
            told = json.loads(line)
            found[told["request_id"]] = LoggedRequest(
                told["request_id"],
                told["operation"],
                datetime.fromisoformat(told["at"]),
                Ending(told["ending"]),
                told.get("trouble"),
                told.get("sha256"),
            )
    return found


def endings_of_this_process(directory: Path) -> Counter[Ending]:
    """How many requests of this process ended how, over all of its connections."""
    mark = own_mark().replace(":", "-")
    return Counter(request.ending for request in read_requests(directory.glob(f"*-{mark}.jsonl")).values())
