"""Dagster, and only Dagster: assets, checks, jobs, schedules. The one room that imports it.

Nothing here decides anything: a function calls a step of `jiko_pipeline.pipeline`, counts, and reports.
"""
