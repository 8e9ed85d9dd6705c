"""Which bank this is: the identity that a data directory is born to.

Does not belong here: how a connection to it is made (`jiko_pipeline.bank.connection`).
"""

from dataclasses import dataclass
from typing import Final

REAL_WORLD_ID: Final = "jiko"


@dataclass(frozen=True, slots=True)
class WorldIdentity:
    """Two connections with equal identities speak with the same bank.

    `api_origin` is "simulator" for a simulated bank, whose port changes; its `world_id` tells it apart.
    """

    environment: str
    api_origin: str
    world_id: str
