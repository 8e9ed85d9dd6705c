"""The counterparties of the time before anybody used the API: whom the customer pays, by type and name.

Belongs here: who they are and under which ids. Does not belong here: their accounts, what the API changed about them
(`counterparties`).
"""

from typing import Final

from jiko_pipeline.simulator.activity import OUTSIDE_POCKETS, SUPPLIERS
from jiko_pipeline.simulator.bookings import OWN_BANK
from jiko_pipeline.simulator.draws import drawn_uuid
from jiko_pipeline.simulator.model import WorldConfig
from jiko_pipeline.simulator.server.counterparty_forms import ACH, INTERNATIONAL_WIRE, ON_US, WIRE

_FIRST: Final = (
    (ACH, "Kestrel Payroll Services"),
    (WIRE, "Pinecrest Logistics"),
    (INTERNATIONAL_WIRE, "Larkspur Legal LLP"),
    (ON_US, "Yarrow Health Operating"),
    (ACH, "Northwind Utilities"),
)
PARTIES: Final = (
    *_FIRST,
    *((WIRE, name) for name in (*SUPPLIERS, OWN_BANK) if (WIRE, name) not in _FIRST),
    *((ON_US, name) for name in OUTSIDE_POCKETS if (ON_US, name) not in _FIRST),
)
"""(type, name) of each; everybody whom the ledger pays by wire or within the bank is among them."""


def id_of_party(config: WorldConfig, number: int) -> str:
    """The id of the counterparty at a place of PARTIES."""
    return drawn_uuid(config.seed, "counterparty", number)


def paid_party(config: WorldConfig, transaction_type: str, name: str) -> str:
    """The id of the counterparty that a payment of the ledger (WIRE or ON_US) goes to, by its name."""
    return id_of_party(config, PARTIES.index((transaction_type.lower(), name)))
