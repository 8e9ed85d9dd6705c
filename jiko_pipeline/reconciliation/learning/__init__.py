"""The selects of `jiko_pipeline.reconciliation.basis_learning`, one file each; no code."""
