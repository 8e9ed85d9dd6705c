"""The audit log: who did what and when.

Belongs here: writing an entry for each change. Does not belong here: the changes themselves.
"""

import json
from collections.abc import Mapping

from jiko_pipeline.simulator.documents.numbers import instant_text
from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.server.bank import Call
from jiko_pipeline.simulator.server.members import acting_member


def record(call: Call, action: str, details: Mapping[str, object]) -> None:
    """Enter a change that `call` made. `action` is a word such as TRANSFER_REQUEST_CREATED.

    `details` are plain JSON values without secrets; the ids of what was changed belong in them.
    """
    with call.bank.state.transaction() as connection:
        (number,) = connection.execute("select coalesce(max(number), 0) + 1 from audit_log").fetchone()
        connection.execute(
            "insert into audit_log values (?, ?, ?, ?, ?, ?)",
            (
                number,
                drawn_uuid(call.bank.world.config.seed, "audit", number),
                instant_text(call.now),
                acting_member(call),
                action,
                json.dumps(dict(details), sort_keys=True),
            ),
        )
