"""Frames to DuckDB: declared tables, versions, the core build, publishing.

Belongs here: everything that defines or writes tables. Does not belong here: judging what the rows say
(`jiko_pipeline.reconciliation`).
"""
