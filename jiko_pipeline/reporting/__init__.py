"""Answers for people, read from the published file: verdicts, status, listings.

Belongs here: questions asked of the published file and their answers as records. Does not belong here: judging
(`jiko_pipeline.reconciliation`) and the terminal (`jiko_pipeline.cli`).
"""
