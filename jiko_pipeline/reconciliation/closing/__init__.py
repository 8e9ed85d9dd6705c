"""The close: lots, the bridge from yesterday's value to today's, and whether a day may be booked.

Belongs here: what is concluded from the facts and the results of the controls. Does not belong here: judging
(`jiko_pipeline.reconciliation.runner`), pages and workbooks (`jiko_pipeline.reporting`).
"""
