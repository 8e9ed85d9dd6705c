"""The launcher of runs, with eyes: a run whose process is gone is known to be dead.

Belongs here: telling whether the process of a run lives, for run monitoring. Does not belong here: what is done about
it (Dagster marks the run as failed and may run it again, by `run_monitoring` and `run_retries` in dagster.yaml).

Dagster's own launcher leaves this to the code server that started the run. Where both died together, as when the
machine did, a run would stay STARTED for as long as a run may take, and keep the place of the next one.
https://docs.dagster.io/deployment/execution/run-monitoring
"""

import os
import socket
from pathlib import Path
from typing import Final

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus

from jiko_pipeline.bank.processes import start_mark

WORKER_TAG: Final = "jiko/worker"
"""Run tag: host, boot of the host, process id and start of the process that does the run."""


def worker_mark() -> str:
    """This process, as the tag says it."""
    return f"{socket.gethostname()} {_boot()} {os.getpid()} {start_mark(os.getpid())}"


def tag_worker(context: dg.AssetExecutionContext) -> None:
    """Writes on the run which process does it, once a process."""
    mark = worker_mark()
    if context.run.tags.get(WORKER_TAG) != mark:
        context.instance.add_run_tags(context.run.run_id, {WORKER_TAG: mark})


def is_alive(mark: str) -> bool | None:
    """Whether the process of a tag lives; None where that cannot be told from here."""
    host, boot, pid, started = mark.split(" ")
    if host != socket.gethostname():
        return None
    return boot == _boot() and str(start_mark(int(pid))) == started


class WatchedRunLauncher(DefaultRunLauncher):
    """Dagster's own launcher, which starts each run as a process of the code server, and this."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Run monitoring asks for every run that has begun."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """FAILED when the process that the run names is gone; RUNNING also where that is not known."""
        mark = run.tags.get(WORKER_TAG)
        if mark is not None and is_alive(mark) is False:
            return CheckRunHealthResult(WorkerStatus.FAILED, "Its process is gone.")
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "-"
