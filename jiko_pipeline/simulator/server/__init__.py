"""The simulated Jiko over HTTP: sign-in, listings, reports, storage, control.

Belongs here: what the wire says (paths, words, status codes, limits, state that outlives a restart). Does not
belong here: the ledger (`jiko_pipeline.simulator.world`) and the layouts
(`jiko_pipeline.simulator.documents`).
"""
