"""The simulator as a process: announcement, lock, refusals, the ways it ends."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.serve import ServeOptions, process_start
from jiko_pipeline_tests.bank.simulator_rig import ServedBank, served

COMMAND = (sys.executable, "-c", "from jiko_pipeline.cli.simulator_command import simulator; simulator()", "serve")


@contextmanager
def _process(state_dir: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [*COMMAND, "--state-dir", str(state_dir), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def _wait_for_announcement(state_dir: Path, process: subprocess.Popen[str]) -> ServedBank:
    file = state_dir / "simulator.json"
    while not file.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    return ServedBank(json.loads(file.read_text()))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    with _process(tmp_path) as process:
        bank = _wait_for_announcement(tmp_path, process)
        assert bank.announcement["pid"] == process.pid
        assert bank.announcement["process_start"] == process_start(process.pid)
        bank.sign_in()
        assert bank.get("/api/v2/pockets/", omit__=["portfolio"])["items"]
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, "", "")
        assert not (tmp_path / "simulator.json").exists()


def test_an_idle_process_ends_by_itself(tmp_path: Path) -> None:
    with _process(tmp_path, "--idle-exit-seconds", "0.3") as process:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, "", "")
    assert not (tmp_path / "simulator.json").exists()
    assert (tmp_path / "client_key.pem").exists()


def test_a_process_whose_state_directory_was_removed_ends_and_leaves_its_successor_alone(
    tmp_path: Path,
) -> None:
    state_dir = tmp_path / "state"
    with _process(state_dir) as process:
        _wait_for_announcement(state_dir, process)
        shutil.rmtree(state_dir)
        with served(ServeOptions(state_dir)) as successor:
            process.communicate(timeout=60)
            assert process.returncode == 0
            assert json.loads((state_dir / "simulator.json").read_text()) == successor.announcement


def test_a_process_is_asked_to_end_by_its_control_route(tmp_path: Path) -> None:
    with _process(tmp_path) as process:
        bank = _wait_for_announcement(tmp_path, process)
        assert bank.control("POST", "shutdown") == {"status": "stopping"}
        process.communicate(timeout=60)
        assert process.returncode == 0


def test_a_second_process_on_the_same_state_is_refused_and_disturbs_nothing(tmp_path: Path) -> None:
    with served(ServeOptions(tmp_path)) as bank:
        second = subprocess.run(
            [*COMMAND, "--state-dir", str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
        )
        assert second.returncode == 60
        assert "Another simulator already serves" in second.stderr
        assert json.loads((tmp_path / "simulator.json").read_text()) == bank.announcement
        assert bank.get("/api/v2/pockets/", omit__=["portfolio"])["items"]


def test_a_killed_process_leaves_a_state_that_the_next_one_serves(tmp_path: Path) -> None:
    with _process(tmp_path) as process:
        bank = _wait_for_announcement(tmp_path, process)
        bank.sign_in()
        order = {"date_from": "2024-06-03", "date_to": "2024-06-28"}
        request = bank.order("TRADE_REPORT", "CSV", **order).json()
        process.kill()
        process.wait(timeout=60)
    assert (tmp_path / "simulator.json").exists()
    (tmp_path / "simulator.json").unlink()
    with served(ServeOptions(tmp_path)) as bank:
        assert bank.finished(request["id"])["status"] == "COMPLETED"


@pytest.mark.parametrize("other", [WorldConfig(seed=8), WorldConfig(pockets=5), WorldConfig(fault="bank-entry-twice")])
def test_a_state_directory_belongs_to_the_world_it_was_born_with(tmp_path: Path, other: WorldConfig) -> None:
    with served(ServeOptions(tmp_path), signed_in=False):
        pass
    arguments = ["--seed", str(other.seed), "--pockets", str(other.pockets)]
    arguments += ["--fault", other.fault] if other.fault else []
    refused = subprocess.run(
        [*COMMAND, "--state-dir", str(tmp_path), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 40
    assert "belongs to the simulated world" in refused.stderr
    with served(ServeOptions(tmp_path)) as bank:
        assert bank.get("/api/v2/pockets/", omit__=["portfolio"])["items"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--fault", "no-such-fault"], 40, "no-such-fault"),
        (["--client", "me=/nowhere/key.pem"], 40, "/nowhere/key.pem"),
        (["--client", "me"], 2, "CLIENT_ID=PUBLIC_KEY_PEM"),
        (["--camt-version", "09"], 2, "02 or 08"),
        (["--limits", "loose"], 2, "tight"),
        (["--now", "soon"], 2, "ISO 8601"),
    ],
)
def test_settings_that_cannot_be_served_are_refused_in_words(
    tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    refused = subprocess.run(
        [*COMMAND, "--state-dir", str(tmp_path), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
    )
    assert refused.returncode == code, refused.stderr
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "simulator.json").exists()


def test_a_taken_port_is_refused_in_words(tmp_path: Path) -> None:
    with served(ServeOptions(tmp_path / "one"), signed_in=False) as bank:
        port = bank.announcement["api_url"].rpartition(":")[2]
        refused = subprocess.run(
            [*COMMAND, "--state-dir", str(tmp_path / "two"), "--port", port],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert refused.returncode == 50
        assert f"Port {port}" in refused.stderr


def test_everything_in_the_state_directory_is_for_its_owner_only(tmp_path: Path) -> None:
    with served(ServeOptions(tmp_path / "state")) as bank:
        bank.order("TRADE_REPORT", "CSV", date_from="2024-06-03", date_to="2024-06-04")
        files = list((tmp_path / "state").iterdir())
        assert {file.name for file in files} >= {"simulator.json", "state.sqlite", "client_key.pem"}
        for file in files:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
        assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_the_announcement_says_what_world_is_served_and_health_confirms_it(tmp_path: Path) -> None:
    options = ServeOptions(tmp_path, config=WorldConfig(seed=5, camt_version="02"))
    with served(options, signed_in=False) as bank:
        announced = bank.announcement
        assert announced["config"]["seed"] == 5
        assert (announced["config"]["start"], announced["config"]["camt_version"]) == ("2024-06-03", "02")
        health = bank.plain.get(f"{announced['api_url']}/__simulator__/health").json()
        assert health == {"status": "ok", "world_id": announced["world_id"]}
        assert bank.control("GET", "world")["config"] == announced["config"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "world"), ("GET", "counters"), ("GET", "truth"), ("POST", "clock"), ("POST", "shutdown")],
)
def test_control_needs_the_control_token(tmp_path: Path, method: str, path: str) -> None:
    with served(ServeOptions(tmp_path)) as bank:
        for token in (None, b"", b"guess", "gu\u00e9ss".encode()):
            headers = {} if token is None else {b"X-Simulator-Token": token}
            url = f"{bank.announcement['api_url']}/__simulator__/{path}"
            assert bank.plain.request(method, url, headers=headers).status_code == 401
        assert bank.get("/api/v2/pockets/", omit__=["portfolio"])["items"]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"now": "soon"}', b'{"now": 5}', b'{"advance_seconds": "x"}'])
def test_a_clock_order_that_cannot_be_read_is_refused(tmp_path: Path, body: bytes) -> None:
    with served(ServeOptions(tmp_path), signed_in=False) as bank:
        url = f"{bank.announcement['api_url']}/__simulator__/clock"
        headers = {"X-Simulator-Token": bank.announcement["control_token"]}
        assert bank.plain.post(url, content=body, headers=headers).status_code == 422


def test_the_clock_moves_dates_of_answers_and_outlives_a_restart(tmp_path: Path) -> None:
    options = ServeOptions(tmp_path)
    with served(options, signed_in=False) as bank:
        bank.move_clock(to="2024-06-12T15:00:00Z")
        bank.move_clock(seconds=3600)
        health = f"{bank.announcement['api_url']}/__simulator__/health"
        assert bank.plain.get(health).headers["Date"].startswith("Wed, 12 Jun 2024 16:00:")
    with served(options, signed_in=False) as bank:
        assert f"{bank.now():%Y-%m-%dT%H}" == "2024-06-12T16"
        assert bank.control("GET", "world")["today"] == "2024-06-12"


def test_an_answer_names_no_server_software(tmp_path: Path) -> None:
    with served(ServeOptions(tmp_path), signed_in=False) as bank:
        answer = httpx.get(f"{bank.announcement['api_url']}/__simulator__/health", trust_env=False)
        assert "server" not in answer.headers
        assert len(answer.headers.get_list("date")) == 1
