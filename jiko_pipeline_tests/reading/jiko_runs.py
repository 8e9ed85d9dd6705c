"""Running `jiko` as a person does, as a process of its own with an environment that a test decides.

Belongs here: starting the command and the simulated bank, stopping them, their output. Does not belong here:
assertions on what they say.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_WITHOUT_NETWORK = """
import os, sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.posix_spawn"):
        os.write(2, f"asked for {event}".encode())
        os._exit(99)
from jiko_pipeline.cli.main import main
sys.addaudithook(refuse)
main()
"""


def clean_environment(**variables: str) -> dict[str, str]:
    """The environment of the machine without its own settings or those of a `make` around us, and with `variables`."""
    foreign = ("JIKO_", "DAGSTER", "MAKE", "MFLAGS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "100", **variables}


@dataclass(frozen=True)
class Answer:
    """What a command said: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[list[str]]:
        """Standard output as tab-separated rows, the first one the names of the columns."""
        return [line.split("\t") for line in self.out.splitlines()]

    @property
    def complaint(self) -> list[str]:
        """Standard error as lines."""
        return self.err.splitlines()


@dataclass(frozen=True)
class Directory:
    """A data directory and the settings that go with it; the working directory of every command is `beside`."""

    data_dir: Path
    beside: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def environment(self, **more: str) -> dict[str, str]:
        return clean_environment(JIKO_DATA_DIR=str(self.data_dir), **{**self.variables, **more})

    @property
    def announcement(self) -> dict[str, Any]:
        """Where the directory's simulator is."""
        return dict(json.loads((self.data_dir / "simulator" / "simulator.json").read_text()))

    def jiko(self, *arguments: str, **variables: str) -> Answer:
        """`jiko` with these arguments."""
        return self._run([sys.executable, "-m", "jiko_pipeline", *arguments], variables)

    def jiko_without_network(self, *arguments: str, **variables: str) -> Answer:
        """The same in a process that ends with 99 when it asks for a socket or another process."""
        return self._run([sys.executable, "-c", _WITHOUT_NETWORK, *arguments], variables)

    def _run(self, command: list[str], variables: Mapping[str, str]) -> Answer:
        done = subprocess.run(
            command, cwd=self.beside, env=self.environment(**variables), capture_output=True, text=True, check=False
        )
        return Answer(done.returncode, done.stdout, done.stderr)


def end_simulator(state_dir: Path) -> None:
    """Ask the simulator of a state directory to end, if one is there, and wait until it has."""
    file = state_dir / "simulator.json"
    if not file.exists():
        return
    state = json.loads(file.read_text())
    request = urllib.request.Request(
        f"{state['api_url']}/__simulator__/shutdown",
        data=b"{}",
        headers={"X-Simulator-Token": state["control_token"], "Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()
    while file.exists():
        time.sleep(0.02)


@contextmanager
def simulator(state_dir: Path, *arguments: str) -> Iterator[dict[str, Any]]:
    """`jiko simulator serve` as a process; what it announces."""
    process = subprocess.Popen(
        [sys.executable, "-m", "jiko_pipeline", "simulator", "serve", "--state-dir", str(state_dir), *arguments],
        cwd=state_dir.parent,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not (state_dir / "simulator.json").exists():
            if process.poll() is not None:
                raise RuntimeError(f"the simulator ended: {process.communicate()[1]}")
            time.sleep(0.02)
        yield json.loads((state_dir / "simulator.json").read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
