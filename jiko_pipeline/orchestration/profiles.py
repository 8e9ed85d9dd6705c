"""A code location for each profile: the attribute of this module that has the profile's name.

Belongs here: turning the name that `workspace.yaml` gives as `attribute` into definitions. Does not belong here: what
they are (`jiko_pipeline.orchestration.build`). Nothing is read before an attribute is asked for.
https://docs.dagster.io/deployment/code-locations/workspace-yaml
"""

import dagster as dg

from jiko_pipeline.orchestration.build import build_defs
from jiko_pipeline.settings import load_settings, profiles_of


def __getattr__(name: str) -> dg.Definitions:
    """The definitions of the profile `name`, in which an underscore may stand for a hyphen."""
    if name.startswith("_"):
        raise AttributeError(f"there is no profile {name!r}")
    file = profiles_of(load_settings(profile="default"))
    names = ("default", *(() if file is None else file.tables))
    for profile in names:
        if profile.replace("-", "_") == name:
            return build_defs(profile)
    raise AttributeError(f"there is no profile {name!r}; there are: {', '.join(dict.fromkeys(names))}")
