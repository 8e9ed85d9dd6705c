"""Where the Dagster instance is: one function that everything asks.

`DAGSTER_HOME` when it is set, else `.dagster` in the data directory, with the packaged `dagster.yaml`.
https://docs.dagster.io/deployment/oss/dagster-instance
"""

import os
from importlib import resources
from pathlib import Path

import dagster as dg

from jiko_pipeline.settings import Settings


def dagster_home(settings: Settings) -> Path:
    """The directory of the instance; it need not exist yet."""
    configured = os.environ.get("DAGSTER_HOME")
    return Path(configured) if configured else settings.data_dir / ".dagster"


def instance_exists(settings: Settings) -> bool:
    """True when something has run on the instance before."""
    return (dagster_home(settings) / "history").is_dir()


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The instance, made on first use."""
    if os.environ.get("DAGSTER_HOME"):
        return dg.DagsterInstance.get()
    home = dagster_home(settings)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    configuration = home / "dagster.yaml"
    packaged = (resources.files("jiko_pipeline.orchestration") / "dagster.yaml").read_text(encoding="utf-8")
    if not configuration.exists() or configuration.read_text(encoding="utf-8") != packaged:
        configuration.write_text(packaged, encoding="utf-8")
    return dg.DagsterInstance.from_config(str(home))
