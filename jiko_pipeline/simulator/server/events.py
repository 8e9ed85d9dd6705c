"""Events: what happened at the bank, for webhooks and for GET /api/v1/events/.

Belongs here: keeping the events that a call causes. Does not belong here: delivering them.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.server.bank import SimulatedBank


def emit(bank: SimulatedBank, event_type: str, subject_id: str, payload: Mapping[str, object], at: datetime) -> str:
    """Keep an event, once for each type and subject; the event's id."""
    event_id = drawn_uuid(bank.world.config.seed, "event", event_type, subject_id)
    with bank.state.transaction() as connection:
        connection.execute(
            "insert or ignore into event values (?, ?, ?, ?)",
            (event_id, instant_text(at), event_type, json.dumps(dict(payload), sort_keys=True)),
        )
    return event_id
