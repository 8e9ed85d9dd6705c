"""Planted faults: one file a fault says what it is and what must be noticed; `planting` does it to the facts.

Belongs here: the catalogue of faults and their effect on what the simulated bank says. Does not belong here:
the ledger, which stays right whatever is planted.
"""

from jiko_pipeline.simulator.faults.catalogue import names

__all__ = ["names"]
