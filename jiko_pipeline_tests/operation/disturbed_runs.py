"""Runs of the pipeline in processes that are forked from a warm one, to be ended at any step.

Belongs here: one run in a process of its own, under a clock that is given and with a step that fails. Does not
belong here: what the bank does meanwhile, assertions.
"""

import multiprocessing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import time_machine

from jiko_pipeline import failpoints
from jiko_pipeline.errors import JikoPipelineError, StorageError
from jiko_pipeline.pipeline.sync import sync_window
from jiko_pipeline.pipeline.windows import Window
from jiko_pipeline_tests.bank.statement_courier import simulator_settings

OUT_OF_MEMORY = 99
"""The exit code of a run that a lack of memory has ended; any other error that nobody foresaw is 1."""


@dataclass(frozen=True)
class Run:
    """A window of a data directory at a bank; `failpoint` as in JIKO_FAILPOINT, empty for none."""

    announcement: dict[str, Any]
    data_dir: Path
    first: date
    last: date
    reason: str
    now: datetime
    failpoint: str = ""


def warm_processes() -> multiprocessing.context.ForkServerContext:
    """Processes that find everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def exit_codes_of(context: multiprocessing.context.ForkServerContext, *runs: Run) -> list[int]:
    """The exit codes of runs that go on at the same time, or that of a process that a failpoint has ended."""
    processes = [context.Process(target=_perform, args=(run,)) for run in runs]
    for process in processes:
        process.start()
    codes = []
    for process in processes:
        process.join()
        assert process.exitcode is not None
        codes.append(process.exitcode)
    return codes


def _perform(run: Run) -> None:
    # Set here and not by the variable: that is read when the module is imported, before this process was made.
    setattr(failpoints, "_ARMED", failpoints._armed(run.failpoint))  # noqa: B010
    settings = simulator_settings(run.announcement, run.data_dir, poll_base_seconds=0.05, poll_cap_seconds=1.0)
    with time_machine.travel(run.now, tick=True):
        try:
            outcome = sync_window(settings, Window(run.first, run.last), reason=run.reason)
        except JikoPipelineError as error:
            raise SystemExit(int(error.exit_code)) from None
        except OSError:
            raise SystemExit(int(StorageError.exit_code)) from None
        except MemoryError:
            raise SystemExit(OUT_OF_MEMORY) from None
    raise SystemExit(int(outcome.exit_code))
