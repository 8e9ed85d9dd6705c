"""The steps of a window in order, as plain functions: what `sync` and Dagster both call.

Belongs here: which document is expected when, and the order fetch, load, build, judge, publish. Does not belong
here: how any of these is done (each has its room) and Dagster.
"""
