"""Treasury reconciliation over the Jiko Customer API.

Data flows one way: bank, archive, formats, warehouse, reconciliation, reporting. `pipeline` puts the steps
of a window in order; `orchestration` (Dagster) and `cli` are thin skins over it. `docs/architecture.md` is
the map. Nothing is imported here, so that `import jiko_pipeline` costs nothing.
"""
