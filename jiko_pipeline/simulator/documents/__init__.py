"""The files the simulated bank hands out: pure functions from the records of `model` to bytes.

Belongs here: layouts (camt.053, CSV, the monthly PDF). Does not belong here: what the figures are
(`world`), who may ask for them (`server`).
"""
