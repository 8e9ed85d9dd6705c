"""What a real host gets: systemd units that are sound and hardened, and instances that differ in storage only."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from jiko_pipeline.settings import Settings
from jiko_pipeline_tests.conftest import SYSTEM_PACKAGE
from jiko_pipeline_tests.operation.dagster_host import PROJECT

DEPLOY = PROJECT / "deploy"
UNITS = sorted(path.name for path in DEPLOY.glob("*.service"))
HARDENED = {
    "User": "jiko",
    "UMask": "0077",
    "StateDirectoryMode": "0700",
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "CapabilityBoundingSet": "",
    "RestrictSUIDSGID": "yes",
    "EnvironmentFile": "/etc/jiko/jiko.env",
    "Restart": "on-failure",
}
MOST_EXPOSED = 25
"""Of 100, as systemd-analyze counts; a unit without any of this has 96."""


def directives(name: str) -> list[tuple[str, str, str]]:
    """(section, name, value) of a unit, in order."""
    found, section = [], ""
    for line in (DEPLOY / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, separator, value = line.partition("=")
            assert separator, f"{name}: {line}"
            found.append((section, key, value))
    return found


def test_the_units_are_the_code_location_the_daemon_the_ui_and_the_receiver() -> None:
    assert UNITS == ["jiko-code.service", "jiko-daemon.service", "jiko-webhooks.service", "jiko-webserver.service"]


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_runs_as_its_own_user_and_can_write_its_state_only(name: str) -> None:
    stated = {key: value for section, key, value in directives(name) if section == "Service"}
    assert {key: stated.get(key) for key in HARDENED} == HARDENED
    assert not {"ReadWritePaths", "BindPaths", "AmbientCapabilities"} & {key for key, value in stated.items() if value}


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_starts_a_program_of_the_package_and_listens_on_loopback_or_a_socket(name: str) -> None:
    (command,) = [value for _, key, value in directives(name) if key == "ExecStart"]
    program, *words = command.split()
    pinned = {"dagster", "dagster-daemon", "dagster-webserver", *_scripts()}
    assert program.startswith("/opt/jiko/.venv/bin/")
    assert Path(program).name in pinned
    assert "0.0.0.0" not in words
    if "-w" in words:
        workspace = Path(words[words.index("-w") + 1]).relative_to("/opt/jiko")
        location = yaml.safe_load((PROJECT / workspace).read_text(encoding="utf-8"))["load_from"][0]["grpc_server"]
        (code,) = [value for _, key, value in directives("jiko-code.service") if key == "ExecStart"]
        assert f"--socket {location['socket']}" in code


def _scripts() -> set[str]:
    with (PROJECT / "pyproject.toml").open("rb") as file:
        return set(tomllib.load(file)["project"]["scripts"])


def test_secrets_come_as_credentials_and_only_to_those_who_need_them() -> None:
    credentials = {
        name: {value.split(":")[0] for _, key, value in directives(name) if key == "LoadCredential"} for name in UNITS
    }
    assert credentials == {
        "jiko-code.service": {"jiko-key.pem"},
        "jiko-daemon.service": set(),
        "jiko-webhooks.service": {"webhook-secret"},
        "jiko-webserver.service": set(),
    }


def test_every_variable_of_the_example_is_a_setting() -> None:
    known = {f"JIKO_{name.upper()}" for name in Settings.model_fields} | {"JIKO_DAGSTER_POSTGRES_URL"}
    lines = [line.removeprefix("# ") for line in (DEPLOY / "jiko.env").read_text(encoding="utf-8").splitlines()]
    assert {line.partition("=")[0] for line in lines if line.startswith("JIKO_") and "=" in line} <= known


def test_the_instance_on_postgresql_differs_from_the_packaged_one_in_storage_only() -> None:
    packaged = yaml.safe_load((PROJECT / "jiko_pipeline/orchestration/dagster.yaml").read_text(encoding="utf-8"))
    on_postgresql = yaml.safe_load((DEPLOY / "dagster-postgres.yaml").read_text(encoding="utf-8"))
    assert on_postgresql.pop("storage") == {"postgres": {"postgres_url": {"env": "JIKO_DAGSTER_POSTGRES_URL"}}}
    assert on_postgresql == packaged


def analyzed(*words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip(f"{SYSTEM_PACKAGE} systemd (systemd-analyze is not here)")
    return subprocess.run([program, *words], capture_output=True, text=True, check=False)


def test_systemd_finds_nothing_wrong_with_the_units_but_that_the_programs_are_not_here() -> None:
    told = analyzed("verify", "--man=no", *(str(DEPLOY / name) for name in UNITS))
    ours = [line for line in told.stderr.splitlines() if line.startswith("jiko-") or "/deploy/" in line]
    assert [line for line in ours if "is not executable: No such file or directory" not in line] == []


def test_systemd_counts_the_units_as_little_exposed() -> None:
    for name in UNITS:
        told = analyzed("security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", str(DEPLOY / name))
        assert told.returncode == 0, f"{name}: {told.stdout[-300:]}{told.stderr[-300:]}"
