"""`jiko doctor`: may this machine, with these settings, do the daily work.

Belongs here: looking, and saying what to do. Does not belong here: repairing anything, printing (`jiko_pipeline.cli`).
No finding shows a secret: keys, tokens and clients are named by their files and settings.
"""
