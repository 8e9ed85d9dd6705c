"""Data directories that the tests of this room read: two pockets over eight business days, and two with faults.

Each is synced once, by the command itself, and its simulator is gone before anything is read. A test that
changes a directory takes a copy of it.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from jiko_pipeline.settings import Settings, load_settings
from jiko_pipeline_tests.reading.jiko_runs import Answer, Directory, end_simulator

FIRST, LAST = "2024-06-03", "2024-06-12"
"""Ten days with a weekend among them."""


@contextmanager
def _synced(beside: Path, last: str, **variables: str) -> Iterator[tuple[Directory, Answer]]:
    directory = Directory(beside / "data", beside, {"JIKO_SIMULATOR_POCKETS": "2", **variables})
    try:
        answer = directory.jiko("sync", "--from", FIRST, "--to", last)
    finally:
        end_simulator(directory.data_dir / "simulator")
    yield directory, answer


@pytest.fixture(scope="session")
def clean_sync(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Directory, Answer]]:
    """The clean directory and what `jiko sync` said."""
    with _synced(tmp_path_factory.mktemp("clean"), LAST) as synced:
        yield synced


@pytest.fixture(scope="session")
def broken_sync(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Directory, Answer]]:
    """A directory of a bank whose statement is off by a cent on one day."""
    with _synced(tmp_path_factory.mktemp("broken"), LAST, JIKO_SIMULATOR_FAULT="bank-entry-off-by-a-cent") as synced:
        yield synced


@pytest.fixture(scope="session")
def quarantined_sync(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Directory, Answer]]:
    """A directory of a bank that delivers one statement cut off."""
    with _synced(tmp_path_factory.mktemp("quarantined"), LAST, JIKO_SIMULATOR_FAULT="corrupt-statement") as synced:
        yield synced


@pytest.fixture(scope="session")
def clean(clean_sync: tuple[Directory, Answer]) -> Directory:
    return clean_sync[0]


@pytest.fixture(scope="session")
def broken(broken_sync: tuple[Directory, Answer]) -> Directory:
    return broken_sync[0]


@pytest.fixture(scope="session")
def quarantined(quarantined_sync: tuple[Directory, Answer]) -> Directory:
    return quarantined_sync[0]


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Directory], Directory]:
    """A copy of a directory that a test may change."""

    def copy(directory: Directory) -> Directory:
        target = tmp_path / "copy" / "data"
        shutil.copytree(directory.data_dir, target)
        return Directory(target, target.parent, directory.variables)

    return copy


@pytest.fixture
def settings_of() -> Callable[[Directory], Settings]:
    """The settings of a directory, for functions that are called in this process."""

    def settings(directory: Directory) -> Settings:
        return load_settings(data_dir=directory.data_dir, simulator_pockets=2)

    return settings


@pytest.fixture
def published_con(clean: Directory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The clean directory's published file, opened as any client opens it."""
    con = duckdb.connect(str(clean.data_dir / "treasury.duckdb"), read_only=True)
    yield con
    con.close()
