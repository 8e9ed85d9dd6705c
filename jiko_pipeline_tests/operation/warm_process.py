"""A process that has imported the pipeline and forks for each sync that a test wants to fail or to be killed.

Belongs here: the forking process and speaking to it. Does not belong here: assertions.

The forking process never uses the pipeline itself, so no thread and no connection is copied. A child does what `jiko
sync` does for one window, or only its steps from the first load on, and ends with the exit code of the command.
"""

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jiko_pipeline.failpoints import VARIABLE
from jiko_pipeline_tests.operation.command_line import DataDirectory, clean_environment

OF_A_SYNC = ("fetch", "load")
"""The two halves of a window's work."""


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code (negative: the signal), what it took (clock, processor), what it said."""

    exit_code: int
    seconds: float
    processor_seconds: float
    err: str


class WarmProcess:
    """The forking process of one test module."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=Path(__file__).resolve().parents[2],
            env=clean_environment(POLARS_MAX_THREADS="2"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def sync(
        self,
        directory: DataDirectory,
        day: str,
        *,
        halves: tuple[str, ...] = OF_A_SYNC,
        failpoint: str = "",
        kill_after: float | None = None,
        file_limit: int | None = None,
        memory_limit: int | None = None,
        umask: int = 0o077,
    ) -> Ended:
        """Syncs one day in a child; it is killed after so many seconds, or fails at a failpoint.

        `file_limit`: no file may grow beyond so many bytes; `memory_limit`: so many more bytes than at the start.
        """
        directory.path.parent.mkdir(parents=True, exist_ok=True)
        asked = {
            "environment": {**directory.environment(), VARIABLE: failpoint},
            "folder": str(directory.path.parent),
            "day": day,
            "halves": halves,
            "kill_after": kill_after,
            "file_limit": file_limit,
            "memory_limit": memory_limit,
            "umask": umask,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))

    def end(self) -> None:
        """Ends the forking process."""
        self._process.communicate("")


@contextlib.contextmanager
def warm_process() -> Iterator[WarmProcess]:
    """A forking process for a block."""
    process = WarmProcess()
    try:
        yield process
    finally:
        process.end()


def _serve() -> None:
    for module in (
        "jiko_pipeline.pipeline.steps",
        "jiko_pipeline.pipeline.sync",
        "jiko_pipeline.bank.connection",
        "jiko_pipeline.cli.main",
    ):
        importlib.import_module(module)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_child(json.loads(line))) + "\n")
        sys.stdout.flush()


def _child(asked: Mapping[str, object]) -> dict[str, object]:
    import time
    import traceback

    read, write = os.pipe()
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        os.dup2(write, 1)
        os.dup2(write, 2)
        code = 1
        try:
            code = _sync(asked)
        finally:
            if sys.exc_info()[0] is not None:
                traceback.print_exc()
            sys.stderr.flush()
            os._exit(code)
    os.close(write)
    kill_after = asked["kill_after"]
    timer = None
    if isinstance(kill_after, float):
        timer = threading.Timer(kill_after, os.kill, (pid, signal.SIGKILL))
        timer.start()
    _, status, used = os.wait4(pid, 0)
    if timer is not None:
        timer.cancel()
        timer.join()
    # A simulator that the child started keeps the pipe open: only what is there now is read.
    os.set_blocking(read, False)
    said = b""
    with contextlib.suppress(BlockingIOError):
        while block := os.read(read, 65536):
            said += block
    os.close(read)
    return {
        "exit_code": os.waitstatus_to_exitcode(status),
        "seconds": time.monotonic() - began,
        "processor_seconds": used.ru_utime + used.ru_stime,
        "err": said.decode(errors="replace"),
    }


def _sync(asked: Mapping[str, object]) -> int:
    import resource

    from jiko_pipeline import failpoints
    from jiko_pipeline.errors import ExitCode, JikoPipelineError, most_serious
    from jiko_pipeline.pipeline import steps
    from jiko_pipeline.pipeline.sync import new_run_id
    from jiko_pipeline.pipeline.turn import end_turn
    from jiko_pipeline.pipeline.windows import Window
    from jiko_pipeline.settings import load_settings

    environment = asked["environment"]
    assert isinstance(environment, dict)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(str(asked["folder"]))
    umask = asked["umask"]
    assert isinstance(umask, int)
    os.umask(umask)
    # What is armed is read when the module is loaded.
    importlib.reload(failpoints)
    if isinstance(limit := asked["file_limit"], int):
        # Python ignores the signal that goes with the limit, so writing fails as on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if isinstance(more := asked["memory_limit"], int):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        whole = pages * resource.getpagesize() + more
        resource.setrlimit(resource.RLIMIT_AS, (whole, whole))
    halves = asked["halves"]
    assert isinstance(halves, list)
    order = {
        "fetch": (steps.fetch_reports, steps.fetch_activity),
        "load": (
            steps.load_statements,
            steps.load_holdings,
            steps.load_activity,
            steps.build_core,
            steps.run_controls,
            steps.build_close,
            steps.publish,
        ),
    }
    settings = load_settings()
    day = date.fromisoformat(str(asked["day"]))
    run_id = new_run_id()
    try:
        reports = [step(settings, Window(day, day), run_id, "DAILY") for half in halves for step in order[half]]
        return int(most_serious(*(report.exit_code for report in reports)))
    except JikoPipelineError as error:
        sys.stderr.write(f"{error}\n{error.remedy}\n")
        return int(error.exit_code)
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return int(ExitCode.STORAGE)
    finally:
        end_turn(settings)


if __name__ == "__main__":
    _serve()
