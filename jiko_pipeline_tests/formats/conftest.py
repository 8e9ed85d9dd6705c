"""What the tests of reading share: the corpus of real statements, where it is at hand."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder with `expected.json`, `manifest.csv`, `corpus/` and `xsd/`."""
    beside = Path(__file__).resolve().parents[2].parent / "shared"
    folder = Path(os.environ.get("JIKO_SHARED_DIR", beside)) / "camt"
    if not (folder / "expected.json").is_file():
        pytest.skip("the corpus of statements is not at hand: set JIKO_SHARED_DIR to the folder that holds camt/")
    return folder
