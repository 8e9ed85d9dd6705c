"""Nothing secret in any file or word of a whole run at DEBUG, and none is taken where it could be read."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from jiko_pipeline.orchestration.build import build_defs
from jiko_pipeline.settings import load_settings
from jiko_pipeline_tests.operation.conftest import Make

DAY = "2024-06-28"
AT_DEBUG = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
sys.argv = ["jiko", "--debug", "sync", "--date", "2024-06-28"]
from jiko_pipeline.cli.main import main
main()
"""


@pytest.mark.fault_rows(128)
def test_a_run_at_debug_leaves_no_secret_in_what_it_says_or_writes(new_directory: Make, tmp_path: Path) -> None:
    directory = new_directory()
    directory.path.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", AT_DEBUG],
        cwd=directory.path.parent,
        env=directory.environment(PYTHONPATH=str(Path(__file__).resolve().parents[2])),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "DEBUG" in done.stderr, "the log is at DEBUG"
    state = directory.announcement
    assert state is not None
    keys = [file.read_text() for file in (directory.path / "simulator").rglob("*.pem")]
    secrets = {line for key in keys for line in key.splitlines() if "-----" not in line and len(line) > 20}
    assert secrets
    marks = ["eyJ", "client_assertion=", "signature=", "X-Amz-Signature", "Bearer ", *secrets]
    # The simulated bank's own room has its keys, as a bank has; ours has none of them.
    told = {"said": done.stdout + done.stderr}
    for file in directory.path.rglob("*"):
        if file.is_file() and "simulator" not in file.relative_to(directory.path).parts:
            told[str(file)] = file.read_bytes().decode("latin-1")
    assert len(told) > 30
    found = {(where, mark[:12]) for where, text in told.items() for mark in marks if mark in text}
    assert found == set()


@pytest.mark.fault_rows(130)
def test_a_secret_in_the_configuration_of_a_run_is_refused_and_not_repeated(tmp_path: Path) -> None:
    definitions = build_defs(settings=load_settings(data_dir=tmp_path / "data"))
    job = definitions.resolve_job_def("daily_close")
    secret = {"config": {"private_key": "canary"}}
    places = [{"ops": {node.name: secret}} for node in job.nodes]
    assert len(places) > 10
    with dg.DagsterInstance.ephemeral() as instance:
        for config in ({"resources": {"private_key": "canary"}}, *places):
            with pytest.raises(dg.DagsterInvalidConfigError) as refusal:
                job.execute_in_process(instance=instance, partition_key=DAY, run_config=config)
            assert "canary" not in str(refusal.value)
        assert instance.get_runs() == []
