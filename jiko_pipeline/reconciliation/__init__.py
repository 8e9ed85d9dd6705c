"""Controls: one SQL file each, judged over the warehouse, with breaks that keep their identity.

Belongs here: the registry of controls, what they may look at (evidence), gating, results, breaks, the basis,
the daily close. Does not belong here: defining or filling tables (`jiko_pipeline.warehouse`), pages and
workbooks (`jiko_pipeline.reporting`).
"""
