"""Data directories of a test and the real `jiko` run in them, as a subprocess.

Belongs here: running commands, reading the published file, speaking to the directory's simulator, ending it.
Does not belong here: assertions.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import httpx

from jiko_pipeline.bank.processes import start_mark
from jiko_pipeline.warehouse.hashing import table_hashes

COMMAND = (sys.executable, "-m", "jiko_pipeline")
Hashes = dict[str, tuple[int, str]]


def clean_environment(**changes: str) -> dict[str, str]:
    """This machine's environment without settings and instances of its developer."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JIKO_")}
    kept.pop("DAGSTER_HOME", None)
    return {**kept, **changes}


@dataclass(frozen=True)
class Answer:
    """What a command said and its exit code."""

    exit_code: int
    out: str
    err: str

    @property
    def told(self) -> Any:
        """The JSON it printed."""
        return json.loads(self.out)


@dataclass(frozen=True)
class DataDirectory:
    """A data directory with the settings that every command in it gets."""

    path: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def environment(self, **changes: str) -> dict[str, str]:
        return clean_environment(**{"JIKO_DATA_DIR": str(self.path), **self.settings, **changes})

    def start(self, *words: str, **changes: str) -> subprocess.Popen[str]:
        """A command that goes on by itself; its working directory has no `.env`."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return subprocess.Popen(
            [*COMMAND, *words],
            cwd=self.path.parent,
            env=self.environment(**changes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **changes: str) -> Answer:
        """A command until its end."""
        with self.start(*words, **changes) as process:
            out, err = process.communicate()
        return Answer(process.returncode, out, err)

    def sync(self, first: str, last: str, *more: str) -> Answer:
        """`jiko sync --from --to --json`."""
        return self.run("sync", "--from", first, "--to", last, "--json", *more)

    def hashes(self) -> Hashes:
        """What `jiko verify --hashes` says of the published file: table -> (rows, hash)."""
        with duckdb.connect(str(self.path / "treasury.duckdb"), read_only=True) as con:
            return {found.table_name: (found.row_count, found.content_hash) for found in table_hashes(con)}

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Rows of the published file."""
        with duckdb.connect(str(self.path / "treasury.duckdb"), read_only=True) as con:
            return con.execute(query, list(parameters)).fetchall()

    @property
    def announcement(self) -> dict[str, Any] | None:
        """What the directory's simulator said of itself when it started."""
        file = self.path / "simulator" / "simulator.json"
        return dict(json.loads(file.read_text())) if file.exists() else None

    def ask_simulator(self, method: str, route: str) -> dict[str, Any]:
        """A control route of the directory's simulator."""
        state = self.announcement
        assert state is not None, f"no simulator has served {self.path}"
        headers = {"X-Simulator-Token": state["control_token"]}
        with httpx.Client(trust_env=False, timeout=60) as client:
            answer = client.request(method, f"{state['api_url']}/__simulator__/{route}", headers=headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def orders(self) -> int:
        """Reports ordered at the simulator since the directory was made."""
        return int(self.ask_simulator("GET", "counters")["calls"].get("create_report_request", 0))

    def simulators(self) -> list[int]:
        """Processes that serve this directory, by their command lines."""
        wanted = str(self.path / "simulator").encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                    if b"simulator" in words and b"serve" in words and wanted in words:
                        found.append(int(entry.name))
        return found

    def end_simulator(self) -> None:
        """Ends the directory's simulator in good order, when there is one."""
        state = self.announcement
        if state is not None and start_mark(state["pid"]) is not None:
            with contextlib.suppress(ProcessLookupError):
                process = os.pidfd_open(state["pid"])
                try:
                    with contextlib.suppress(httpx.TransportError):
                        self.ask_simulator("POST", "shutdown")
                    # Until it has gone it still writes to its files, which a test may be about to copy.
                    select.select([process], [], [], 60)
                finally:
                    os.close(process)


@contextlib.contextmanager
def data_directories() -> Iterator[list[DataDirectory]]:
    """A list for the data directories of a block; their simulators end with it."""
    made: list[DataDirectory] = []
    try:
        yield made
    finally:
        for directory in made:
            directory.end_simulator()
