"""Where the Dagster instance is, told without importing Dagster: it takes most of a second."""

import os
from pathlib import Path

from jiko_pipeline.settings import Settings


def dagster_home(settings: Settings) -> Path:
    """`DAGSTER_HOME` when it is set, else `.dagster` in the data directory. It need not exist yet."""
    configured = os.environ.get("DAGSTER_HOME")
    return Path(configured) if configured else settings.data_dir / ".dagster"


def instance_exists(settings: Settings) -> bool:
    """True when something has run on the instance before."""
    return (dagster_home(settings) / "history").is_dir()
