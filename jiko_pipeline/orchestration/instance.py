"""Opening the Dagster instance: one function that everything asks.

`DAGSTER_HOME` as it is when that is set, else `.dagster` in the data directory with the packaged `dagster.yaml`.
https://docs.dagster.io/deployment/oss/dagster-instance
"""

import os
from importlib import resources

import dagster as dg

from jiko_pipeline.orchestration.home import dagster_home
from jiko_pipeline.settings import Settings


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
