"""Fixtures of this room: data directories of a test, and one undisturbed run that several tests compare with."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jiko_pipeline_tests.operation.command_line import Answer, DataDirectory, Hashes, data_directories

FIRST, LAST = "2024-06-27", "2024-07-02"
"""A weekend, the end of a month with its fees and its monthly statements."""

ONE_POCKET = {"JIKO_SIMULATOR_POCKETS": "1"}
Make = Callable[..., DataDirectory]


@dataclass(frozen=True)
class UndisturbedRun:
    """One sync of `FIRST` to `LAST` in a fresh data directory."""

    directory: DataDirectory
    answer: Answer
    hashes: Hashes
    orders: int


@pytest.fixture
def new_directory(tmp_path: Path) -> Iterator[Make]:
    """Makes data directories (not yet born); their simulators end with the test."""
    with data_directories() as made:

        def make(name: str = "data", **settings: str) -> DataDirectory:
            made.append(DataDirectory(tmp_path / name, {**ONE_POCKET, **settings}))
            return made[-1]

        yield make


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UndisturbedRun]:
    """What a sync that nobody disturbs gives. Only to be read."""
    with data_directories() as made:
        directory = DataDirectory(tmp_path_factory.mktemp("undisturbed") / "data", ONE_POCKET)
        made.append(directory)
        answer = directory.sync(FIRST, LAST)
        assert answer.exit_code == 0, answer.err
        run = UndisturbedRun(directory, answer, directory.hashes(), directory.orders())
        # Its bank ends too, so that a copy has a bank of its own.
        directory.end_simulator()
        yield run


@pytest.fixture
def copy_of_undisturbed(undisturbed: UndisturbedRun, new_directory: Make) -> DataDirectory:
    """A data directory in which that sync has been done; its bank starts where the other one ended."""
    directory = new_directory("copy")
    shutil.copytree(undisturbed.directory.path, directory.path)
    return directory
