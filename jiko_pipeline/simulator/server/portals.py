"""Portals: the account and routing numbers under which the world pays into a pocket.

Belongs here: the portal of each pocket, one each, with the account number that statements show. Does not belong
here: pockets.
"""

from typing import Final

from starlette.responses import Response

from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.model import Pocket
from jiko_pipeline.simulator.server.answers import Json, not_found
from jiko_pipeline.simulator.server.bank import Call, Operation, SimulatedBank, json_response
from jiko_pipeline.simulator.server.limits import LimitGroup

ROUTING_NUMBER: Final = "123456780"
"""The simulated bank's own: made up, with the check digit that the ABA asks for."""


def is_routing_number(text: str) -> bool:
    """True for nine digits whose weighted sum (3, 7, 1) is a multiple of ten, as the ABA has it."""
    if len(text) != 9 or not (text.isascii() and text.isdigit()):
        return False
    return text != "000000000" and sum(int(digit) * (3, 7, 1)[at % 3] for at, digit in enumerate(text)) % 10 == 0


def list_portals(call: Call) -> Response:
    """GET /api/v1/portals/."""
    return _listed(call, list(call.bank.world.pockets(call.today)))


def list_portals_of_pocket(call: Call) -> Response:
    """GET /api/v1/accounts/{account_id}/portals/; an account is a pocket."""
    pocket_id = call.identifier("account_id")
    pockets = [pocket for pocket in call.bank.world.pockets(call.today) if pocket.id == pocket_id]
    if not pockets:
        raise not_found()
    return _listed(call, pockets)


def _listed(call: Call, pockets: list[Pocket]) -> Response:
    portals = [_portal(call.bank, pocket) for pocket in pockets]
    return json_response({"count": len(portals), "portals": portals, "object_type": "List"})


def _portal(bank: SimulatedBank, pocket: Pocket) -> Json:
    return {
        "id": drawn_uuid(bank.world.config.seed, "portal", pocket.id),
        "jiko_account_id": pocket.id,
        "routing_number": ROUTING_NUMBER,
        "account_number": pocket.account_number,
        "status": "OPEN" if pocket.closed_on is None else "CLOSED",
        "name": pocket.name,
    }


OPERATIONS: Final = (
    Operation("GET", "/api/v1/portals/", "list_portals", LimitGroup.PORTALS, "pockets.read", list_portals),
    Operation(
        "GET",
        "/api/v1/accounts/{account_id}/portals/",
        "list_portals_of_pocket",
        LimitGroup.PORTALS,
        "pockets.read",
        list_portals_of_pocket,
    ),
)
