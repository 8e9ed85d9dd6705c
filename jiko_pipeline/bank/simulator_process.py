"""The embedded simulated bank: find the process of this data directory, or start it.

Belongs here: the one simulator process of a data directory, how it is recognised, started and waited for.
Does not belong here: anything the simulated bank does (`jiko_pipeline.simulator`, which nobody imports; it is
started as a process).

Whoever needs the simulator holds `lock` while looking. The process itself writes `simulator.json` once it
answers and ends when it was idle for ten minutes.
"""

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from jiko_pipeline.bank.contract import JIKO
from jiko_pipeline.bank.private_files import private_directory
from jiko_pipeline.bank.processes import start_mark
from jiko_pipeline.errors import ExitCode, JikoPipelineError, SettingsError, StorageError, TryLaterError
from jiko_pipeline.settings import Settings

_SERVE: Final = ("-m", "jiko_pipeline", "simulator", "serve")
_IDLE_EXIT_SECONDS: Final = 600
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.02
_HEALTH_SECONDS: Final = 5.0
_LOG_TAIL_LINES: Final = 12
_children: list[subprocess.Popen[bytes]] = []
"""Simulators that this process has started: kept so that they are reaped, never ended."""


class SimulatorNotStartedError(JikoPipelineError):
    """The simulated bank did not come up."""

    exit_code = ExitCode.DEFECT


@dataclass(frozen=True, slots=True)
class RunningSimulator:
    """A simulator that answers.

    Origins are loopback; `storage_host` is host and port of its download links.
    """

    pid: int
    api_url: str
    auth_url: str
    storage_host: str
    world_id: str
    client_id: str
    private_key_file: Path
    key_id: str


def find_or_start(settings: Settings) -> RunningSimulator:
    """The simulator of the data directory with the world of `settings`.

    Raises SettingsError when the directory's simulator is of another world, TryLaterError or
    SimulatorNotStartedError when none comes up.
    """
    directory = private_directory(settings.simulator_dir)
    with _locked(directory / "lock"):
        state = _read_state(directory)
        if state is not None and _answers(state):
            _require_same_world(state, settings)
            if _behaves_as_wanted(state, settings):
                return _running(state, directory)
            _stop(state)
        return _start(settings, directory)


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    try:
        handle = os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(f"The file {file} cannot be opened: {error.strerror}.") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read_state(directory: Path) -> Mapping[str, object] | None:
    try:
        state = json.loads((directory / "simulator.json").read_text())
    except (FileNotFoundError, ValueError):
        return None
    except OSError as error:
        raise StorageError(f"The file {directory / 'simulator.json'} cannot be read: {error.strerror}.") from None
    return state if isinstance(state, dict) else None


def _answers(state: Mapping[str, object]) -> bool:
    """True when the process that wrote `state` lives and its port answers for its world."""
    pid, url = state.get("pid"), state.get("api_url")
    if not isinstance(pid, int) or not isinstance(url, str) or urlsplit(url).hostname not in ("127.0.0.1", "localhost"):
        return False
    started = state.get("process_start")
    present = start_mark(pid)
    if present is None or (started is not None and str(started) != present):
        return False
    return _world_at(url) == state.get("world_id")


def _world_at(url: str) -> object:
    try:
        with httpx.Client(trust_env=False, timeout=_HEALTH_SECONDS) as client:
            answer = client.get(url + JIKO.simulated_health_path)
        document = answer.json() if answer.status_code == 200 else {}
    except (httpx.HTTPError, ValueError):
        return None
    return document.get("world_id") if isinstance(document, dict) else None


def _behaves_as_wanted(state: Mapping[str, object], settings: Settings) -> bool:
    """True unless the simulator runs with other limits or other chaos, which a restart changes."""
    wanted = {
        "limits": settings.simulator_limits,
        "chaos": settings.simulator_chaos,
        "chaos_seed": settings.simulator_chaos_seed,
    }
    return all(state.get(name, value) == value for name, value in wanted.items())


def _world_settings(settings: Settings) -> dict[str, object]:
    start: date = settings.simulator_start or settings.start_date
    return {
        "seed": settings.simulator_seed,
        "pockets": settings.simulator_pockets,
        "start": start.isoformat(),
        "camt_version": settings.simulator_camt_version,
        "fault": settings.simulator_fault,
    }


