"""A real Dagster on loopback, as `dagster dev -w workspace.yaml` runs it, and the calls its UI makes."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]

LAUNCH_BACKFILL = """
mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""

BACKFILL = """
query Backfill($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill {
      status
      numPartitions
      runs(limit: 500) { id status startTime endTime tags { key value } }
      error { message }
    }
  }
}
"""


class DagsterHostError(Exception):
    """Dagster did not do what it was asked."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class DagsterHost:
    """A running `dagster dev`."""

    url: str
    root: Path
    process: subprocess.Popen[bytes]

    def graphql(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.url}/graphql",
            data=json.dumps({"query": query, "variables": variables or {}}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            document: dict[str, Any] = json.load(answer)
        if document.get("errors"):
            raise DagsterHostError(json.dumps(document["errors"])[:2000])
        return dict(document["data"])

    def launch_backfill(self, asset_keys: Sequence[Sequence[str]], days: Sequence[str]) -> str:
        """The mutation that *Materialize* in the asset graph sends for a range of partitions."""
        result = self.graphql(
            LAUNCH_BACKFILL,
            {
                "params": {
                    "assetSelection": [{"path": list(key)} for key in asset_keys],
                    "partitionNames": list(days),
                    "fromFailure": False,
                }
            },
        )["launchPartitionBackfill"]
        if result["__typename"] != "LaunchBackfillSuccess":
            raise DagsterHostError(f"{result}")
        return str(result["backfillId"])

    def await_first_run(self, backfill_id: str, *, deadline_seconds: float = 120) -> None:
        """Until the first run of the backfill is under way."""
        deadline = time.monotonic() + deadline_seconds
        while time.monotonic() < deadline:
            found = self.graphql(BACKFILL, {"id": backfill_id})["partitionBackfillOrError"]
            if any(run["status"] == "STARTED" for run in found["runs"]):
                return
            time.sleep(0.2)
        raise DagsterHostError(f"no run of the backfill {backfill_id} has started after {deadline_seconds} s")

    def await_backfill(self, backfill_id: str, *, deadline_seconds: float) -> dict[str, Any]:
        """The backfill once it has ended; raises when the deadline passes first."""
        deadline = time.monotonic() + deadline_seconds
        while time.monotonic() < deadline:
            found = self.graphql(BACKFILL, {"id": backfill_id})["partitionBackfillOrError"]
            if found["status"] not in {"REQUESTED", "CANCELING", "FAILING"}:
                return dict(found)
            time.sleep(1)
        raise DagsterHostError(f"the backfill {backfill_id} has not ended after {deadline_seconds} s")


@contextlib.contextmanager
def dagster_dev(root: Path, environment: dict[str, str], instance: Path | None = None) -> Iterator[DagsterHost]:
    """`dagster dev -w workspace.yaml` in `root`, which gets the project's own workspace.yaml and dagster.yaml.

    With `instance`, another dagster.yaml, `root / "home"` is DAGSTER_HOME and has that file.
    """
    root.mkdir(parents=True, exist_ok=True)
    if instance is not None:
        (root / "home").mkdir(exist_ok=True)
        shutil.copy(instance, root / "home" / "dagster.yaml")
        environment = {**environment, "DAGSTER_HOME": str(root / "home")}
    for name in ("workspace.yaml", "dagster.yaml"):
        shutil.copy(PROJECT / name, root / name)
    port = free_port()
    log = (root / "dagster-dev.log").open("wb")
    process = subprocess.Popen(
        [
            str(Path(sys.executable).parent / "dagster"),
            "dev",
            "-w",
            "workspace.yaml",
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
        ],
        cwd=root,
        env={**{k: v for k, v in os.environ.items() if k != "DAGSTER_HOME"}, **environment},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    host = DagsterHost(f"http://127.0.0.1:{port}", root, process)
    try:
        deadline = time.monotonic() + 120
        while True:
            if process.poll() is not None or time.monotonic() > deadline:
                raise DagsterHostError((root / "dagster-dev.log").read_text(errors="replace")[-4000:])
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError, DagsterHostError):
                found = host.graphql("{ workspaceOrError { ... on Workspace { locationEntries { loadStatus } } } }")
                entries = found["workspaceOrError"].get("locationEntries", [])
                if entries and all(entry["loadStatus"] == "LOADED" for entry in entries):
                    break
            time.sleep(0.5)
        yield host
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()
