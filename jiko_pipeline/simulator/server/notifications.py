"""Notifications: what the bank wants a person of the customer to read.

Belongs here: keeping them. Does not belong here: what they are about.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.server.bank import SimulatedBank


def notify(
    bank: SimulatedBank,
    kind: str,
    subject_id: str,
    title: str,
    description: str,
    at: datetime,
    metadata: Mapping[str, object],
) -> str:
    """Keep a notification, once for each kind and subject; its id."""
    identifier = drawn_uuid(bank.world.config.seed, "notification", kind, subject_id)
    with bank.state.transaction() as connection:
        connection.execute(
            "insert or ignore into notification values (?, ?, ?, ?, ?, ?)",
            (identifier, instant_text(at), kind, title, description, json.dumps(dict(metadata), sort_keys=True)),
        )
    return identifier
