"""One served bank for all faults; each test finds it undisturbed, with a client directory of its own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline_tests.bank import chaos_rig
from jiko_pipeline_tests.bank.chaos_client import DisturbedBank
from jiko_pipeline_tests.bank.simulator_rig import ServedBank, served


@pytest.fixture(scope="session")
def fault_bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBank]:
    """The bank, in the middle of a day."""
    options = ServeOptions(tmp_path_factory.mktemp("fault-bank"), now=datetime(2024, 7, 18, 16, 0, tzinfo=UTC))
    with served(options, signed_in=False) as bank:
        yield bank


@pytest.fixture
def disturbed(fault_bank: ServedBank, tmp_path: Path) -> Iterator[DisturbedBank]:
    """The bank and a client of it; no rule of another test is in force."""
    chaos_rig.reset(fault_bank)
    yield DisturbedBank(fault_bank, tmp_path / "data")
    chaos_rig.reset(fault_bank)
