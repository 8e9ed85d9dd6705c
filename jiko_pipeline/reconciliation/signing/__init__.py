"""The SQL of sign-off: what a period's sign-off states and what keeps it from being given.

Belongs here: the selects. Does not belong here: the steps (`jiko_pipeline.reconciliation.signoff`).
"""
