"""Time that stands while anybody works: it moves on when all who take part wait, to the earliest of their wake-ups.

Belongs here: the time of one process and its threads, the pool that says which of its threads work, and one time
for several processes and a simulated bank. Does not belong here: assertions.

Who takes part: the tasks that run in a `pool` of this time, and the thread that made the pool. A thread that takes
no part moves the time by its own sleep at once. So the wait of one thread never uses up the time that another has
for a request that is under way.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from multiprocessing.sharedctypes import SynchronizedArray
from typing import Any, Protocol

_LOOK_SECONDS = 0.005
_RUNNING, _ENDED = 0.0, -1.0


class TimeSource(Protocol):
    """What tells the time and can be moved on."""

    def now(self) -> float:
        """Seconds."""

    def all_wait_until(self, earliest: float) -> None:
        """Every participant of this process waits, the first of them until `earliest`."""

    def somebody_works(self) -> None:
        """A participant of this process has woken up."""

    @property
    def look_seconds(self) -> float | None:
        """How often a waiting thread looks at the time by itself; None: only when it is told."""


class StillTime:
    """The time of one process: it does not run at all by itself."""

    look_seconds = None

    def __init__(self) -> None:
        self.elapsed = 0.0

    def now(self) -> float:
        return self.elapsed

    def all_wait_until(self, earliest: float) -> None:
        self.elapsed = max(self.elapsed, earliest)

    def somebody_works(self) -> None:
        """Nobody else has to know."""


class SharedTime:
    """The time of several processes and of a bank: the real one and the jumps that all of them have agreed on.

    `shared` holds the sum of the jumps and, for each process, until when it waits; `move_bank` moves the bank's
    clock by as much. Made for each process anew, with its number.
    """

    look_seconds = _LOOK_SECONDS

    def __init__(self, shared: "SynchronizedArray[float]", number: int, move_bank: Callable[[float], object]) -> None:
        self._shared = shared
        self._number = number
        self._move_bank = move_bank

    @staticmethod
    def slots(processes: int) -> int:
        """How many floats `shared` has to hold."""
        return processes + 1

    @property
    def jumped(self) -> float:
        """The sum of the jumps, seconds."""
        return float(self._shared[0])

    def now(self) -> float:
        return time.monotonic() + self.jumped

    def all_wait_until(self, earliest: float) -> None:
        with self._shared.get_lock():
            now = self.now()
            if earliest <= now:
                return
            self._shared[self._number] = earliest
            waits = [float(until) for until in self._shared[1:] if until != _ENDED]
            if _RUNNING in waits or min(waits) <= now:
                return
            jump = min(waits) - now
            self._move_bank(jump)
            self._shared[0] += jump
            for number, until in enumerate(self._shared[1:], start=1):
                if until not in (_RUNNING, _ENDED) and until <= now + jump:
                    self._shared[number] = _RUNNING

    def somebody_works(self) -> None:
        with self._shared.get_lock():
            self._shared[self._number] = _RUNNING

    def end(self) -> None:
        """This process takes part no longer."""
        with self._shared.get_lock():
            self._shared[self._number] = _ENDED


class VirtualTime:
    """One time for the threads of a process."""

    def __init__(self, source: TimeSource | None = None) -> None:
        self._source = source or StillTime()
        self._state = threading.Condition()
        self._sleepers: dict[int, float] = {}
        self._blocked: dict[int, Future[Any]] = {}
        self._owners: dict[int, int] = {}
        self._running: dict[int, int] = {}
        self._queued: set[Future[Any]] = set()
        self._workers = 0

    def now(self) -> float:
        """Seconds."""
        return self._source.now()

    def sleep(self, seconds: float) -> None:
        """Wait until `seconds` have passed."""
        me = threading.get_ident()
        with self._state:
            until = self._source.now() + seconds
            if me not in self._owners and me not in self._running:
                self._source.all_wait_until(until)
                self._state.notify_all()
                return
            self._sleepers[me] = until
            try:
                while self._source.now() < until:
                    self._move_on()
                    if self._source.now() < until:
                        self._state.wait(self._source.look_seconds)
            finally:
                del self._sleepers[me]
                self._source.somebody_works()

    def advance(self, seconds: float) -> None:
        """Move the time on by `seconds`, whoever works: as if that had taken so long."""
        with self._state:
            self._source.all_wait_until(self._source.now() + seconds)
            self._state.notify_all()

    def pool(self, max_workers: int, thread_name_prefix: str = "") -> "WatchedPool":
        """A pool whose tasks take part in this time, as does the thread that calls this."""
        return WatchedPool(self, max_workers, thread_name_prefix)

    def _move_on(self) -> None:
        now = self._source.now()
        waiting = {thread for thread, until in self._sleepers.items() if until > now}
        waiting |= {thread for thread, future in self._blocked.items() if not future.done()}
        free = self._workers > len(self._running)
        if (set(self._owners) | set(self._running)) <= waiting and not (self._queued and free):
            self._source.all_wait_until(min(self._sleepers.values()))
            self._state.notify_all()

    def _own(self, workers: int) -> int:
        me = threading.get_ident()
        with self._state:
            self._owners[me] = self._owners.get(me, 0) + 1
            self._workers += workers
        return me

    def _disown(self, owner: int) -> None:
        with self._state:
            self._owners[owner] -= 1
            if not self._owners[owner]:
                del self._owners[owner]
            if self._sleepers:
                self._move_on()

    def _dismiss(self, workers: int) -> None:
        with self._state:
            self._workers -= workers

    def _enqueue(self, future: Future[Any]) -> None:
        with self._state:
            self._queued.add(future)

    def _start(self, future: Future[Any]) -> None:
        with self._state:
            self._queued.discard(future)
            me = threading.get_ident()
            self._running[me] = self._running.get(me, 0) + 1

    def _end(self) -> None:
        # Called by the thread that ran the task, once its future is done and those who wait for it may go on.
        with self._state:
            del self._running[threading.get_ident()]
            if self._sleepers:
                self._move_on()

    def _forget(self, future: Future[Any]) -> None:
        with self._state:
            self._queued.discard(future)
            if self._sleepers:
                self._move_on()

    def _blocked_on(self, future: Future[Any]) -> AbstractContextManager[None]:
        return _Blocked(self, future)


class _Blocked(AbstractContextManager[None]):
    def __init__(self, of: VirtualTime, future: Future[Any]) -> None:
        self._of, self._future = of, future

    def __enter__(self) -> None:
        with self._of._state:
            self._of._blocked[threading.get_ident()] = self._future
            if self._of._sleepers:
                self._of._move_on()

    def __exit__(self, *_: object) -> None:
        with self._of._state:
            del self._of._blocked[threading.get_ident()]


class _WatchedFuture(Future[Any]):
    def __init__(self, of: VirtualTime) -> None:
        super().__init__()
        self._of = of

    def result(self, timeout: float | None = None) -> Any:
        with self._of._blocked_on(self):
            return super().result(timeout)


class WatchedPool(ThreadPoolExecutor):
    """A thread pool that tells its time which of its threads work."""

    def __init__(self, of: VirtualTime, max_workers: int, thread_name_prefix: str = "") -> None:
        super().__init__(max_workers, thread_name_prefix)
        self._of = of
        self._size = max_workers
        self._owner: int | None = of._own(max_workers)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        outer = _WatchedFuture(self._of)
        self._of._enqueue(outer)

        def run() -> None:
            self._of._start(outer)
            try:
                if not outer.set_running_or_notify_cancel():
                    return
                try:
                    result = fn(*args, **kwargs)
                except BaseException as error:  # noqa: BLE001  # handed to whoever asks for the result
                    outer.set_exception(error)
                else:
                    outer.set_result(result)
            finally:
                self._of._end()

        def cancelled(inner: Future[Any]) -> None:
            if inner.cancelled():
                outer.cancel()
                self._of._forget(outer)

        super().submit(run).add_done_callback(cancelled)
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait=False, cancel_futures=cancel_futures)
        if self._owner is None:
            return
        # From here on its owner only waits for the tasks that are left.
        self._of._disown(self._owner)
        self._owner = None
        super().shutdown(wait=wait)
        self._of._dismiss(self._size)
