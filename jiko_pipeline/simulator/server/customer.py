"""The customer: a business, and the persons who own it.

Belongs here: GET /api/v1/customer/ and its beneficial owners, functions of the seed. Names are made up. Does not
belong here: who works there (`people`), what was uploaded (`documents_upload`).
"""

from datetime import date, timedelta
from typing import Final

from starlette.responses import Response

from jiko_pipeline.simulator.draws import Draws, drawn_uuid
from jiko_pipeline.simulator.server.answers import Json
from jiko_pipeline.simulator.server.bank import Call, Operation, SimulatedBank, json_response
from jiko_pipeline.simulator.server.limits import LimitGroup
from jiko_pipeline.simulator.server.population import DOMAIN

_NAMES: Final = ("Ashgrove", "Bellweather", "Copperfield", "Driftwood", "Elmhurst", "Foxglove", "Greyhaven")
_TRADES: Final = ("Instruments", "Robotics", "Therapeutics", "Logistics", "Software", "Materials")
_PLACES: Final = (
    ("Boston", "MA", "02110"),
    ("Denver", "CO", "80202"),
    ("Austin", "TX", "78701"),
    ("Seattle", "WA", "98101"),
)
_STREETS: Final = ("Foundry Street", "Harbor Avenue", "Mill Road", "Orchard Lane", "Quarry Street")
_OWNERS: Final = (
    ("Leonie", None, "Marchetti", "Chief Executive Officer", ("BENEFICIAL_OWNER", "CONTROL_PERSON")),
    ("Oskar", "J.", "Nakamura", "Chief Financial Officer", ("BENEFICIAL_OWNER",)),
    ("Priya", None, "Quist", None, ("BENEFICIAL_OWNER",)),
)


def business_name(bank: SimulatedBank) -> str:
    """The legal name of the customer."""
    draws = Draws(bank.world.config.seed, "business")
    return f"{draws.choice(_NAMES)} {draws.choice(_TRADES)} Inc."


def get_customer(call: Call) -> Response:
    """GET /api/v1/customer/."""
    seed = call.bank.world.config.seed
    return json_response(
        {
            "type": "BUSINESS",
            "address": _address(seed, "business address"),
            "email": f"treasury@{DOMAIN}",
            "phone_number": "+12025550100",
            "account_status": "OPEN",
            "name": business_name(call.bank),
            "identification_number": {
                # The Internal Revenue Service gives out no number with the prefix 00.
                "identification_number": f"00-{Draws(seed, 'identification').below(10**7):07d}",
                "issuing_country": "US",
                "type": "EIN",
            },
        }
    )


def list_beneficial_owners(call: Call) -> Response:
    """GET /api/v1/customer/beneficial-owners/: those who own at least a quarter, or control."""
    seed = call.bank.world.config.seed
    draws = Draws(seed, "owners")
    owners: list[Json] = []
    for number, (first_name, middle_name, last_name, title, roles) in enumerate(_OWNERS):
        owners.append(
            {
                "id": drawn_uuid(seed, "owner", number),
                "name": {"first_name": first_name, "middle_name": middle_name, "last_name": last_name},
                "title": title,
                "roles": list(roles),
                "ownership_percentage": f"{25 + draws.below(8)}.{draws.below(100):02d}",
                "address": _address(seed, "owner address", number),
                "date_of_birth": (date(1961, 1, 1) + timedelta(days=draws.below(9000))).isoformat(),
                "citizenship": "US",
            }
        )
    return json_response({"items": owners, "count": len(owners), "object_type": "List"})


def _address(*key: object) -> Json:
    draws = Draws(*key)
    city, state, postal_code = draws.choice(_PLACES)
    return {
        "street_address": f"{draws.between(10, 980)} {draws.choice(_STREETS)}",
        "street_address2": f"Suite {draws.between(100, 900)}" if draws.happens(50) else None,
        "city": city,
        "postal_code": postal_code,
        "state": state,
        "country": "US",
    }


OPERATIONS: Final = (
    Operation("GET", "/api/v1/customer/", "get_customer", LimitGroup.CUSTOMER, "customer.read", get_customer),
    Operation(
        "GET",
        "/api/v1/customer/beneficial-owners/",
        "list_beneficial_owners",
        LimitGroup.CUSTOMER,
        "customer.read",
        list_beneficial_owners,
    ),
)