def _require_same_world(state: Mapping[str, object], settings: Settings) -> None:
    config = state.get("config")
    if not isinstance(config, dict):
        return
    differing = [
        f"JIKO_SIMULATOR_{name.upper()}"
        for name, wanted in _world_settings(settings).items()
        if name in config and config[name] != wanted
    ]
    if differing:
        raise SettingsError(
            f"The simulator in {settings.simulator_dir} is of another world: {', '.join(differing)} differ.",
            remedy="Use the settings that the data directory was made with, or another JIKO_DATA_DIR.",
        )


def _running(state: Mapping[str, object], directory: Path) -> RunningSimulator:
    try:
        key_file = Path(str(state["private_key_file"]))
        return RunningSimulator(
            pid=int(str(state["pid"])),
            api_url=str(state["api_url"]).rstrip("/"),
            auth_url=str(state.get("auth_url") or state["api_url"]).rstrip("/"),
            storage_host=str(state["storage_host"]),
            world_id=str(state["world_id"]),
            client_id=str(state["client_id"]),
            private_key_file=key_file if key_file.is_absolute() else directory / key_file,
            key_id=str(state["key_id"]),
        )
    except (KeyError, ValueError):
        raise SimulatorNotStartedError(
            f"The simulator in {directory} does not say how to sign in: it was started for other clients.",
            remedy="Stop it, or set JIKO_API_URL, JIKO_DOWNLOAD_HOSTS and the settings of your client.",
        ) from None


def _start(settings: Settings, directory: Path) -> RunningSimulator:
    for ended in [child for child in _children if child.poll() is not None]:
        _children.remove(ended)
    world = _world_settings(settings)
    command = [
        sys.executable,
        *_SERVE,
        *("--state-dir", str(directory)),
        *("--seed", str(world["seed"])),
        *("--pockets", str(world["pockets"])),
        *("--start", str(world["start"])),
        *("--camt-version", str(world["camt_version"])),
        *("--limits", settings.simulator_limits),
        *("--chaos", settings.simulator_chaos),
        *("--chaos-seed", str(settings.simulator_chaos_seed)),
        *("--idle-exit-seconds", str(_IDLE_EXIT_SECONDS)),
    ]
    if world["fault"] is not None:
        command += ["--fault", str(world["fault"])]
    log = directory / "simulator.log"
    before = log.stat().st_size if log.exists() else 0
    try:
        handle = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(f"The file {log} cannot be written: {error.strerror}.") from None
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            start_new_session=True,
            umask=0o077,
        )
    finally:
        os.close(handle)
    _children.append(child)
    return _wait_until_it_answers(child, directory, log, before)


def _wait_until_it_answers(
    child: subprocess.Popen[bytes], directory: Path, log: Path, log_start: int
) -> RunningSimulator:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        state = _read_state(directory)
        if state is not None and state.get("pid") == child.pid and _answers(state):
            return _running(state, directory)
        code = child.poll()
        if code is not None:
            said = _tail(log, log_start)
            if code == ExitCode.CREDENTIALS_OR_SETTINGS:
                raise SettingsError(f"The simulator does not start with these settings: {said}")
            if code == ExitCode.ALREADY_RUNNING:
                raise TryLaterError(f"Another simulator holds {directory}: {said}")
            raise SimulatorNotStartedError(f"The simulator ended with code {code} while starting: {said}")
        time.sleep(_LOOK_SECONDS)
    child.terminate()
    raise SimulatorNotStartedError(
        f"The simulator did not answer within {_START_SECONDS:.0f} s: {_tail(log, log_start)}"
    )


def _tail(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read()[-8000:].decode(errors="replace").split("\n")
    said = " / ".join(line.strip() for line in lines if line.strip()) if len(lines) <= _LOG_TAIL_LINES else ""
    return said or " / ".join(line.strip() for line in lines[-_LOG_TAIL_LINES:] if line.strip()) or "it said nothing"


def _stop(state: Mapping[str, object]) -> None:
    """End the simulator in good order, for it to be started anew."""
    url, token, pid = str(state["api_url"]), str(state.get("control_token", "")), int(str(state["pid"]))
    with (
        contextlib.suppress(httpx.HTTPError),
        httpx.Client(trust_env=False, timeout=_HEALTH_SECONDS) as client,
    ):
        client.post(f"{url}/__simulator__/shutdown", headers={"X-Simulator-Token": token})
    deadline = time.monotonic() + _STOP_SECONDS
    while start_mark(pid) is not None and time.monotonic() < deadline:
        for child in _children:
            child.poll()
        time.sleep(_LOOK_SECONDS)
