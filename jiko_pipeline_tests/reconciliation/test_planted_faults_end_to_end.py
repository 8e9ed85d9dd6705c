"""Every planted fault through the whole pipeline: exactly the breaks that the bank's hidden truth foretells.

The simulator plants the fault and tells what it must cause; `jiko sync` asks it over HTTP, loads, reconciles and
publishes; the published file is compared with the truth.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jiko_pipeline.simulator import faults
from jiko_pipeline_tests.operation.command_line import Answer, DataDirectory, data_directories

FIRST, LAST = "2024-06-03", "2024-06-28"
BREAKS_OPEN, NOT_PROVED = 10, 30
NOT_PROVED_FAULTS = {"corrupt-statement", "statement-day-missing"}
KIND_OF_REPORT = {
    "BANK_STATEMENT_REPORT": "BANK_STATEMENT",
    "BROKERAGE_STATEMENT_REPORT": "BROKERAGE_STATEMENT",
}
Key = tuple[str, str, str, str, date, str, str]
"""(control, code, sub code, pocket, date, CUSIP, kind of document); empty where there is none."""


@dataclass(frozen=True)
class Reconciled:
    """A world that was synced: what the command answered, what was published, and the truth."""

    directory: DataDirectory
    answer: Answer
    truth: dict[str, Any]


@contextmanager
def reconciled(path: Path, fault: str | None) -> Iterator[Reconciled]:
    settings = {} if fault is None else {"JIKO_SIMULATOR_FAULT": fault}
    with data_directories() as made:
        directory = DataDirectory(path / "data", settings)
        made.append(directory)
        answer = directory.sync(FIRST, LAST)
        yield Reconciled(directory, answer, directory.ask_simulator("GET", "truth"))


def cusip_of(entity_key: str) -> str:
    print("ENTITY", entity_key)
    return entity_key
