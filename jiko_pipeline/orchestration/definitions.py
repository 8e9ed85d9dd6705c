"""The code location: what `workspace.yaml` names."""

from jiko_pipeline.orchestration.build import build_defs

defs = build_defs()
