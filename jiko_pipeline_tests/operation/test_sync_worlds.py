"""A data directory is born to one world: every command refuses another one, in a plain sentence, offline."""

import json
from pathlib import Path

import pytest

from jiko_pipeline_tests.operation.command_line import Answer, DataDirectory
from jiko_pipeline_tests.operation.conftest import UndisturbedRun

CREDENTIALS = {"JIKO_CLIENT_ID": "nobody", "JIKO_PRIVATE_KEY_FILE": "no-key.pem", "JIKO_KEY_ID": "none"}
COMMANDS = {
    "sync": ("sync", "--date", "2024-06-28"),
    "status": ("status",),
    "breaks": ("breaks",),
    "sql": ("sql", "select 1"),
    "verify": ("verify",),
    "verify --hashes": ("verify", "--hashes"),
}

NO_NETWORK = """
import os, socket

def refused(*_words, **_named):
    with open(os.environ["NETWORK_WITNESS"], "a") as witness:
        witness.write("asked\\n")
    raise OSError("the network is out of bounds")

for name in ("connect", "connect_ex", "bind", "sendto"):
    setattr(socket.socket, name, refused)
socket.getaddrinfo = socket.create_connection = refused
"""


@pytest.fixture
def offline(tmp_path: Path) -> dict[str, str]:
    """Settings under which every use of the network fails and leaves a file."""
    guard = tmp_path / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(NO_NETWORK)
    return {"PYTHONPATH": str(guard), "NETWORK_WITNESS": str(tmp_path / "network-was-used")}


def answers(directory: DataDirectory, environment: dict[str, str]) -> dict[str, Answer]:
    """What each command says; they run at the same time."""
    running = {name: directory.start(*words, **environment) for name, words in COMMANDS.items()}
    said = {name: process.communicate() for name, process in running.items()}
    return {name: Answer(running[name].returncode, *said[name]) for name in COMMANDS}


def assert_refused(answer: Answer, belongs: str, asked: str) -> None:
    assert answer.exit_code == 40, answer
    assert answer.out == ""
    sentence, means, remedy = answer.err.strip().splitlines()
    assert sentence.startswith(f"This data directory belongs to {belongs}")
    assert sentence.endswith(f"and the settings ask for {asked}; data of two worlds is never mixed.")
    assert means == "Nothing of today's figures has changed."
    assert remedy.startswith("Set JIKO_DATA_DIR to another directory")


def test_simulated_data_refuses_the_production_environment(
    undisturbed: UndisturbedRun, offline: dict[str, str]
) -> None:
    directory = undisturbed.directory
    before = {path: path.stat().st_mtime_ns for path in directory.path.iterdir()}
    production = {"JIKO_ENVIRONMENT": "production", **CREDENTIALS, **offline}
    for answer in answers(directory, production).values():
        assert_refused(answer, "simulator (world ", "production")
    assert not Path(offline["NETWORK_WITNESS"]).exists()
    assert {path: path.stat().st_mtime_ns for path in directory.path.iterdir()} == before


def test_production_data_refuses_the_simulator(tmp_path: Path, offline: dict[str, str]) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.path.mkdir()
    world = {"environment": "production", "api_origin": "https://api.business.jiko.io", "world_id": "jiko"}
    (directory.path / "world.json").write_text(json.dumps(world))
    for answer in answers(directory, offline).values():
        assert_refused(answer, "production at https://api.business.jiko.io", "simulator")
    assert not Path(offline["NETWORK_WITNESS"]).exists()
    assert [path.name for path in directory.path.iterdir()] == ["world.json"]


def test_the_guard_of_these_tests_notices_a_use_of_the_network(tmp_path: Path, offline: dict[str, str]) -> None:
    directory = DataDirectory(tmp_path / "data")
    answer = directory.run("sync", "--date", "2024-06-28", **offline)
    assert answer.exit_code != 0
    assert Path(offline["NETWORK_WITNESS"]).exists()
