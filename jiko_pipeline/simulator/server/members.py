"""Who acts: every registered client is a service user, a member of the customer's team.

Belongs here: the member behind a client. Does not belong here: the team and its changes (`people`).
"""

from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.server.bank import Call, SimulatedBank


def member_of_client(bank: SimulatedBank, client_id: str) -> str:
    """The id of the service user that a client signs in as."""
    return drawn_uuid(bank.world.config.seed, "service user", client_id)


def acting_member(call: Call) -> str:
    """The id of the team member who makes a call."""
    return member_of_client(call.bank, call.client_id)
