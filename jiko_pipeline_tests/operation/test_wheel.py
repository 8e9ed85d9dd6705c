"""The built wheel, installed elsewhere, is all that a user needs: nothing of the source tree is missing in it."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from jiko_pipeline_tests.operation.command_line import DataDirectory, clean_environment, data_directories
from jiko_pipeline_tests.operation.dagster_host import PROJECT

BUILD_FILES = ("pyproject.toml", "README.md", "LICENSE")
NOT_PACKAGED = {".pyc"}


@dataclass(frozen=True)
class Installed:
    """A virtual environment that holds the wheel, the wheel, and an empty directory to work in."""

    jiko: Path
    python: Path
    wheel: Path
    elsewhere: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.jiko), *words],
            cwd=self.elsewhere,
            env=clean_environment(JIKO_SIMULATOR_POCKETS="1"),
            capture_output=True,
            text=True,
            check=False,
        )


def _run(*command: object, cwd: Path | None = None) -> None:
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The wheel of this tree in a fresh environment that borrows the dependencies of the present one."""
    work = tmp_path_factory.mktemp("wheel")
    source = work / "source"
    shutil.copytree(PROJECT / "jiko_pipeline", source / "jiko_pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    for name in BUILD_FILES:
        shutil.copy(PROJECT / name, source / name)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    _run(*pip, "wheel", ".", "--no-deps", "-w", work / "built", cwd=source)
    (wheel,) = (work / "built").glob("*.whl")
    venv = work / "venv"
    _run(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin" / "python"
    _run(*pip, "--python", python, "install", "--no-deps", "--no-index", wheel)
    (site_packages,) = venv.glob("lib/python*/site-packages")
    (site_packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    shutil.rmtree(source)
    elsewhere = work / "elsewhere"
    elsewhere.mkdir()
    with data_directories() as made:
        made.append(DataDirectory(elsewhere / "data"))
        yield Installed(venv / "bin" / "jiko", python, wheel, elsewhere)


def test_the_wheel_holds_every_file_of_the_package(installed: Installed) -> None:
    wanted = {
        str(path.relative_to(PROJECT))
        for path in (PROJECT / "jiko_pipeline").rglob("*")
        if path.is_file() and path.suffix not in NOT_PACKAGED
    }
    with zipfile.ZipFile(installed.wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == wanted
    assert {Path(name).suffix for name in wanted} >= {".py", ".sql", ".csv", ".toml", ".yaml"}


def test_the_installed_package_runs_the_demo_and_reads_a_statement_in_an_empty_directory(installed: Installed) -> None:
    where = subprocess.run(
        [str(installed.python), "-c", "import jiko_pipeline; print(jiko_pipeline.__file__)"],
        cwd=installed.elsewhere, env=clean_environment(), capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    assert Path(where).is_relative_to(installed.python.parent.parent)
    assert os.listdir(installed.elsewhere) == []

    demo = installed.run("demo")
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "READY     Operating (UST-4W): 31 of 31 days ready to book, USD " in demo.stdout
    assert "unexplained 0.00" in demo.stdout
    data = installed.elsewhere / "data"
    assert f"Published: {data / 'treasury.duckdb'}" in demo.stdout
    assert "dagster dev -m jiko_pipeline.orchestration.definitions" in demo.stdout

    with duckdb.connect(str(data / "treasury.duckdb"), read_only=True) as con:
        ((sha256, entries),) = con.execute(
            "select document_sha256, rows_in_document from raw.document where document_kind = 'BANK_STATEMENT'"
            " order by rows_in_document desc, first_date limit 1"
        ).fetchall()
    statement = data / "archive" / sha256[:2] / sha256
    inspected = installed.run("inspect", str(statement), "--json")
    assert inspected.returncode == 0, inspected.stderr
    (told,) = json.loads(inspected.stdout)
    assert (told["sha256"], told["version"], told["error"]) == (sha256, "08", None)
    (one,) = told["statements"]
    assert one["foots"] is True
    assert 0 < one["entries"] <= entries
