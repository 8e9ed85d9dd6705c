"""The chaos switch: faults that the simulated bank shows on purpose, chosen by rules, seeded, logged.

Belongs here: rules and their decisions, the faults of both layers (answers and wire), profiles, control routes.
Does not belong here: mistakes in the data itself (`jiko_pipeline.simulator.faults`). Without rules nothing here
touches a request.
"""
